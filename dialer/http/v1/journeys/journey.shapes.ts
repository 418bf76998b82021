/** Journeys as `/v1` takes and shows them. */
import { Type } from 'typebox';
import { ROLES } from '../../../api-keys/api-key.ts';
import type { CheckedDefinition, FoundFault } from '../../../journeys/lifecycle/check-journey.ts';
import { JOURNEY_STATES } from '../../../journeys/lifecycle/journey-row.ts';
import type {
  TextPlace,
  WrittenDefinition,
} from '../../../journeys/lifecycle/written-definition.ts';
import type { JourneyRow } from '../../../store/schema/journey-tables.ts';
import { exampleId, Id, orNull, Time, timeText } from '../wire-types.ts';

export const tags = ['journeys'];
export const url = '/v1/journeys';

/** Seeing journeys and people in them takes `read`; making and ending them `operate`. */
export const READ = { access: 'read' } as const satisfies { access: (typeof ROLES)[number] };
export const WRITE = { access: 'operate' } as const satisfies { access: (typeof ROLES)[number] };
/** What people inside need: done by whoever works with them. */
export const WORK = { access: 'deliver' } as const satisfies { access: (typeof ROLES)[number] };

export const exampleDefinition = {
  format: 'ringfence-journey/1',
  name: 'Delivery tomorrow',
  timeZone: 'Europe/Amsterdam',
  entry: { kind: 'segment', segment: 'Delivery tomorrow', frequency: 'ongoing' },
  steps: [
    {
      ...{ id: 'call', type: 'voice', engagement: 'Appointments', quietTime: 'inherit' },
      compliance: { profile: 'Deliveries', purpose: 'Transactional' },
      next: 'done',
    },
    { id: 'done', type: 'exit' },
  ],
};

export const Definition = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100 }) },
  {
    additionalProperties: true,
    description:
      'As docs/journeys/journey.schema.json has it. It is kept with its faults; only its name has ' +
      'to be there.',
    examples: [exampleDefinition],
  },
);

export const exampleFault = {
  ...{ pointer: '/steps/0/engagement', code: 'UNKNOWN_ENGAGEMENT', severity: 'error' },
  problem: "there is no engagement 'Appointment'",
  ...{ remedy: 'did you mean Appointments?', line: 9, column: 17 },
};

export const Fault = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the definition.' }),
    code: Type.String({ description: 'Stable: programs may depend on it.' }),
    severity: Type.Enum(['error', 'blocksPublishing', 'warning'], {
      description: 'Errors and what is not ready block publishing; warnings do not.',
    }),
    problem: Type.String(),
    remedy: Type.String({ description: 'What to do.' }),
    line: orNull(
      Type.Integer({ description: 'Of the text that was sent with this request; else null.' }),
    ),
    column: orNull(Type.Integer()),
  },
  { examples: [exampleFault] },
);

export function faultBody(found: FoundFault, place: TextPlace | null = null) {
  const { path: pointer, code, severity, problem, remedy } = found;
  const { line = null, column = null } = place ?? {};
  return { pointer, code, severity, problem, remedy, line, column };
}

const exampleSummary = {
  ...{ id: exampleId('61'), name: 'Delivery tomorrow', owner: 'planning', state: 'draft' },
  ...{ liveVersion: null, latestVersion: 0, hasDraft: true, draftFaults: 1 },
  ...{ copiedFrom: null, version: 1 },
  ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
};
const SUMMARY = {
  id: Id,
  name: Type.String(),
  owner: Type.String({ description: 'Whom activities without an assignee are for.' }),
  state: Type.Enum([...JOURNEY_STATES], {
    description:
      'draft: never published. scheduled: published, opens later. live: people enter. completing: ' +
      'nobody enters, some are inside. completed: the last has left. stopping, stopped: everybody ' +
      'is, or was, taken out.',
  }),
  liveVersion: orNull(Type.Integer({ description: 'The one that people enter.' })),
  latestVersion: Type.Integer({ description: 'The highest ever published; 0: none.' }),
  hasDraft: Type.Boolean({ description: 'It is being edited: the draft is of its next version.' }),
  draftFaults: Type.Integer({ description: 'When the draft was saved last, warnings included.' }),
  copiedFrom: orNull(Id),
  version: Type.Integer({ description: 'Of what is stored, not of the journey: see ETag.' }),
  createdAt: Time,
  updatedAt: Time,
};

export const JourneySummary = Type.Object(SUMMARY, { examples: [exampleSummary] });

export const JourneyShape = Type.Object(
  {
    ...SUMMARY,
    isEditable: Type.Boolean({ description: 'Its definition can be edited now.' }),
    whyNotEditable: orNull(Type.String()),
    definition: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Of the draft if there is one, else of the latest version.',
    }),
    definitionVersion: orNull(Type.Integer({ description: 'Null: it is the draft.' })),
    isPublishable: Type.Boolean({
      description: 'Of the draft: nothing blocks it. Of a version: nothing would, today.',
    }),
    faults: Type.Array(Fault, { description: 'Of that definition, as things stand now.' }),
  },
  {
    examples: [
      {
        ...{ ...exampleSummary, isEditable: true, whyNotEditable: null },
        ...{ definition: exampleDefinition, definitionVersion: null, isPublishable: false },
        faults: [exampleFault],
      },
    ],
  },
);

/** What a list needs of a row. */
export const LISTED = [
  ...(['id', 'name', 'owner', 'state', 'live_version', 'latest_version', 'draft_faults'] as const),
  ...(['copied_from', 'version', 'created_at_ms', 'updated_at_ms'] as const),
] as const satisfies readonly (keyof JourneyRow)[];

type ListedRow = Pick<JourneyRow, (typeof LISTED)[number]> & { readonly hasDraft: boolean };

export function summaryBody(row: ListedRow) {
  return {
    ...{ id: row.id, name: row.name, owner: row.owner, state: row.state },
    ...{ liveVersion: row.live_version, latestVersion: row.latest_version },
    ...{ hasDraft: row.hasDraft, draftFaults: row.draft_faults },
    ...{ copiedFrom: row.copied_from, version: row.version },
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

export interface ShownJourney {
  readonly row: JourneyRow;
  readonly whyNotEditable: string | undefined;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly definitionVersion: number | null;
  readonly check: CheckedDefinition;
}

export function journeyBody(shown: ShownJourney, written?: WrittenDefinition) {
  const { row, whyNotEditable, definition, definitionVersion, check } = shown;
  return {
    ...summaryBody({ ...row, hasDraft: row.draft !== null }),
    isEditable: whyNotEditable === undefined,
    whyNotEditable: whyNotEditable ?? null,
    ...{ definition, definitionVersion, isPublishable: check.isPublishable },
    faults: faultsBody(check, written),
  };
}

export function faultsBody({ faults }: CheckedDefinition, written?: WrittenDefinition) {
  // The place depends on the code only where a key is not known, which only the validator says.
  const placeOf = (found: FoundFault): TextPlace | null =>
    written?.placeOf({ path: found.path, code: found.code as 'UNKNOWN_KEY' }) ?? null;
  return faults.map((found) => faultBody(found, placeOf(found)));
}
