/** At a start: workstreams that ask for what is not configured stop it, as a missing voice does. */
import { DialerError } from '../../machines/errors.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { answerSettingsOf } from '../tasks/plan-after-answer.ts';

const NAMED_MAX = 5;

/** Rejects with CONFIG_INVALID, and what to do, when one wants a transcriber and there is none. */
export async function requireTranscriberWanted(
  { db }: OpenDatabase,
  hasTranscriber: boolean,
): Promise<void> {
  if (hasTranscriber) return;
  const rows = await db
    .selectFrom('workstreams')
    .select(['id', 'settings'])
    .where('settings', 'like', '%"transcription":true%')
    .execute();
  const wanting = rows.filter((row) => answerSettingsOf(row).transcription).map(({ id }) => id);
  if (wanting.length === 0) return;
  const more = wanting.length > NAMED_MAX ? ` and ${wanting.length - NAMED_MAX} more` : '';
  const detail =
    `gateway.transcription.engine is off, and these workstreams have settings.transcription: ` +
    `${wanting.slice(0, NAMED_MAX).join(', ')}${more}; configure a transcriber, or turn the setting off ` +
    'on each before its transcriber is taken away';
  throw new DialerError('CONFIG_INVALID', detail);
}
