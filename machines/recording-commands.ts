/** Recording of an attempt's audio. Consent and announcement are the dialer's decision. */
import { Type, type Static } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';

const RecordingId = Type.String({ description: 'Named again by every event of this recording.' });

export const RecordingStart = Type.Object({
  type: Type.Literal('recording.start'),
  ...ATTEMPT_ENVELOPE,
  recordingId: RecordingId,
  channels: Type.Enum(['mixed', 'stereo'], {
    description: 'stereo: customer left, representative or AI agent right.',
  }),
  lengthMaxMs: DurationMs('The recording stops by itself after this.'),
});
export type RecordingStart = Static<typeof RecordingStart>;

const named = <T extends string>(type: T) =>
  Type.Object({ type: Type.Literal(type), ...ATTEMPT_ENVELOPE, recordingId: RecordingId });

export const RecordingStop = named('recording.stop');
export type RecordingStop = Static<typeof RecordingStop>;

/** Writes silence until resumed, so that times in the file stay true (card numbers being said). */
export const RecordingPause = named('recording.pause');
export type RecordingPause = Static<typeof RecordingPause>;

export const RecordingResume = named('recording.resume');
export type RecordingResume = Static<typeof RecordingResume>;
