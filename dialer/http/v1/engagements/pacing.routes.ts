/** Why so many calls of an engagement were started at a time, and no more. */
import { Type } from 'typebox';
import { readPacing } from '../../../pacing-log/read-pacing.ts';
import type { PacingSpanRow } from '../../../store/schema/pacing-tables.ts';
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import {
  Id,
  IdParams,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeMs,
  timeText,
} from '../wire-types.ts';
import { findEngagement } from './engagements.routes.ts';

const count = Type.Integer({ minimum: 0 });
const counts = (description: string) => Type.Record(Type.String(), count, { description });

export const PacingSpan = Type.Object(
  {
    id: Id,
    from: Time,
    until: Time,
    binding: Type.String({
      description:
        'What kept more calls from being started, in most of its decisions: representatives, risk, ' +
        'budget, warmUp, inFlightMax, startsPerTickMax, noRepresentatives; where no pacer decides: ' +
        'cap, trunk, list, queue.',
    }),
    decisions: count,
    wanted: Type.Integer({ minimum: 0, description: 'Starts that the pacer asked for.' }),
    started: Type.Integer({ minimum: 0, description: 'Those that were made.' }),
    recalled: Type.Integer({ minimum: 0, description: 'Ringing calls that were taken back.' }),
    limits: counts('Decisions by binding limit.'),
    claims: counts('Claims by what limited them: cap, trunk, list, queue.'),
    inputs: orNull(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'What the last decision of it was made of (docs/pacing.md).',
      }),
    ),
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a21',
        from: '2026-03-02T15:04:10.000Z',
        until: '2026-03-02T15:05:10.000Z',
        binding: 'risk',
        decisions: 244,
        wanted: 31,
        started: 29,
        recalled: 1,
        limits: { risk: 230, representatives: 14 },
        claims: { cap: 20, list: 1 },
        inputs: { mode: 'predictive', idle: 1, busy: 10, ringing: 14, window: 'us' },
      },
    ],
  },
);
const PacingPage = pageOf(PacingSpan);

const Asked = Type.Object(
  {
    ...PAGE,
    from: Type.Optional(Time),
    before: Type.Optional(Time),
  },
  { additionalProperties: false },
);

export function pacingRoutes(app: ApiApp, context: ApiContext): void {
  const schema = {
    ...{ operationId: 'listPacing', tags: ['engagements'], params: IdParams, querystring: Asked },
    description:
      'Stretches of its pacing, newest first: one for as long as the same limit binds, a minute at ' +
      'most. Kept for `dialer.pacingLogDays`.',
    response: { 200: PacingPage, ...problems },
  };
  const config = { access: 'read' } as const;
  app.get('/v1/engagements/:id/pacing', { config, schema }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id: engagementId } = await findEngagement(context, request, request.params.id);
    const { limit, cursor, from, before } = request.query;
    // What has not been told yet is; where another dialer works it, it is a minute late at most.
    await context.dialer()?.pacingWritten();
    const rows = await readPacing(context.database, {
      ...{ businessUnitId, engagementId, limit: limit + 1 },
      ...(cursor === undefined ? {} : { beforeId: cursor }),
      ...(from === undefined ? {} : { fromMs: timeMs(from) }),
      ...(before === undefined ? {} : { beforeMs: timeMs(before) }),
    });
    return paged(rows, limit, { key: ({ id }) => id, body: spanBody });
  });
}

function spanBody(row: PacingSpanRow) {
  const { id, binding, decisions, wanted, started, recalled } = row;
  return {
    ...{ id, from: timeText(row.from_ms), until: timeText(row.until_ms), binding },
    ...{ decisions, wanted, started, recalled },
    limits: JSON.parse(row.limits) as object,
    claims: JSON.parse(row.claims) as object,
    inputs: row.inputs === null ? null : (JSON.parse(row.inputs) as object),
  };
}
