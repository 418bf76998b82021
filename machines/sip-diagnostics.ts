/** The diagnostics column of a delivery: what SIP, Q.850 and early media said, as short JSON. */
import type { AttemptEvidence } from './attempt-evidence.ts';
import type { AttemptOutcome } from './attempt-result.ts';
import { decidingCauseOf } from './deciding-cause.ts';

export const SIP_DIAGNOSTICS_CHARS_MAX = 1_000;

type Field = string | number | boolean | null | readonly (string | number)[];

/**
 * JSON of at most `charsMax` UTF-16 units, valid whatever the far end wrote. `q850` is the cause
 * that decided, else the first received; `q850All` lists them when there are several. When it
 * would be too long the longest texts are cut, the raw Reason values first, and `truncated` says
 * so; codes and causes are always whole.
 */
export function sipDiagnostics(
  evidence: AttemptEvidence,
  outcome: AttemptOutcome,
  charsMax = SIP_DIAGNOSTICS_CHARS_MAX,
): string {
  const fields = fieldsOf(evidence, outcome);
  const whole = JSON.stringify(fields);
  if (whole.length <= charsMax) return whole;
  const cut: Record<string, Field> = { ...fields, truncated: true };
  delete cut['reasonHeaders'];
  for (let json = JSON.stringify(cut); ; json = JSON.stringify(cut)) {
    if (json.length <= charsMax) return json;
    if (!halveLongestText(cut)) return JSON.stringify({ truncated: true });
  }
}

function fieldsOf(
  { ended, earlyMedia, refused }: AttemptEvidence,
  { row, warnings, redress }: AttemptOutcome,
): Record<string, Field> {
  const decided = ended === null ? undefined : decidingCauseOf(ended);
  const cause = decided ?? ended?.q850[0];
  const causes = (ended?.q850 ?? []).slice(0, 8).map((value) => value.cause);
  return {
    sipCode: ended?.sip.statusCode ?? null,
    sipReason: ended?.sip.reasonPhrase ?? null,
    origin: ended?.sip.origin ?? 'none',
    q850: cause?.cause ?? null,
    q850Text: cause?.text ?? null,
    earlyMedia: earlyMedia?.verdict ?? null,
    endedBy: ended?.endedBy ?? null,
    invites: ended?.invites ?? null,
    row,
    ...(causes.length > 1 ? { q850All: causes } : {}),
    ...(ended?.cancelReason == null ? {} : { cancelReason: ended.cancelReason }),
    ...(refused === null ? {} : { refused: refused.code, refusedDetail: refused.detail }),
    ...(redress === null ? {} : { redress }),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(ended === null || ended.reasonHeaders.length === 0
      ? {}
      : { reasonHeaders: ended.reasonHeaders }),
  };
}

/** False when no text is left to cut. */
function halveLongestText(fields: Record<string, Field>): boolean {
  const texts = Object.entries(fields).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
  if (texts.length === 0) return false;
  const [name, text] = texts.reduce((a, b) => (b[1].length > a[1].length ? b : a));
  // toWellFormed is not in Node 20's lib; a half pair at the cut is dropped instead.
  fields[name] = text.slice(0, Math.floor(text.length / 2)).replace(/[\uD800-\uDBFF]$/, '');
  return true;
}
