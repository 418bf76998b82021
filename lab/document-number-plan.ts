/** docs/lab.md as text: the number plan for people. A test fails when the file is stale. */
import { NUMBER_PLAN, type ExpectedOutcome } from './number-plan.ts';

const INTRODUCTION = `# The lab's number plan

The lab is a demo carrier on loopback. It answers real SIP and RTP, and what it does depends on the
last two digits of the dialled number alone, so any contact list can be dialled into it. The shipped
list, \`lab/contacts.csv\`, holds sixty fictional numbers (NANP 555-0100 to 555-0199).

The lab has an AI agent beside the carrier, which \`npm run demo\` gives every answered call to: it
greets, listens until the other side has had its turn, and returns \`customerSpoke\` and
\`customerVoiceMs\` ([docs/ai-agents.md](ai-agents.md)).

The Result is the demo's: what SIP, the Reason header, the time-outs, the tones before the answer, the
detector and the AI agent allow. The agent is connected at the answer and talks while the detector
listens; a machine, a fax or an announcement is hung up on as soon as it is known to be one. A test holds this page equal to
\`lab/number-plan.ts\`; change the plan there and run \`npm run docs\`.
`;

export function numberPlanMarkdown(): string {
  const rows = NUMBER_PLAN.map(({ lastTwoDigits: [first, last], inWords, expected }) => {
    const digits = `${twoDigits(first)}-${twoDigits(last)}`;
    return `| ${digits} | ${inWords} | ${outcome(expected)} |`;
  });
  const head = ['| Last two digits | Far end | Result |', '|---|---|---|'];
  return `${INTRODUCTION}\n${[...head, ...rows].join('\n')}\n`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function outcome({ result, subReason }: ExpectedOutcome): string {
  return subReason === null ? `\`${result}\`` : `\`${result}/${subReason}\``;
}
