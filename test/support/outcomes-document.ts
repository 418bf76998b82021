/** docs/outcomes.md from the rows themselves, so that the document cannot disagree with the code. */
import * as rows from '../../machines/outcome-rows.ts';
import type { Outcome } from '../../machines/outcome-rows.ts';

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

const INTRODUCTION = `# Outcomes of an attempt

Generated from \`machines/outcome-rows.ts\` by \`npx tsx test/support/write-machine-docs.ts\`; a test
fails when this file is stale.

Every attempt ends with exactly one Result. The evidence is looked at in this order, and the first
hit decides: our own cancel (rows 1 to 4), the answer (5 to 12), early media (13 to 16), a 408 or 503
that our own SIP stack made up (32), 607, 608 and a 603 of call analytics (22, 23), the Q.850 causes
of the Reason headers, the SIP code.

- A 408 or 503 counts as the network's word only when the network sent it.
- Q.850 causes 16, 31 and 127 say no more than that it is over: they never override 404, 410, 484,
  486, 600, 603, 604, 607 or 608. Of several causes, one that says something beats these, and then the
  lower row wins, so that a contradiction never writes a number off for good.
- A set-up timer gives way to whatever did arrive. Every other cancel of ours stands, whatever crossed
  it: a 200 is hung up and reported as the warning \`answered_late\`.
- \`untried\` means that no INVITE left: the number is due again at once and no attempt is used up.
`;

export function outcomesDocument(): string {
  const listed = everyOutcome();
  const numbers = [...new Set(listed.map(({ row }) => row))].sort((a, b) => a - b);
  const lines = numbers.map((number) => {
    const own = listed.filter(({ row }) => row === number);
    const results = unique(own.map(({ result }) => result));
    const subReasons = unique(own.map(({ subReason }) => subReason ?? '–'));
    const retries = unique(own.map(({ retryClass }) => retryClass));
    const advice = unique(own.flatMap((outcome) => outcome.advice));
    const cells = [String(number), conditionOf(number), results, subReasons, retries, advice];
    return `| ${cells.join(' | ')} |`;
  });
  const head = '| row | when | Result | sub-reason | retry class | advice |';
  return `${INTRODUCTION}\n${[head, '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n')}\n`;
}

/** Every outcome that the module exports, alone or in a table. */
function everyOutcome(): Outcome[] {
  const found = new Set<Outcome>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Set) return;
    if (value instanceof Map) for (const entry of value.values()) visit(entry);
    else if ('row' in value && 'retryClass' in value) found.add(value as Outcome);
    else for (const entry of Object.values(value)) visit(entry);
  };
  visit({ ...rows });
  for (let code = 200; code < 700; code += 1) found.add(rows.sipRowOf(code));
  return [...found];
}

function conditionOf(number: number): string {
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

function unique(values: readonly string[]): string {
  return [...new Set(values)].join(', ');
}
