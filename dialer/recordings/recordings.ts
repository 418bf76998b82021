/** Recordings of calls: where the gateway has put each, and what became of it. */
import type { Kysely, Transaction } from 'kysely';
import type { AttemptEvent, EventOf } from '../../machines/telephony-events.ts';
import type { Database } from '../store/schema/database.ts';
import type { RecordingRow } from '../store/schema/edge-tables.ts';
import { queueTranscription } from './queue-transcription.ts';

type RecordingEvent =
  EventOf<'recording.started'> | EventOf<'recording.ended'> | EventOf<'recording.failed'>;

/** Those of the events that tell of recordings. Told again, they change nothing. */
export async function writeRecordings(
  tx: Transaction<Database>,
  events: readonly AttemptEvent[],
): Promise<void> {
  for (const event of events) if (isOfRecording(event)) await writeRecording(tx, event);
}

function isOfRecording(event: AttemptEvent): event is RecordingEvent {
  return event.type.startsWith('recording.');
}

async function writeRecording(tx: Transaction<Database>, event: RecordingEvent): Promise<void> {
  const { attemptId, recordingId } = event;
  const attempt = await tx
    .selectFrom('attempts')
    .select(['business_unit_id', 'delivery_id'])
    .where('id', '=', attemptId)
    .executeTakeFirst();
  if (attempt === undefined) return;
  const change = changeOf(event);
  await tx
    .insertInto('recordings')
    .values({
      ...{ attempt_id: attemptId, recording_id: recordingId, ...attempt },
      ...{ status: 'started', location: null, length_ms: null, detail: null },
      ...{ started_at_ms: null, ended_at_ms: null, transcription_tries: 0, ...change },
    })
    .onConflict((conflict) => {
      const known = conflict.columns(['attempt_id', 'recording_id']);
      return event.type === 'recording.started' ? known.doNothing() : known.doUpdateSet(change);
    })
    .execute();
  if (event.type === 'recording.ended') await queueTranscription(tx, event);
}

function changeOf(event: RecordingEvent): Partial<RecordingRow> & Pick<RecordingRow, 'status'> {
  const { atMs } = event;
  switch (event.type) {
    case 'recording.started':
      return { status: 'started', started_at_ms: atMs };
    case 'recording.ended': {
      const { location, lengthMs: length_ms } = event;
      return { status: 'ended', location, length_ms, ended_at_ms: atMs };
    }
    case 'recording.failed':
      return { status: 'failed', detail: event.detail, ended_at_ms: atMs };
  }
}

/** Oldest first. */
export function recordingsOf(db: Kysely<Database>, deliveryId: string): Promise<RecordingRow[]> {
  return db
    .selectFrom('recordings')
    .selectAll()
    .where('delivery_id', '=', deliveryId)
    .orderBy('started_at_ms')
    .orderBy('recording_id')
    .execute();
}
