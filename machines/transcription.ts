/**
 * What was said in a recording, in writing. Asked of the gateway that has the file, once it is whole;
 * what becomes of it is told by one of two events. They name the recording apart from the envelope of
 * attempts: the attempt is over, and its numbering with it.
 */
import { Type, type Static } from 'typebox';
import { AtMs, AttemptId, DurationMs } from './telephony-envelope.ts';

const Recording = Type.Object(
  { attemptId: AttemptId, recordingId: Type.String({ minLength: 1, maxLength: 64 }) },
  { description: 'Which recording.' },
);
export type RecordingRef = Static<typeof Recording>;

/** BCP 47, as the workstream has it. */
const Language = Type.String({ description: 'As of the workstream: en, de-AT.', maxLength: 35 });

export const SPEAKERS = ['customer', 'representative'] as const;

export const TranscriptTurn = Type.Object({
  speaker: Type.Union([Type.Enum([...SPEAKERS]), Type.Null()], {
    description:
      'Of a stereo recording: customer on the left, whoever they hear on the right (a ' +
      'representative, an AI agent, a prompt). Null where both are on one channel.',
  }),
  startMs: DurationMs('From the beginning of the recording.'),
  endMs: DurationMs('From the beginning of the recording.'),
  text: Type.String(),
});
export type TranscriptTurn = Static<typeof TranscriptTurn>;

export const RecordingTranscribe = Type.Object({
  type: Type.Literal('recording.transcribe'),
  gatewayId: Type.String({ description: 'The one gateway that may act on this: it has the file.' }),
  atMs: AtMs,
  recording: Recording,
  location: Type.String({ description: 'As recording.ended told it.', maxLength: 200 }),
  language: Language,
  limitMs: DurationMs('The gateway gives up after this: nobody waits for it any longer.'),
});
export type RecordingTranscribe = Static<typeof RecordingTranscribe>;

const ENVELOPE = {
  gatewayId: Type.String(),
  seq: Type.Integer({ description: 'Counts this gateway’s own events, from 1.', minimum: 1 }),
  atMs: AtMs,
  recording: Recording,
};

/** Personal data: kept in the recording's row, and in no log. */
export const RecordingTranscribed = Type.Object({
  type: Type.Literal('recording.transcribed'),
  ...ENVELOPE,
  turns: Type.Array(TranscriptTurn, { description: 'By when they begin; none: nobody spoke.' }),
});

export const RecordingTranscriptionFailed = Type.Object({
  type: Type.Literal('recording.transcriptionFailed'),
  ...ENVELOPE,
  detail: Type.String({ description: 'In words, without what was said.', maxLength: 500 }),
  mayPass: Type.Boolean({ description: 'Worth another try: the same may succeed later.' }),
  retryAfterMs: Type.Optional(DurationMs('Not before this, as the engine asks for.')),
});

/** Engines are given a side of the call in pieces of this length at the most, ms. */
export const TRANSCRIPTION_PIECE_MAX_MS = 600_000;

/** Serialised, a transcript is no longer than this: a message of the bus takes 262,144 characters. */
export const TRANSCRIPT_CHARS_MAX = 200_000;
