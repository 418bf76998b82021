/** Recordings of workstreams that want them in writing wait for it in the store, from their end on. */
import type { Transaction } from 'kysely';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { Database } from '../store/schema/database.ts';
import { answerSettingsOf } from '../tasks/plan-after-answer.ts';

/** In the transaction that writes its end. Once per recording: told again, it changes nothing. */
export async function queueTranscription(
  tx: Transaction<Database>,
  { attemptId, recordingId, atMs }: EventOf<'recording.ended'>,
): Promise<void> {
  const workstream = await tx
    .selectFrom('attempts')
    .innerJoin('engagements', 'engagements.id', 'attempts.engagement_id')
    .innerJoin('workstreams', 'workstreams.id', 'engagements.workstream_id')
    .select(['workstreams.settings', 'workstreams.language'])
    .where('attempts.id', '=', attemptId)
    .executeTakeFirst();
  if (workstream === undefined || !answerSettingsOf(workstream).transcription) return;
  const { language } = workstream;
  await tx
    .updateTable('recordings')
    .set({ transcription: 'waiting', language })
    .set({ transcription_queued_at_ms: atMs, transcription_due_at_ms: atMs })
    .where('attempt_id', '=', attemptId)
    .where('recording_id', '=', recordingId)
    .where('transcription', 'is', null)
    .execute();
}
