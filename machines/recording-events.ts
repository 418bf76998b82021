/** What became of a recording. Its end may be told after the attempt's: the file comes by itself. */
import { Type } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';

const RecordingId = Type.String({ description: 'Of the recording.start command.' });

export const RecordingStarted = Type.Object({
  type: Type.Literal('recording.started'),
  ...ATTEMPT_ENVELOPE,
  recordingId: RecordingId,
});

export const RecordingEnded = Type.Object({
  type: Type.Literal('recording.ended'),
  ...ATTEMPT_ENVELOPE,
  recordingId: RecordingId,
  location: Type.String({ description: 'Where the file is, as the gateway’s store names it.' }),
  lengthMs: DurationMs('Of the file.'),
});

export const RecordingFailed = Type.Object({
  type: Type.Literal('recording.failed'),
  ...ATTEMPT_ENVELOPE,
  recordingId: RecordingId,
  detail: Type.String(),
});
