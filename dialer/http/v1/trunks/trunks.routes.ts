/** Trunks of all gateways: how they are, and giving them no calls for a while. */
import type { FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { DialerError } from '../../../../machines/errors.ts';
import type { TrunkCommand } from '../../../../machines/trunk-commands.ts';
import { appendEvents } from '../../../store/event-log.ts';
import type { Database } from '../../../store/schema/database.ts';
import {
  ALL_GATEWAYS,
  readClosures,
  writeClosure,
  writeResumed,
} from '../../../trunks/trunk-closures.ts';
import { HttpError } from '../../http-error.ts';
import { writerOf, type ApiApp, type ApiContext, type ApiGateways } from '../api-context.ts';
import { problems } from '../wire-types.ts';
import {
  OperatedTrunk,
  SuspendBody,
  TrunkList,
  TrunkParams,
  trunkViews,
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
  const shared = { tags, params: TrunkParams, response: { 200: OperatedTrunk, ...problems } };
  const suspend = { ...shared, operationId: 'suspendTrunk', body: SuspendBody };
  app.post('/v1/trunks/:name/suspend', { config, schema: suspend }, (request) => {
    const { name: trunk } = request.params;
    const { actor } = writerOf(context, request);
    const { reason } = request.body;
    const detail = `by an operator (${actor})${reason === undefined ? '' : `: ${reason}`}`;
    return operate(context, request, trunk, {
      ...{ type: 'trunk.suspended', unheardState: 'suspended' },
      commandFor: (gatewayId, atMs) => ({ type: 'trunk.suspend', gatewayId, atMs, trunk, detail }),
      write: (tx, nowMs, reported) => writeOperatorClosure(tx, { trunk, detail, nowMs, reported }),
    });
  });

  const resume = { ...shared, operationId: 'resumeTrunk' };
  app.post('/v1/trunks/:name/resume', { config, schema: resume }, (request) => {
    const { name: trunk } = request.params;
    return operate(context, request, trunk, {
      ...{ type: 'trunk.resumed', unheardState: 'unknown' },
      commandFor: (gatewayId, atMs) => ({ type: 'trunk.resume', gatewayId, atMs, trunk }),
      write: (tx, nowMs) => writeResumed(tx, trunk, nowMs),
    });
  });
}

interface Operation {
  /** Of the event in the log. */
  readonly type: string;
  /** Of the trunk, when no gateway has said anything of it. */
  readonly unheardState: 'suspended' | 'unknown';
  readonly commandFor: (gatewayId: string, atMs: number) => TrunkCommand;
  /** For gateways that are started later, or are away. */
  readonly write: (
    tx: Transaction<Database>,
    nowMs: number,
    reported: readonly Reported[],
  ) => Promise<void>;
}

/** At every gateway that has the trunk, now and when it is started; also while none of them answers. */
async function operate(
  context: ApiContext,
  request: FastifyRequest,
  name: string,
  { type, unheardState: state, commandFor, write }: Operation,
) {
  const { database, ids, nowMs, businessUnitId, actor } = writerOf(context, request);
  const { reported, unheard } = await askAll(context, (id) => commandFor(id, nowMs));
  const isKnown = async (): Promise<boolean> =>
    context.trunks.some((trunk) => trunk.name === name) ||
    (await readClosures(database.db)).some(({ trunk }) => trunk === name);
  const told = trunkViews(reported)[0];
  const view = told ?? ((await isKnown()) ? { name, state, groups: [], gateways: [] } : undefined);
  if (view === undefined) {
    const silent = unheard.map(({ gatewayId, detail }) => `${gatewayId}: ${detail}`).join('; ');
    if (silent !== '') throw new HttpError('STARTING', `no gateway answers: ${silent}`);
    throw new DialerError('NOT_FOUND', `no gateway has a trunk ${name}`);
  }
  const gateways = reported.map(({ gatewayId }) => gatewayId);
  await database.db.transaction().execute(async (tx) => {
    await write(tx, nowMs, reported);
    await appendEvents(tx, businessUnitId, nowMs, [
      { streamId: `trunk:${ids.id()}`, type, actor, payload: { trunk: name, gateways } },
    ]);
  });
  await context.dialer()?.trunksChanged(unheard.map(({ gatewayId }) => gatewayId));
  return { ...view, unheard };
}

/** It lasts as long as the gateways say, by their configuration; until it is resumed, where none answers. */
async function writeOperatorClosure(
  tx: Transaction<Database>,
  {
    trunk,
    detail,
    nowMs,
    reported,
  }: { trunk: string; detail: string; nowMs: number; reported: readonly Reported[] },
): Promise<void> {
  const closures = reported.flatMap(({ trunks }) => trunks.flatMap(({ closure }) => closure ?? []));
  const [first] = closures.filter(({ cause }) => cause === 'operator');
  const forMs = first?.untilMs == null ? null : first.untilMs - first.sinceMs;
  await writeClosure(tx, {
    ...{ trunk, gatewayId: ALL_GATEWAYS, cause: 'operator', detail, resumedAtMs: null },
    ...{ sinceMs: nowMs, untilMs: forMs === null ? null : nowMs + forMs },
  });
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
