/** docs/lab.md as text: the number plan for people. A test fails when the file is stale. */
import { NUMBER_PLAN, type ExpectedOutcome } from './number-plan.ts';

const INTRODUCTION = `# The lab's number plan

The lab is a demo carrier on loopback. It answers real SIP and RTP, and what it does depends on the
last two digits of the dialled number alone, so any contact list can be dialled into it. The shipped
list, \`lab/contacts.csv\`, holds sixty fictional numbers (NANP 555-0100 to 555-0199).

_Today_ is the Result that SIP, the Reason header and the time-outs alone allow: a call that was
answered and that nothing classified ends as \`Undetermined/not_classified\`. _With detection_ is the
Result once early media and the answer are classified. A test holds this page equal to
\`lab/number-plan.ts\`; change the plan there and run \`npm run docs\`.
`;

export function numberPlanMarkdown(): string {
  const rows = NUMBER_PLAN.map(({ lastTwoDigits: [first, last], inWords, expected }) => {
    const digits = `${twoDigits(first)}-${twoDigits(last)}`;
    return `| ${digits} | ${inWords} | ${outcome(expected.today)} | ${outcome(expected.withDetection)} |`;
  });
  const head = ['| Last two digits | Far end | Today | With detection |', '|---|---|---|---|'];
  return `${INTRODUCTION}\n${[...head, ...rows].join('\n')}\n`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function outcome({ result, subReason }: ExpectedOutcome): string {
  return subReason === null ? `\`${result}\`` : `\`${result}/${subReason}\``;
}
