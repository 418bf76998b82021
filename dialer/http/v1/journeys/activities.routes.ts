/** Activities that journeys made: calls to make and tasks to do, for people. */
import { Type } from 'typebox';
import { activityRow, completeActivity } from '../../../journeys/lifecycle/complete-activity.ts';
import type { JourneyActivityRow } from '../../../store/schema/journey-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import {
  closed,
  exampleId,
  Id,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';
import { READ, tags, url, WORK } from './journey.shapes.ts';

const activitiesUrl = `${url}/activities`;
const ActivityId = Type.String({
  description: 'Of the run, its step, and which time it came there.',
  pattern: '^[0-9a-f-]{36}:[a-z][A-Za-z0-9_-]{0,63}:[0-9]{1,9}$',
  examples: [`${exampleId('62')}:planAnotherDay:1`],
});
const Activity = Type.Object(
  {
    id: ActivityId,
    journeyId: Id,
    runId: Id,
    contactId: Id,
    kind: Type.Enum(['phoneCall', 'task']),
    subject: Type.String(),
    description: orNull(Type.String()),
    assignedTo: Type.String({ description: 'As the step has it, else the journey’s owner.' }),
    dueAt: orNull(Time),
    state: Type.Enum(['open', 'done']),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        ...{ id: `${exampleId('62')}:planAnotherDay:1`, journeyId: exampleId('61') },
        ...{ runId: exampleId('62'), contactId: exampleId('14'), kind: 'task' },
        ...{ subject: 'Plan another delivery day', description: null, assignedTo: 'planning' },
        ...{ dueAt: '2026-03-02T19:00:00.000Z', state: 'open', version: 1 },
        ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
      },
    ],
  },
);

function activityBody(row: JourneyActivityRow) {
  return {
    ...{ id: row.id, journeyId: row.journey_id, runId: row.run_id, contactId: row.contact_id },
    ...{ kind: row.kind, subject: row.subject, description: row.description },
    ...{ assignedTo: row.assigned_to, dueAt: timeOrNull(row.due_at_ms), state: row.state },
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

const List = Type.Object(
  {
    limit: PAGE.limit,
    cursor: Type.Optional(
      Type.String({
        description: '`nextCursor` of the page before.',
        pattern: '^[0-9a-zA-Z_:-]{1,120}$',
        examples: [`${exampleId('62')}:planAnotherDay:1`],
      }),
    ),
    state: Type.Optional(Type.Enum(['open', 'done'], { examples: ['open'] })),
    assignedTo: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    journeyId: Type.Optional(Id),
    contactId: Type.Optional(Id),
  },
  closed,
);
const Params = Type.Object({ activityId: ActivityId }, closed);
const Done = Type.Object(
  { comment: Type.String({ maxLength: 1_000, default: '' }) },
  { ...closed, default: {}, examples: [{ comment: 'Moved to Friday' }] },
);

export function journeyActivityRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listJourneyActivities', tags, querystring: List },
    description: 'Of all journeys, those of the newest runs first.',
    response: { 200: pageOf(Activity), ...problems },
  };
  app.get(activitiesUrl, { config: READ, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { limit, cursor, state, assignedTo, journeyId, contactId } = request.query;
    let query = db
      .selectFrom('journey_activities')
      .selectAll()
      .where('business_unit_id', '=', businessUnitId)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    if (state !== undefined) query = query.where('state', '=', state);
    if (assignedTo !== undefined) query = query.where('assigned_to', '=', assignedTo);
    if (journeyId !== undefined) query = query.where('journey_id', '=', journeyId);
    if (contactId !== undefined) query = query.where('contact_id', '=', contactId);
    return paged(await query.execute(), limit, { key: ({ id }) => id, body: activityBody });
  });

  const read = {
    ...{ operationId: 'getJourneyActivity', tags, params: Params },
    response: { 200: Activity, ...problems },
  };
  app.get(`${activitiesUrl}/:activityId`, { config: READ, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    return activityBody(await activityRow(db, businessUnitId, request.params.activityId));
  });

  const complete = {
    ...{ operationId: 'completeJourneyActivity', tags, params: Params, body: Done },
    description: 'Done. Asked again it stays done.',
    response: { 200: Activity, ...problems },
  };
  app.post(
    `${activitiesUrl}/:activityId/complete`,
    { config: WORK, schema: complete },
    async (request) => {
      const writer = writerOf(context, request);
      const { activityId } = request.params;
      const { comment } = request.body;
      const row = await db
        .transaction()
        .execute((tx) => completeActivity(tx, writer, activityId, comment));
      return activityBody(row);
    },
  );
}
