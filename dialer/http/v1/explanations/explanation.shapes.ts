/** The account of a delivery, or of a task, as `/v1` shows it; dialer/explain/account.ts has the words. */
import { Type } from 'typebox';
import { Id, orNull } from '../wire-types.ts';

const text = orNull(Type.String());
const atMs = Type.Integer({ description: 'Epoch milliseconds.' });
const Moments = Type.Array(Type.Object({ atMs, text: Type.String() }));
const Attributes = Type.Record(Type.String(), Type.String());

const Outcome = Type.Object({
  atMs,
  result: Type.String(),
  subReason: text,
  meaning: Type.String(),
  whoAnswered: text,
  category: Type.String(),
  rule: orNull(Type.Object({ row: Type.Integer(), when: Type.String() })),
  retryClass: text,
  warnings: Type.Array(Type.String()),
  advice: Type.Array(Type.String()),
  redress: text,
  diagnostics: orNull(Type.Record(Type.String(), Type.Unknown())),
});

export const Explanation = Type.Object(
  {
    deliveryId: orNull(Id),
    taskId: Id,
    attemptId: text,
    person: Type.Object({
      contactId: Id,
      uniqueIdentifier: text,
      name: text,
      timeZone: text,
    }),
    call: orNull(
      Type.Object({
        atMs,
        number: Type.String(),
        phoneType: text,
        fromNumber: text,
        trunk: text,
        gatewayId: text,
        callId: text,
        mayHaveLeft: orNull(Type.Boolean({ description: 'False: no INVITE left.' })),
        machines: text,
      }),
    ),
    engagement: Type.Object({
      id: Id,
      name: Type.String(),
      dialMode: Type.String(),
      workstream: Type.String(),
    }),
    reasons: Type.Array(Type.Object({ rule: Type.String(), fact: Type.String() })),
    notExamined: Type.Array(Type.String(), {
      description: 'What no rule of this release looks at.',
    }),
    before: Moments,
    onTheWire: Moments,
    outcome: orNull(Outcome),
    after: Moments,
    task: Type.Object({ status: Type.String(), attempts: Type.Integer() }),
    attributes: Type.Object({ input: Attributes, result: Attributes }),
    eventsRead: Type.Integer(),
  },
  {
    description: 'Why this person was called at this moment, and what came of it.',
    examples: [
      {
        deliveryId: null,
        taskId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a15',
        attemptId: null,
        person: {
          contactId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a14',
          uniqueIdentifier: 'C-100',
          name: 'Ada Roy',
          timeZone: 'America/Los_Angeles',
        },
        call: null,
        engagement: {
          id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
          name: 'Appointments of tomorrow',
          dialMode: 'copilot',
          workstream: 'Reminders',
        },
        reasons: [],
        notExamined: [],
        before: [{ atMs: 1_772_463_600_000, text: 'The task was made by a request over the API.' }],
        onTheWire: [],
        outcome: null,
        after: [],
        task: { status: 'Pending', attempts: 0 },
        attributes: { input: {}, result: {} },
        eventsRead: 1,
      },
    ],
  },
);
