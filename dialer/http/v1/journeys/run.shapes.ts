/** Runs of journeys as `/v1` shows them. */
import { Type } from 'typebox';
import type { JourneyRun } from '../../../../journey-core/interpreter/run.ts';
import type { JourneyRunRow } from '../../../store/schema/journey-tables.ts';
import { exampleId, Id, orNull, Time, timeOrNull, timeText } from '../wire-types.ts';

const example = {
  ...{ id: exampleId('62'), journeyId: exampleId('61'), version: 1, contactId: exampleId('14') },
  ...{ isTest: false, status: 'active', stepId: 'outcome', waitsFor: 'events' },
  ...{ wakesAt: '2026-03-03T15:00:00.000Z', enteredAt: '2026-03-02T15:00:00.000Z' },
  ...{ goalAt: null, exitedAt: null, exitReason: null, fault: null },
};
const RUN = {
  id: Id,
  journeyId: Id,
  version: Type.Integer({
    description: 'The one it began with, to its end. Below zero: a draft, in test mode.',
  }),
  contactId: Id,
  isTest: Type.Boolean({ description: 'In test mode: no report counts it.' }),
  status: Type.Enum(['active', 'exited']),
  stepId: orNull(Type.String({ description: 'Where it stands, or stood last.' })),
  waitsFor: orNull(
    Type.Enum(['time', 'events', 'facts', 'number'], {
      description: 'Null: it is about to move on, or has left.',
    }),
  ),
  wakesAt: orNull(Time),
  enteredAt: Time,
  goalAt: orNull(Time),
  exitedAt: orNull(Time),
  exitReason: orNull(
    Type.Enum(['completed', 'trigger', 'segment', 'stopped', 'error'], {
      description: 'completed: it came to an exit step.',
    }),
  ),
  fault: orNull(Type.String({ description: 'Why it cannot go on for now; it is tried again.' })),
};

export const Run = Type.Object(RUN, { examples: [example] });

export const RunInFull = Type.Object(
  {
    ...RUN,
    visits: Type.Record(Type.String(), Type.Integer(), {
      description: 'How often each step was entered.',
    }),
    sendings: Type.Array(
      Type.Object({
        stepId: Type.String(),
        visit: Type.Integer(),
        type: Type.Enum(['voice', 'sms', 'message']),
        outcome: orNull(Type.String({ description: 'Null: nothing has come back yet.' })),
      }),
      { description: 'Conversations and messages that it asked for.' },
    ),
  },
  {
    examples: [
      {
        ...{ ...example, visits: { call: 1, outcome: 1 } },
        sendings: [{ stepId: 'call', visit: 1, type: 'voice', outcome: null }],
      },
    ],
  },
);

export function runBody(row: JourneyRunRow) {
  return {
    ...{ id: row.id, journeyId: row.journey_id, version: row.version, contactId: row.contact_id },
    ...{ isTest: row.is_test === 1, status: row.status, stepId: row.step_id },
    ...{ waitsFor: row.waits_for, wakesAt: timeOrNull(row.wake_at_ms) },
    enteredAt: timeText(row.entered_at_ms),
    goalAt: timeOrNull(row.goal_at_ms),
    exitedAt: timeOrNull(row.exited_at_ms),
    ...{ exitReason: row.exit_reason, fault: row.fault },
  };
}

export function runInFull(row: JourneyRunRow) {
  const { visits, sendings } = JSON.parse(row.state) as JourneyRun;
  return {
    ...runBody(row),
    visits,
    sendings: sendings.map(({ stepId, visit, type, outcome }) => ({
      ...{ stepId, visit, type, outcome },
    })),
  };
}
