/** What came of what journeys sent, and what they did with a person, as `/v1` shows it. */
import { Type } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import type { FoundOutcome } from '../../../journeys/analytics/find-outcomes.ts';
import type { TimelineEntry } from '../../../journeys/analytics/person-timeline.ts';
import { csvLine } from '../csv-reply.ts';
import {
  closed,
  exampleId,
  Id,
  orNull,
  PAGE,
  pageOf,
  shownNumber,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const text = orNull(Type.String());
const Values = Type.Record(Type.String(), Type.Unknown());
const isTest = Type.Boolean({ description: 'Of a test; in no count.' });

const OUTCOMES = ['attempted', 'notAttempted', 'blocked', 'sent', 'notSent'] as const;
const filters = {
  version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  stepId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  from: Type.Optional(Type.String({ ...Time, description: 'It came at or after this.' })),
  before: Type.Optional(Type.String({ ...Time, description: 'It came before this.' })),
  tests: Type.Boolean({ default: false, description: 'With those of tests.' }),
};
const reason = {
  reason: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_]{1,40}$', examples: ['no_consent'] })),
};
const result = {
  outcome: Type.Optional(Type.Enum([...OUTCOMES])),
  result: Type.Optional(
    Type.String({
      ...{ pattern: '^[A-Za-z0-9_]{1,40}$', examples: ['Busy'] },
      description: '`Result` of a conversation; of what was blocked or not sent the reason.',
    }),
  ),
};
export const BlockedExport = Type.Object({ ...filters, ...reason }, closed);
export const BlockedFilters = Type.Object({ ...PAGE, ...filters, ...reason }, closed);
export const DeliveriesExport = Type.Object({ ...filters, ...result }, closed);
export const DeliveriesFilters = Type.Object({ ...PAGE, ...filters, ...result }, closed);

const PERSON = {
  runId: Id,
  version: Type.Integer(),
  stepId: Type.String(),
  visit: Type.Integer({ description: 'How often the run had come to the step, from 1.' }),
  contactId: Id,
  uniqueIdentifier: text,
  number: orNull(
    Type.String({ description: 'That is called first. Masked unless the key may see numbers.' }),
  ),
  at: Time,
  isTest,
};
const personExample = {
  ...{ runId: exampleId('71'), version: 1, stepId: 'call', visit: 1 },
  ...{ contactId: exampleId('14'), uniqueIdentifier: 'C-100', number: '+1…43' },
  ...{ at: '2026-03-02T17:00:04.731Z', isTest: false },
};

export const BlockedPage = pageOf(
  Type.Object(
    { ...PERSON, reason: text },
    { examples: [{ ...personExample, reason: 'no_consent' }] },
  ),
);
export const DeliveriesPage = pageOf(
  Type.Object(
    {
      ...PERSON,
      outcome: Type.Enum([...OUTCOMES]),
      result: orNull(Type.String({ description: '`Result`, or the reason.' })),
      attempts: orNull(Type.Integer()),
      dispositionCodes: Type.Array(Type.String()),
      taskId: text,
      deliveryId: text,
    },
    {
      examples: [
        {
          ...{ ...personExample, outcome: 'attempted', result: 'Busy', attempts: 2 },
          ...{ dispositionCodes: [], taskId: exampleId('15'), deliveryId: exampleId('16') },
        },
      ],
    },
  ),
);

function personBody(found: FoundOutcome, caller: Caller) {
  const { runId, version, stepId, visit, contactId, uniqueIdentifier, number, isTest } = found;
  return {
    ...{ runId, version, stepId, visit, contactId, uniqueIdentifier },
    number: number === null || number === '' ? null : shownNumber(caller, number),
    ...{ at: timeText(found.atMs), isTest },
  };
}

export function blockedBody(found: FoundOutcome, caller: Caller) {
  return { ...personBody(found, caller), reason: found.code };
}

