/** An account as text, for people who sign it. */
import type { Account, Moment, OutcomeAccount } from './account.ts';
import { ADVICE_MEANING, timeInWords, WARNING_MEANING } from './words.ts';

/** Lines of at most about 100 characters are not broken here: a terminal does that better. */
export function renderAccount(account: Account): string {
  const { call, person, engagement, reasons, before, onTheWire, outcome, after } = account;
  return [
    title(account),
    '',
    ...section('Who', [
      `${person.name ?? 'A contact without a name'}, contact ${person.uniqueIdentifier ?? person.contactId}.`,
      person.timeZone === null
        ? 'No time zone is known of them.'
        : `Their time zone: ${person.timeZone}.`,
    ]),
    ...section('Call', callLines(account)),
    ...section('On whose behalf', [
      `Engagement “${engagement.name}” (${engagement.dialMode}) of workstream “${engagement.workstream}”.`,
    ]),
    ...section('What led to it', moments(before, null)),
    ...section(
      'Why it was allowed at that moment',
      reasons.map(({ rule, fact }) => `${rule}. ${fact}`),
    ),
    ...section('What was not examined', notExamined(account)),
    ...section('What happened, in seconds from the start', moments(onTheWire, call?.atMs ?? null)),
    ...section('Result', outcomeLines(outcome, account)),
    ...section('Passed in with the request', pairs(account.attributes.input)),
    ...section('Returned by the AI agent', pairs(account.attributes.result)),
    ...section('What came next', moments(after, null)),
    ...section('On what this rests', [
      `Delivery ${account.deliveryId ?? 'none'}, task ${account.taskId} (${account.task.status}, ${counted(account.task.attempts, 'call')}), attempt ${account.attemptId ?? 'none'}.`,
      `${counted(account.eventsRead, 'log entry', 'log entries')}: the task’s, written in the transactions that they tell of, and the call’s, as the gateway told them; suspensions stand in the engagement’s log.`,
    ]),
  ]
    .join('\n')
    .trimEnd();
}

function title({ call, outcome, task }: Account): string {
  if (call === null) return `No call was made. The task is ${task.status}.`;
  const when = timeInWords(call.atMs);
  if (call.mayHaveLeft === false && outcome !== null) {
    return `No call was made to ${call.number}. One was to start at ${when}, and no INVITE left: ${outcome.result}, ${outcome.meaning}.`;
  }
  if (outcome === null) return `A call to ${call.number} was started at ${when} and goes on.`;
  return `A call to ${call.number} was started at ${when}: ${outcome.result}, ${outcome.meaning}.`;
}

function callLines({ call, person }: Account): string[] {
  if (call === null) return [];
  const machines =
    call.machines === null ? '' : `, worked by ${call.machines.replaceAll(',', ' and ')}`;
  return [
    `Their ${call.phoneType ?? ''} number ${call.number}, at ${timeInWords(call.atMs, person.timeZone)}.`,
    `Number ${call.mayHaveLeft === false ? 'it was to show' : 'shown to'} them: ${call.fromNumber ?? 'none'}.`,
    `Over trunk “${call.trunk ?? 'unknown'}” of gateway “${call.gatewayId ?? 'unknown'}”${machines}.`,
    ...(call.callId === null ? [] : [`SIP Call-ID ${call.callId}.`]),
  ];
}

function outcomeLines(outcome: OutcomeAccount | null, { call }: Account): string[] {
  if (outcome === null) return call === null ? [] : ['None yet.'];
  const { result, subReason, meaning, category, rule, whoAnswered } = outcome;
  const { warnings, advice, redress } = outcome;
  const code = subReason === null ? result : `${result} / ${subReason}`;
  return [
    `${code}: ${meaning}. Counted as “${category}”.`,
    ...(whoAnswered === null ? [] : [whoAnswered]),
    ...(rule === null ? [] : [`By row ${rule.row} of docs/outcomes.md: ${rule.when}.`]),
    ...diagnosticsLine(outcome),
    ...warnings.map((warning) => `Note: ${inWords(WARNING_MEANING, warning)}.`),
    ...advice.map((item) => `To be done by people: ${inWords(ADVICE_MEANING, item)}.`),
    ...(redress === null ? [] : [`Whom to ask about the block: ${redress}.`]),
  ];
}

/** A code of a later release has no words here. */
function inWords(meanings: Readonly<Record<string, string>>, code: string): string {
  return meanings[code] ?? code;
}

const ENDED_BY: Readonly<Record<string, string>> = {
  far: 'the called side',
  dialer: 'us',
  gateway: 'a limit of our gateway',
  switch: 'the loss of our switch',
  trunk: 'a silent trunk',
};

/** What SIP and Q.850 said, from the columns that outlive the log. */
function diagnosticsLine({ diagnostics }: OutcomeAccount): string[] {
  if (diagnostics === null) return [];
  const { sipCode, sipReason, origin, q850, q850Text, endedBy, invites } = diagnostics;
  const code = [...said(sipCode), ...said(sipReason)].join(' ');
  const [cause] = said(q850);
  const [causeText] = said(q850Text);
  const parts = [
    origin === 'network' && code !== '' ? `SIP ${code}` : 'no final SIP response',
    ...(cause === undefined
      ? []
      : [`Q.850 cause ${cause}${causeText === undefined ? '' : ` (${causeText})`}`]),
    ...(typeof endedBy === 'string' ? [`ended by ${ENDED_BY[endedBy] ?? endedBy}`] : []),
    ...(typeof invites === 'number' ? [counted(invites, 'INVITE')] : []),
  ];
  return [`On record: ${parts.join(', ')}.`];
}

function said(value: unknown): string[] {
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

function notExamined({ notExamined: list }: Account): string[] {
  if (list.length === 0) return [];
  return [`No rule of this release looks at: ${list.join('; ')}.`];
}

/** With `fromMs` each line says how long after it something happened. */
function moments(list: readonly Moment[], fromMs: number | null): string[] {
  return list.map(({ atMs, text }) => {
    const sinceMs = Math.max(0, atMs - (fromMs ?? atMs));
    const when = fromMs === null ? timeInWords(atMs) : `+${(sinceMs / 1_000).toFixed(3)} s`;
    return `${when}  ${text}`;
  });
}

function pairs(attributes: Readonly<Record<string, string>>): string[] {
  return Object.entries(attributes).map(([name, value]) => `${name} = ${value}`);
}

function section(heading: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [heading, ...lines.map((line) => `  ${line}`), ''];
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
