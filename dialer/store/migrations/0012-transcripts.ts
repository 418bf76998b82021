/** What was said in a recording, in the recording's own row: whatever drops the one drops the other. */
import type { Migration } from '../migration.ts';

export const transcripts: Migration = {
  id: '0012-transcripts',
  statements: () => [
    `alter table recordings add column transcription text`,
    `alter table recordings add column transcription_queued_at_ms bigint`,
    `alter table recordings add column transcription_due_at_ms bigint`,
    `alter table recordings add column transcription_tries integer not null default 0`,
    `alter table recordings add column transcription_problem text`,
    `alter table recordings add column language text`,
    `alter table recordings add column transcript text`,
    `alter table recordings add column transcribed_at_ms bigint`,
    `create index recordings_to_transcribe on recordings (transcription_due_at_ms) where transcription in ('waiting', 'asked')`,
  ],
};
