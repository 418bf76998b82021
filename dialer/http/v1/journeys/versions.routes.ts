/** Versions of journeys, their pictures, and trying them without anything being sent. */
import { Type } from 'typebox';
import { journeyDiagram } from '../../../../journey-core/definition/journey-diagram.ts';
import {
  SimulatedPerson,
  SimulationPlan,
} from '../../../../journey-core/simulation/simulation-inputs.schema.ts';
import { simulateJourney } from '../../../../journey-core/simulation/simulate-journey.ts';
import { simulatedPath } from '../../../../journey-core/simulation/simulated-path.ts';
import { DialerError } from '../../../../machines/errors.ts';
import { maskNumber } from '../../../../machines/masked-number.ts';
import { checkShape } from '../../../checked-shape.ts';
import {
  publishedVersions,
  type PublishedVersion,
} from '../../../journeys/lifecycle/journey-history.ts';
import { journeyRow } from '../../../journeys/lifecycle/journey-row.ts';
import { simulatedContact } from '../../../journeys/lifecycle/simulated-contact.ts';
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import {
  closed,
  exampleId,
  Id,
  IdParams,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';
import { READ, tags, url } from './journey.shapes.ts';
import { shownJourney } from './journeys.routes.ts';

export function journeyVersionRoutes(app: ApiApp, context: ApiContext): void {
  versionRoutes(app, context);
  diagramRoute(app, context);
  simulationRoute(app, context);
}

const Change = Type.Object({
  pointer: Type.String({
    description: 'JSON pointer into this definition; of what was removed, into the one before.',
  }),
  change: Type.Enum(['added', 'removed', 'changed']),
  stepId: orNull(Type.String({ description: 'Of a step, or of something in one.' })),
});
const Version = Type.Object(
  {
    number: Type.Integer(),
    state: Type.Enum(['live', 'finishing', 'done', 'stopped'], {
      description:
        'live: people enter it. finishing: nobody does, some are inside. done: the last has left. ' +
        'stopped: everybody was taken out.',
    }),
    opensAt: orNull(Time),
    closesAt: orNull(Time),
    nextEntryAt: orNull(
      Type.String({ ...Time, description: 'When people of its segment are let in next.' }),
    ),
    fault: orNull(Type.String({ description: 'Why nobody could be let in the last time.' })),
    publishedAt: Time,
    publishedBy: Type.String(),
    comment: Type.String(),
    endedAt: orNull(Time),
    changes: Type.Array(Change, {
      description: 'Against the version before. Steps are told apart by their ids.',
    }),
  },
  {
    examples: [
      {
        ...{ number: 2, state: 'live', opensAt: null, closesAt: null, nextEntryAt: null },
        ...{ fault: null, publishedAt: '2026-03-02T15:00:00.000Z' },
        ...{ publishedBy: 'key:rf_9vQ2mX0a', comment: 'Waits longer', endedAt: null },
        changes: [{ pointer: '/steps/1/timeout', change: 'changed', stepId: 'outcome' }],
      },
    ],
  },
);

function versionBody({ row, comment, changes }: PublishedVersion) {
  return {
    ...{ number: row.number, state: row.state, fault: row.fault, comment, changes },
    opensAt: timeOrNull(row.opens_at_ms),
    closesAt: timeOrNull(row.closes_at_ms),
    nextEntryAt: timeOrNull(row.entry_due_at_ms),
    publishedAt: timeText(row.published_at_ms),
    publishedBy: row.published_by,
    endedAt: timeOrNull(row.ended_at_ms),
  };
}

const List = Type.Object(
  {
    ...PAGE,
    cursor: Type.Optional(
      Type.String({
        ...{ pattern: '^[0-9]{1,9}$', examples: ['2'] },
        description: '`nextCursor` of the page before.',
      }),
    ),
  },
  closed,
);

function versionRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listJourneyVersions', tags, params: IdParams, querystring: List },
    description: 'Newest first, each with what it changed.',
    response: { 200: pageOf(Version), ...problems },
  };
  app.get(`${url}/:id/versions`, { config: READ, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const row = await journeyRow(db, businessUnitId, request.params.id);
    const { limit, cursor } = request.query;
    const before = cursor === undefined ? undefined : Number(cursor);
    const versions = await publishedVersions(db, row, { limit, before });
    const key = (version: PublishedVersion): string => String(version.row.number);
    return paged(versions, limit, { key, body: versionBody });
  });
}

const number = Type.Optional(
  Type.Integer({
    ...{ minimum: 1, maximum: 1_000_000, examples: [1] },
    description: 'Of a version. Default: the draft if there is one, else the latest.',
  }),
);