export function deliveryBody(found: FoundOutcome, caller: Caller) {
  const { outcome, code: result, values } = found;
  const said = (name: string): string | null => {
    const value = values[name];
    return typeof value === 'string' ? value : null;
  };
  const { Attempts: attempts, DispositionCodes: codes } = values;
  return {
    ...{ ...personBody(found, caller), outcome, result },
    attempts: typeof attempts === 'number' && Number.isSafeInteger(attempts) ? attempts : null,
    dispositionCodes: Array.isArray(codes) ? codes.map(String) : [],
    ...{ taskId: said('DeliveryTaskId'), deliveryId: said('DeliveryId') },
  };
}

const PERSON_COLUMNS = 'At,UniqueIdentifier,Number,ContactId,Version,StepId,Visit,RunId';
export const BLOCKED_HEADER = `${PERSON_COLUMNS},Reason\r\n`;
export const DELIVERIES_HEADER = `${PERSON_COLUMNS},Outcome,Result,Attempts,DispositionCodes,TaskId,DeliveryId\r\n`;

function personFields(found: FoundOutcome, caller: Caller) {
  const { at, uniqueIdentifier, number, contactId, version, stepId, visit, runId } = personBody(
    found,
    caller,
  );
  return [
    ...[at, uniqueIdentifier, { number }, contactId, String(version), stepId, String(visit), runId],
  ];
}

export function blockedLine(found: FoundOutcome, caller: Caller): string {
  return csvLine([...personFields(found, caller), found.code]);
}

export function deliveryLine(found: FoundOutcome, caller: Caller): string {
  const { outcome, result, attempts, dispositionCodes, taskId, deliveryId } = deliveryBody(
    found,
    caller,
  );
  const count = attempts === null ? null : String(attempts);
  const own = [outcome, result, count, dispositionCodes.join(';'), taskId, deliveryId];
  return csvLine([...personFields(found, caller), ...own]);
}

export const TimelineFilters = Type.Object(
  { ...PAGE, journeyId: Type.Optional(Id), runId: Type.Optional(Id) },
  closed,
);

const Verdict = Type.Object(
  {
    decide: Type.Enum(['send', 'hold', 'block']),
    reason: text,
    until: orNull(Time),
    points: Type.Array(Values, {
      description: 'By contact point: consent with the record that decided, quiet time, cap.',
    }),
    optOuts: Type.Record(Type.String(), Type.Unknown(), {
      description: 'By contact point: the entry of the opt-out list.',
    }),
  },
  { description: 'What was decided right before sending.' },
);

export const TimelinePage = pageOf(
  Type.Object(
    {
      ...{ runId: Id, journeyId: Id, journeyName: text, version: Type.Integer(), isTest, at: Time },
      kind: Type.String({
        description:
          'entry, step, choice, requested, held, outcome, interaction, activity, goal or exit.',
      }),
      stepId: text,
      visit: orNull(Type.Integer()),
      place: orNull(Type.String({ description: 'Of a choice the reference; else which.' })),
      code: orNull(Type.String({ description: 'Reason, Result or variant, in a word.' })),
      detail: Values,
      verdict: orNull(Verdict),
    },
    {
      examples: [
        {
          ...{ runId: exampleId('71'), journeyId: exampleId('61') },
          ...{ journeyName: 'Delivery tomorrow', version: 1, isTest: false },
          ...{ at: '2026-03-02T17:00:04.731Z', kind: 'outcome', stepId: 'call', visit: 1 },
          ...{ place: 'blocked', code: 'no_consent', detail: { values: { Reason: 'no_consent' } } },
          verdict: {
            ...{ decide: 'block', reason: 'no_consent', until: null, optOuts: {} },
            points: [
              {
                contactPointId: exampleId('17'),
                ...{ consent: { passes: false }, quiet: null, cap: null },
              },
            ],
          },
        },
      ],
    },
  ),
);

export function timelineBody(entry: TimelineEntry) {
  const { runId, journeyId, journeyName, version, isTest, kind, stepId, visit } = entry;
  const { place, code, detail, verdict } = entry;
  return {
    ...{ runId, journeyId, journeyName, version, isTest, at: timeText(entry.atMs), kind },
    ...{ stepId, visit, place, code, detail },
    verdict:
      verdict === null
        ? null
        : {
            ...{ decide: verdict.decide, reason: verdict.reason },
            until: timeOrNull(verdict.untilMs),
            ...{ points: verdict.verdicts, optOuts: verdict.optOuts },
          },
  };
}
