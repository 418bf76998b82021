/** Transcripts for those who may read them, and their end. */
import type { Kysely } from 'kysely';
import { maskNumber } from '../../machines/masked-number.ts';
import type { TranscriptTurn } from '../../machines/transcription.ts';
import { appendEvents } from '../store/event-log.ts';
import type { Database } from '../store/schema/database.ts';
import type { RecordingRow } from '../store/schema/edge-tables.ts';

export function turnsOf({ transcript }: Pick<RecordingRow, 'transcript'>): TranscriptTurn[] {
  return transcript === null ? [] : (JSON.parse(transcript) as TranscriptTurn[]);
}

/** Seven digits or more, with whatever engines write between them. */
const NUMBER = /\+?\d(?:[\s().,/-]{0,3}\d){6,}/g;

/**
 * Masks what may be a telephone number. Errs on hiding: a date in figures goes too. A number that the
 * engine wrote in words (`five five five`) stays.
 */
export function withoutNumbers(text: string): string {
  return text.replaceAll(NUMBER, (found) => maskNumber(found.replaceAll(/[^+\d]/g, '')));
}

export interface Erasure {
  readonly businessUnitId: string;
  readonly deliveryId: string;
  readonly actor: string;
  readonly nowMs: number;
}

/** Of all recordings of the delivery; what is still to be transcribed is not. Safe to repeat. */
export async function eraseTranscripts(
  db: Kysely<Database>,
  { businessUnitId, deliveryId, actor, nowMs }: Erasure,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const erased = await tx
      .updateTable('recordings')
      .set({ transcription: 'erased', transcript: null })
      .where('delivery_id', '=', deliveryId)
      .where('business_unit_id', '=', businessUnitId)
      .where('transcription', 'in', ['waiting', 'asked', 'done', 'failed'])
      .returning(['attempt_id', 'recording_id'])
      .execute();
    const events = erased.map(({ attempt_id, recording_id: recordingId }) => ({
      streamId: `attempt:${attempt_id}`,
      type: 'recording.transcriptErased',
      ...{ actor, payload: { recordingId } },
    }));
    await appendEvents(tx, businessUnitId, nowMs, events);
  });
}