/** As it is checked here. Throws JOURNEY_NOT_READY with its errors. */
async function validJourney(
  context: ApiContext,
  businessUnitId: string,
  id: string,
  version?: number,
) {
  const { db } = context.database;
  const row = await journeyRow(db, businessUnitId, id);
  const { check } = await shownJourney(context, db, row, version);
  if (check.journey !== null) return { row, journey: check.journey };
  const faults = check.faults.flatMap(({ severity, path, problem, remedy }) =>
    severity === 'error' ? [{ pointer: path, detail: `${problem}; ${remedy}` }] : [],
  );
  const detail = faults.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ');
  throw new DialerError('JOURNEY_NOT_READY', detail, { faults });
}

function diagramRoute(app: ApiApp, context: ApiContext): void {
  const schema = {
    ...{ operationId: 'getJourneyDiagram', tags, params: IdParams },
    querystring: Type.Object({ number }, closed),
    description: 'A Mermaid flowchart. What is not ready may be drawn, what has errors may not.',
    response: {
      200: {
        content: {
          'text/plain': {
            schema: Type.String({
              examples: ['flowchart TD\n  entry(["on orderShipped"]) --> s1\n'],
            }),
          },
        },
      },
      ...problems,
    },
  };
  const config = { ...READ, produces: 'text/plain' } as const;
  app.get(`${url}/:id/diagram`, { config, schema }, async (request, reply) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id } = request.params;
    const { journey } = await validJourney(context, businessUnitId, id, request.query.number);
    return reply.type('text/plain; charset=utf-8').send(journeyDiagram(journey));
  });
}

const simulationExample = {
  contactId: exampleId('14'),
  plan: { outcomes: [{ step: 'call', after: '4m', result: 'LiveAnswer' }] },
};
const Simulation = Type.Object(
  {
    contactId: Type.Optional(
      Type.String({ ...Id, description: 'A contact, as it stands now. Either this or `contact`.' }),
    ),
    contact: Type.Unknown({
      description: 'Somebody made up: attributes, contactPoints, segments, consents, sent.',
      default: null,
    }),
    plan: Type.Unknown({
      description:
        'What comes of what is sent, and what else happens: startAt, entry, outcomes, events, ' +
        'numbers, variants. See docs/journeys/README.md.',
      default: {},
    }),
    number,
  },
  { ...closed, examples: [simulationExample] },
);
const Path = Type.Object(
  {
    journey: Type.String(),
    startedAt: Type.String({ description: 'In the journey’s time zone, as all times here.' }),
    refusal: orNull(Type.String({ description: 'Why the person did not enter.' })),
    path: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      description:
        'Each step with what consent, quiet time and cap said, what came of it, what branches ' +
        'found, and where it went.',
    }),
    exit: orNull(Type.Record(Type.String(), Type.Unknown())),
    goalAt: orNull(Type.String()),
    took: orNull(Type.String({ description: 'From entry to exit.' })),
    unanswered: Type.Array(Type.String(), {
      description: 'Steps that sent something for which the plan has no outcome.',
    }),
  },
  {
    examples: [
      {
        ...{ journey: 'Delivery tomorrow', startedAt: '2026-03-02T16:00:00+01:00', refusal: null },
        path: [{ step: 'done', type: 'exit', visit: 1, at: '2026-03-02T16:00:00+01:00' }],
        exit: { at: '2026-03-02T16:00:00+01:00', reason: 'completed', detail: null, step: 'done' },
        ...{ goalAt: null, took: '0s', unanswered: [] },
      },
    ],
  },
);

function simulationRoute(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const schema = {
    ...{ operationId: 'simulateJourney', tags, params: IdParams, body: Simulation },
    description: 'Tried on one person in virtual time: nothing is sent, nothing is kept.',
    response: { 200: Path, ...problems },
  };
  app.post(`${url}/:id/simulate`, { config: READ, schema }, async (request) => {
    const { businessUnitId, showsNumbers } = callerOfRequest(request);
    const { contactId, contact, plan, number: version } = request.body;
    checkShape(SimulationPlan, plan, '/plan');
    if (contact !== null) checkShape(SimulatedPerson, contact, '/contact');
    if ((contactId === undefined) === (contact === null)) {
      const detail = 'say who: either contactId or contact';
      const faults = [{ pointer: '/contactId', detail }];
      throw new DialerError('REQUEST_INVALID', detail, { faults });
    }
    const nowMs = context.nowMs();
    const { id: journeyId } = request.params;
    const { journey } = await validJourney(context, businessUnitId, journeyId, version);
    const asked = { contactId: contactId ?? '', journeyId, nowMs };
    const { person, numbers } =
      contactId === undefined
        ? { person: contact as SimulatedPerson, numbers: [] }
        : await simulatedContact(db, businessUnitId, asked, journey);
    const path = simulatedPath(
      journey,
      simulateJourney(journey, person, plan as SimulationPlan, nowMs),
    );
    if (showsNumbers || numbers.length === 0) return path;
    let text = JSON.stringify(path);
    // A branch may have looked at one.
    for (const number of numbers) text = text.replaceAll(number, maskNumber(number));
    return JSON.parse(text) as typeof path;
  });
}
