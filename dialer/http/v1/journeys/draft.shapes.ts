/** Drafts from text as `/v1` takes and shows them. */
import { Type } from 'typebox';
import { DRAFT_TEXT_MAX } from '../../../../journey-core/draft/draft-journey.ts';
import { answerOf } from '../../../journeys/drafting/draft-requests.ts';
import type { JourneyDraftRequestRow } from '../../../store/schema/journey-tables.ts';
import { closed, exampleId, Id, orNull, Time, timeText } from '../wire-types.ts';
import { Definition, exampleDefinition, Fault, faultBody } from './journey.shapes.ts';

const exampleText =
  'Call everyone in the segment "Delivery tomorrow". If nobody answers, send an SMS. Sing a song.';

export const NewDraft = Type.Object(
  {
    text: Type.Optional(
      Type.String({
        description: 'In English. This or `answers`.',
        minLength: 1,
        maxLength: DRAFT_TEXT_MAX,
        pattern: '\\S',
      }),
    ),
    answers: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 200 }), {
        description: 'Of guided mode, by the id of the question.',
        maxProperties: 50,
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        description: 'Where the text names none. An IANA name; default: UTC.',
        maxLength: 100,
        examples: ['Europe/Amsterdam'],
      }),
    ),
  },
  { ...closed, examples: [{ text: exampleText, timeZone: 'Europe/Amsterdam' }] },
);

const Place = Type.Object(
  {
    sentence: Type.Integer({ minimum: 0, description: 'From 1; 0: not told.' }),
    offset: Type.Integer({ minimum: 0, description: 'UTF-16 units from the beginning.' }),
    length: Type.Integer({ minimum: 0 }),
    line: Type.Integer({ minimum: 1 }),
    column: Type.Integer({ minimum: 1 }),
  },
  { examples: [{ sentence: 3, offset: 80, length: 11, line: 1, column: 81 }] },
);

const Summary = Type.Object({
  entry: Type.String(),
  timing: Type.Array(Type.String()),
  steps: Type.Array(
    Type.Object({
      id: Type.String(),
      type: Type.String(),
      text: Type.String(),
      next: Type.Array(Type.Object({ to: Type.String(), when: Type.String() })),
    }),
  ),
});

const Placeholder = Type.Object({
  kind: Type.String({ description: 'Such as segment, engagement, complianceProfile, attribute.' }),
  name: Type.String({ description: 'As the journey names it.' }),
  of: orNull(Type.String({ description: 'Of an attribute: whose.' })),
  channel: orNull(Type.String()),
  candidates: Type.Array(Type.String(), { description: 'What there is of that kind; up to 20.' }),
});

const example = {
  ...{ id: exampleId('81'), prompt: exampleText, madeBy: 'patterns', model: null },
  journey: exampleDefinition,
  faults: [
    {
      ...{ pointer: '/steps/0/engagement', code: 'ASSET_NOT_READY', severity: 'blocksPublishing' },
      problem: "engagement 'engagementToChoose' is only a placeholder",
      ...{ remedy: 'connect it to a real engagement', line: null, column: null },
    },
  ],
  summary: {
    ...{ entry: 'segment Delivery tomorrow, once: its members at the start' },
    timing: ['time zone Europe/Amsterdam', 'callOutcome: at most 1d'],
    steps: [
      {
        ...{ id: 'call', type: 'voice', text: 'call with engagement engagementToChoose' },
        next: [{ to: 'callOutcome', when: '' }],
      },
    ],
  },
  placeholders: [
    {
      ...{ kind: 'engagement', name: 'engagementToChoose', of: null, channel: 'voice' },
      candidates: ['Appointments'],
    },
  ],
  understood: [
    {
      text: 'Call everyone in the segment "Delivery tomorrow"',
      at: { sentence: 1, offset: 0, length: 48, line: 1, column: 1 },
      means: 'entry: segment Delivery tomorrow, call',
    },
  ],
  notUnderstood: [
    {
      text: 'Sing a song',
      at: { sentence: 3, offset: 81, length: 11, line: 1, column: 82 },
      reason: 'no sentence pattern fits',
    },
  ],
  assumptions: ["What comes of 'call' is waited for 1d at most."],
  ...{ journeyId: null, feedback: null, comment: null },
  ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
};

export const DraftShape = Type.Object(
  {
    id: Id,
    prompt: Type.String({ description: 'The text; of guided mode, what its answers stand for.' }),
    madeBy: Type.String({ description: '`patterns`, or the name of the model.' }),
    model: orNull(
      Type.Object({
        name: Type.String(),
        tries: Type.Integer({ minimum: 1 }),
        failure: orNull(
          Type.Enum(['timeout', 'unreachable', 'refused', 'status', 'unreadable', 'invalid'], {
            description: 'Why its answer is not used, and the sentence patterns are. Null: it is.',
          }),
        ),
      }),
    ),
    journey: orNull(Definition),
    faults: Type.Array(Fault, { description: 'What blocks publishing it.' }),
    summary: orNull(Summary),
    placeholders: Type.Array(Placeholder),
    understood: Type.Array(Type.Object({ text: Type.String(), at: Place, means: Type.String() })),
    notUnderstood: Type.Array(
      Type.Object({ text: Type.String(), at: Place, reason: Type.String() }),
      { description: 'What of the text is not in the draft.' },
    ),
    assumptions: Type.Array(Type.String()),
    journeyId: orNull(Id),
    feedback: orNull(Type.Enum(['up', 'down'])),
    comment: orNull(Type.String()),
    createdAt: Time,
    updatedAt: Time,
  },
  { examples: [example] },
);

export function draftBody(row: JourneyDraftRequestRow) {
  const { draft, model } = answerOf(row);
  return {
    ...{ id: row.id, prompt: row.prompt, madeBy: row.made_by, model },
    ...{ journey: draft.journey, faults: draft.faults.map((found) => faultBody(found)) },
    ...{ summary: draft.summary, placeholders: draft.placeholders },
    ...{ understood: draft.understood, notUnderstood: draft.notUnderstood },
    ...{ assumptions: draft.assumptions, journeyId: row.journey_id },
    ...{ feedback: row.feedback, comment: row.comment },
    ...{ createdAt: timeText(row.created_at_ms), updatedAt: timeText(row.updated_at_ms) },
  };
}
