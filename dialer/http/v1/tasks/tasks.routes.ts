/** Delivery tasks: made by request, listed, read, cancelled. */
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DialerError } from '../../../../machines/errors.ts';
import { lastDelivery, stillSaidUntil } from '../../../tasks/still-said.ts';
import { acceptTask, type TaskRequest } from '../../../tasks/task-request.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import {
  actorOf,
  dialerOf,
  notFound,
  writerOf,
  type ApiApp,
  type ApiContext,
} from '../api-context.ts';
import { rulesOfWorkstream } from '../destination-rules.ts';
import { created } from '../settings-resource.ts';
import { newestFirst } from '../newest-first.ts';
import { CreatingHeaders, Id, IdParams, PAGE, paged, problems, timeMs } from '../wire-types.ts';
import {
  NewTask,
  Task,
  TASK_STATUSES,
  taskBody,
  TaskPage,
  TaskWithDeliveries,
} from './task.shapes.ts';

const tags = ['tasks'];
const List = Type.Object(
  {
    ...PAGE,
    engagementId: Type.Optional(Id),
    status: Type.Optional(Type.Enum([...TASK_STATUSES])),
    batchId: Type.Optional(Id),
    contactId: Type.Optional(Type.String({ ...Id, description: 'First contact of the chain.' })),
    requestId: Type.Optional(Type.String({ maxLength: 400 })),
  },
  { additionalProperties: false },
);
const Cancel = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 200, default: 'asked for over the API' }) },
  { additionalProperties: false, default: {}, examples: [{ reason: 'The appointment was moved' }] },
);
const Cancelled = Type.Object(
  {
    taskId: Id,
    outcome: Type.Enum(['cancelled', 'ending'], {
      description: '`ending`: its call is being ended, and the task ends as Cancelled with it.',
    }),
  },
  { examples: [{ taskId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a15', outcome: 'cancelled' }] },
);

export function taskRoutes(app: ApiApp, context: ApiContext): void {
  const config = { access: 'deliver' } as const;
  const create = {
    ...{ operationId: 'createTask', tags, headers: CreatingHeaders, body: NewTask },
    response: { 201: Task, ...problems },
  };
  app.post('/v1/tasks', { config, schema: create }, async (request, reply) => {
    const writer = writerOf(context, request);
    const input = taskRequest(request.body);
    const body = await created(
      reply,
      '/v1/tasks',
      once(request, {
        ...{ database: context.database, nowMs: writer.nowMs },
        work: async (tx) => {
          const rules = (id: string) => rulesOfWorkstream(tx, context.trunks, id);
          return { status: 201, body: taskBody(await acceptTask(tx, writer, input, rules)) };
        },
      }),
    );
    context.dialer()?.tasksWritten(body.engagementId);
    return body;
  });

  taskReadRoutes(app, context);
}

function taskReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'deliver' } as const;
  const list = {
    ...{ operationId: 'listTasks', tags, querystring: List },
    response: { 200: TaskPage, ...problems },
  };
  app.get('/v1/tasks', { config: { access: 'read' }, schema: list }, async (request) => {
    const { limit, engagementId, status, batchId, contactId, requestId } = request.query;
    let query = db
      .selectFrom('tasks')
      .selectAll()
      .$call(newestFirst(callerOfRequest(request).businessUnitId, request.query));
    if (engagementId !== undefined) query = query.where('engagement_id', '=', engagementId);
    if (status !== undefined) query = query.where('status', '=', status);
    if (batchId !== undefined) query = query.where('batch_id', '=', batchId);
    if (contactId !== undefined) query = query.where('contact_id', '=', contactId);
    if (requestId !== undefined) query = query.where('request_id', '=', requestId);
    const rows = await query.execute();
    return paged(rows, limit, { key: ({ id }) => id, body: taskBody });
  });

  const read = {
    ...{ operationId: 'getTask', tags, params: IdParams },
    response: { 200: TaskWithDeliveries, ...problems },
  };
  app.get('/v1/tasks/:id', { config: { access: 'read' }, schema: read }, async (request) => {
    const { id } = request.params;
    const { businessUnitId } = callerOfRequest(request);
    const row = await db
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', id)
      .where('business_unit_id', '=', businessUnitId)
      .executeTakeFirst();
    if (row === undefined) throw notFound('task', id);
    const deliveries = await db
      .selectFrom('deliveries')
      .select(['id', 'status', 'result'])
      .where('business_unit_id', '=', businessUnitId)
      .where('task_id', '=', id)
      .orderBy('seq_no')
      .execute();
    const last = row.state === 'final' ? await lastDelivery(db, id) : undefined;
    const isSaid = last === undefined || (await stillSaidUntil(db, last, context.nowMs())) === null;
    return { ...taskBody(row), isSettled: row.state === 'final' && isSaid, deliveries };
  });

  const cancel = {
    ...{ operationId: 'cancelTask', tags, params: IdParams, body: Cancel },
    description: 'All its later loops and the rest of its chain end with it; a live call is ended.',
    response: { 200: Cancelled, 202: Cancelled, ...problems },
  };
  app.post('/v1/tasks/:id/cancel', { config, schema: cancel }, async (request, reply) => {
    const { id: taskId } = request.params;
    const { businessUnitId } = callerOfRequest(request);
    const { reason } = request.body;
    const asked = { businessUnitId, taskId, reason, actor: actorOf(request) };
    const outcome = await dialerOf(context).cancelTask(asked);
    if (outcome === 'unknown') throw notFound('task', taskId);
    if (outcome === 'alreadyFinal') {
      throw new DialerError('TASK_FINAL', `task ${taskId} has ended already`);
    }
    return reply.code(outcome === 'ending' ? 202 : 200).send({ taskId, outcome });
  });
}

function taskRequest({ contacts, windows, journey, ...rest }: Static<typeof NewTask>): TaskRequest {
  const spans = (given: readonly { start: string; end: string }[]) =>
    given.map(({ start, end }) => ({ startMs: timeMs(start), endMs: timeMs(end) }));
  return {
    ...rest,
    ...(journey === undefined
      ? {}
      : { journey: { journeyId: journey.journeyId, runId: journey.journeyRunId } }),
    contacts: contacts.map(({ windows: own, ...contact }) => {
      return own === undefined ? contact : { ...contact, windows: spans(own) };
    }),
    ...(windows === undefined ? {} : { windows: spans(windows) }),
  };
}
