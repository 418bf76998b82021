/** docs/outcomes.md from the rows themselves, so that the document cannot disagree with the code. */
import { conditionOfRow } from '../../machines/outcome-conditions.ts';
import * as rows from '../../machines/outcome-rows.ts';
import type { Outcome } from '../../machines/outcome-rows.ts';

const INTRODUCTION = `# Outcomes of an attempt

Generated from \`machines/outcome-rows.ts\` by \`npm run docs\`; a test
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
    const cells = [String(number), conditionOfRow(number), results, subReasons, retries, advice];
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

function unique(values: readonly string[]): string {
  return [...new Set(values)].join(', ');
}
