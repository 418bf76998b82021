/** Trunks of all gateways: how they are, and giving them no calls for a while. */
import type { FastifyRequest } from 'fastify';
import { DialerError } from '../../../../machines/errors.ts';
import type { TrunkCommand } from '../../../../machines/trunk-commands.ts';
import { appendEvents } from '../../../store/event-log.ts';
import { HttpError } from '../../http-error.ts';
import { writerOf, type ApiApp, type ApiContext, type ApiGateways } from '../api-context.ts';
import { problems } from '../wire-types.ts';
import {
  SuspendBody,
  TrunkList,
  TrunkParams,
  trunkViews,
  TrunkView,
  type Reported,
} from './trunk.shapes.ts';

const tags = ['trunks'];

export function trunkRoutes(app: ApiApp, context: ApiContext): void {
  const list = { operationId: 'listTrunks', tags, response: { 200: TrunkList, ...problems } };
  app.get('/v1/trunks', { config: { access: 'read' }, schema: list }, async () => {
    const atMs = context.nowMs();
    const asked = await askAll(context, (gatewayId) => ({ type: 'trunk.query', gatewayId, atMs }));
    return { items: trunkViews(asked.reported), unheard: asked.unheard };
  });

  const config = { access: 'operate' } as const;
  const shared = { tags, params: TrunkParams, response: { 200: TrunkView, ...problems } };
  const suspend = { ...shared, operationId: 'suspendTrunk', body: SuspendBody };
  app.post('/v1/trunks/:name/suspend', { config, schema: suspend }, (request) => {
    const { name: trunk } = request.params;
    const { actor } = writerOf(context, request);
    const { reason } = request.body;
    const detail = `by an operator (${actor})${reason === undefined ? '' : `: ${reason}`}`;
    return operate(context, request, trunk, 'trunk.suspended', (gatewayId, atMs) => {
      return { type: 'trunk.suspend', gatewayId, atMs, trunk, detail };
    });
  });

  const resume = { ...shared, operationId: 'resumeTrunk' };
  app.post('/v1/trunks/:name/resume', { config, schema: resume }, (request) => {
    const { name: trunk } = request.params;
    return operate(context, request, trunk, 'trunk.resumed', (gatewayId, atMs) => {
      return { type: 'trunk.resume', gatewayId, atMs, trunk };
    });
  });
}

/** At every gateway that has the trunk. */
async function operate(
  context: ApiContext,
  request: FastifyRequest,
  name: string,
  type: string,
  commandFor: (gatewayId: string, atMs: number) => TrunkCommand,
) {
  const { database, ids, nowMs, businessUnitId, actor } = writerOf(context, request);
  const { reported, unheard } = await askAll(context, (id) => commandFor(id, nowMs));
  const [view] = trunkViews(reported);
  if (view === undefined) {
    const silent = unheard.map(({ gatewayId, detail }) => `${gatewayId}: ${detail}`).join('; ');
    if (silent !== '') throw new HttpError('STARTING', `no gateway answers: ${silent}`);
    throw new DialerError('NOT_FOUND', `no gateway has a trunk ${name}`);
  }
  const gateways = reported.map(({ gatewayId }) => gatewayId);
  await database.db
    .transaction()
    .execute((tx) =>
      appendEvents(tx, businessUnitId, nowMs, [
        { streamId: `trunk:${ids.id()}`, type, actor, payload: { trunk: name, gateways } },
      ]),
    );
  return view;
}

/** Of a service that has none: it has no trunks either. */
const NO_GATEWAYS: ApiGateways = {
  ids: () => [],
  send: ({ gatewayId }) => Promise.reject(new Error(`no gateway ${gatewayId}`)),
};

interface Asked {
  readonly reported: readonly Reported[];
  readonly unheard: readonly { readonly gatewayId: string; readonly detail: string }[];
}

async function askAll(
  context: ApiContext,
  commandFor: (gatewayId: string) => TrunkCommand,
): Promise<Asked> {
  const gateways = context.gateways ?? NO_GATEWAYS;
  const answers = await Promise.all(
    gateways.ids().map(async (gatewayId) => {
      try {
        return { gatewayId, reply: await gateways.send(commandFor(gatewayId)) };
      } catch (error) {
        return { gatewayId, detail: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  return {
    reported: answers.flatMap(({ gatewayId, reply }) =>
      reply?.accepted === true ? [{ gatewayId, trunks: reply.trunks ?? [] }] : [],
    ),
    unheard: answers.flatMap(({ gatewayId, reply, detail = '' }) => {
      if (reply === undefined) return [{ gatewayId, detail }];
      // One that has no such trunk has nothing to say of it.
      if (reply.accepted || reply.code === 'UNKNOWN_TRUNK') return [];
      return [{ gatewayId, detail: `${reply.code}: ${reply.detail}` }];
    }),
  };
}
