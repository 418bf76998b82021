/** When a row of docs/outcomes.md holds, in words: for that document, and for accounts of calls. */
import * as rows from './outcome-rows.ts';
import type { Outcome } from './outcome-rows.ts';

/** What a row is for, where no code, cause or tone says it. */
const CONDITIONS: Readonly<Record<number, string>> = {
  1: 'given up before any INVITE left',
  2: 'given up on request after the INVITE',
  3: 'withdrawn by pacing, or by a process that is stopping, after the INVITE',
  4: 'rang until the ring timer',
  5: 'answered, and connected to the AI agent or a representative; preview: answered',
  6: 'answered by a person, and nobody was connected in time',
  7: 'answered, and the customer hung up before anything engaged them',
  8: 'answered by a machine, message played',
  9: 'answered by a machine, hung up',
  10: 'answered by a fax, or with special information tones',
  11: 'answered, silence or no verdict',
  12: 'answered, and the AI agent failed to start or broke',
  18: 'or no sign of ringing until the set-up timer, confirmed by a 487',
  23: 'or 603 with the phrase `Network Blocked` or an analytics tag in a Reason',
  26: 'or a 2xx without usable SDP',
  28: 'of a 487 only when it was not ours',
  29: 'without a Contact that could be followed',
  30: 'any other 4xx',
  31: 'any other 5xx or 6xx',
  32: '408 or 503 made up by our own SIP stack, no transport, or our switch lost before ringing',
  33: 'an INVITE may have left, and there is no account of the end; or another owner took over',
  34: '',
};

/** Codes, causes and tones are read from the rows, so that they cannot be told differently. */
export function conditionOfRow(number: number): string {
  const keys = <K>(entries: Iterable<readonly [K, Outcome | undefined]>) =>
    [...entries].flatMap(([key, outcome]) => (outcome?.row === number ? [String(key)] : []));
  const causes = keys(rows.Q850_ROWS);
  const codes = keys(rows.SIP_ROWS);
  const tones = keys(Object.entries(rows.EARLY_MEDIA_ROWS));
  const refusals = keys(Object.entries(rows.REFUSAL_ROWS));
  const isRange = number === 29 ? ['SIP 3xx'] : [];
  return [
    ...(causes.length > 0 ? [`Q.850 ${causes.join(', ')}`] : []),
    ...(codes.length > 0 ? [`SIP ${codes.join(', ')}`] : isRange),
    ...(tones.length > 0 ? [`early media: ${tones.join(', ')}`] : []),
    ...[CONDITIONS[number] ?? ''].filter((text) => text !== ''),
    ...(refusals.length > 0 ? [`dial refused: ${refusals.join(', ')}`] : []),
  ].join('; ');
}
