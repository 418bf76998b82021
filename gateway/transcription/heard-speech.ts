/** What an engine answers, as turns: OpenAI's `json` and `verbose_json`, or plain text. */
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { TranscriptionError, type HeardSpeech } from './transcriber.port.ts';

const Answer = Type.Object({
  text: Type.Optional(Type.String()),
  segments: Type.Optional(
    Type.Union([
      Type.Array(Type.Object({ start: Type.Number(), end: Type.Number(), text: Type.String() })),
      Type.Null(),
    ]),
  ),
});

/** Throws TranscriptionError for JSON of another shape: the engine is not what it was taken for. */
export function heardInJson(answer: unknown, lengthMs: number): HeardSpeech[] {
  if (!Value.Check(Answer, answer)) throw notUnderstood();
  const { text, segments } = answer;
  if (segments === undefined || segments === null) {
    if (text === undefined) throw notUnderstood();
    return heardInText(text, lengthMs);
  }
  return segments.flatMap(({ start, end, text: said }) => {
    const startMs = within(start * 1_000, lengthMs);
    const endMs = Math.max(startMs, within(end * 1_000, lengthMs));
    return heard(said, startMs, endMs);
  });
}

export function heardInText(text: string, lengthMs: number): HeardSpeech[] {
  return heard(text, 0, lengthMs);
}

function heard(said: string, startMs: number, endMs: number): HeardSpeech[] {
  const text = said.replaceAll(/\s+/g, ' ').trim();
  return text === '' ? [] : [{ startMs, endMs, text }];
}

function within(ms: number, lengthMs: number): number {
  return Math.min(lengthMs, Math.max(0, Math.round(ms)));
}

function notUnderstood(): TranscriptionError {
  return new TranscriptionError('the answer has neither text nor segments', { mayPass: false });
}
