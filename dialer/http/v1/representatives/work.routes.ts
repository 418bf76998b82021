/** What a representative's desktop does: signs on and off, answers invitations, ends its wrap-up. */
import { DialerError } from '../../../../machines/errors.ts';
import { readCurrentCall } from '../../../representatives/current-call.ts';
import { recordDispositions } from '../../../representatives/record-dispositions.ts';
import { setPresenceIn } from '../../../representatives/write-representative.ts';
import { callerOfRequest } from '../../access.ts';
import {
  dialerOf,
  notFound,
  writerOf,
  type ApiApp,
  type ApiContext,
  type ApiDialer,
} from '../api-context.ts';
import { EventHeaders, LiveEvent } from '../events/event.shapes.ts';
import type { EventStreams } from '../events/event-streams.ts';
import { IdParams, problems } from '../wire-types.ts';
import { callBody, RepresentativeCall } from './call.shapes.ts';
import { findRepresentative } from './representatives.routes.ts';
import {
  InvitationParams,
  PresenceBody,
  Representative,
  representativeBody,
  WrapUpBody,
} from './representative.shapes.ts';

const tags = ['representatives'];
const response = { 200: Representative, ...problems };

export function representativeWorkRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const presence = {
    ...{ operationId: 'setPresence', tags, params: IdParams, body: PresenceBody, response },
    description: '`offline` signs off: what is at hand is finished, and nothing new comes.',
  };
  app.put(
    '/v1/representatives/:id/presence',
    { config: { access: 'operate' }, schema: presence },
    async (request) => {
      const { id } = request.params;
      const writer = writerOf(context, request);
      const row = await db
        .transaction()
        .execute((tx) => setPresenceIn(tx, writer, id, request.body.presence));
      if (row === undefined) throw notFound('representative', id);
      await context.dialer()?.desk.changed(id);
      return representativeBody(db, row);
    },
  );

  for (const answer of ['accept', 'reject'] as const) {
    const schema = {
      ...{ operationId: `${answer}Invitation`, tags, params: InvitationParams, response },
    };
    app.post(
      `/v1/representatives/:id/invitations/:invitationId/${answer}`,
      { config: { access: 'operate' }, schema },
      async (request) => {
        const { id, invitationId } = request.params;
        const { businessUnitId } = callerOfRequest(request);
        const row = await findRepresentative(context, businessUnitId, id);
        const { desk } = dialerOf(context);
        desk[answer](id, invitationId);
        await desk.get(id)?.settled();
        return representativeBody(db, row);
      },
    );
  }

  callRoutes(app, context);
}

function callRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const read = {
    ...{ operationId: 'getCall', tags, params: IdParams },
    response: { 200: RepresentativeCall, ...problems },
    description:
      'The customer they are connected to, and until the end of the wrap-up were: what a screen shows ' +
      'when `representative.connected` comes. 404 when there is none.',
  };
  app.get(
    '/v1/representatives/:id/call',
    { config: { access: 'read' }, schema: read },
    async (request) => {
      const { id } = request.params;
      const caller = callerOfRequest(request);
      await findRepresentative(context, caller.businessUnitId, id);
      const { work, attemptId } = dialerOf(context).desk.get(id) ?? {};
      const isCall = work === 'connected' || work === 'wrapUp';
      const call =
        isCall && typeof attemptId === 'string'
          ? await readCurrentCall(db, caller.businessUnitId, attemptId)
          : undefined;
      if (!isCall || call === undefined) throw notFound('call of representative', id);
      return callBody(call, work, caller);
    },
  );

  const call = {
    ...{ operationId: 'endCall', tags, params: IdParams, response },
    description: 'Ends the call that they are on, for both: the wrap-up begins.',
  };
  app.post(
    '/v1/representatives/:id/call/end',
    { config: { access: 'operate' }, schema: call },
    async (request) => {
      const { id } = request.params;
      const { businessUnitId } = callerOfRequest(request);
      const row = await findRepresentative(context, businessUnitId, id);
      if (!dialerOf(context).endCall(id)) {
        throw new DialerError('NOT_CHANGEABLE', `representative ${id} is on no call`);
      }
      return representativeBody(db, row);
    },
  );

  const wrapUp = {
    ...{ operationId: 'endWrapUp', tags, params: IdParams, body: WrapUpBody, response },
    description: 'Ends the wrap-up of the last call, and says what came of it.',
  };
  app.post(
    '/v1/representatives/:id/wrap-up/end',
    { config: { access: 'operate' }, schema: wrapUp },
    async (request) => {
      const { id } = request.params;
      const writer = writerOf(context, request);
      const row = await findRepresentative(context, writer.businessUnitId, id);
      const { desk } = dialerOf(context);
      const attemptId = attemptInWrapUp(desk, id);
      const { dispositionCodes } = request.body;
      if (dispositionCodes.length > 0) {
        await db
          .transaction()
          .execute((tx) => recordDispositions(tx, writer, attemptId, dispositionCodes));
      }
      desk.wrapUpDone(id);
      await desk.get(id)?.settled();
      return representativeBody(db, row);
    },
  );
}

function attemptInWrapUp(desk: ApiDialer['desk'], id: string): string {
  const person = desk.get(id);
  if (person?.work === 'wrapUp' && person.attemptId !== null) return person.attemptId;
  throw new DialerError('NOT_CHANGEABLE', `there is no wrap-up to end: ${person?.work ?? 'free'}`);
}

/** On which a desktop can live: everything that happens to one representative, as it happens. */
export function representativeEventRoutes(
  app: ApiApp,
  context: ApiContext,
  streams: EventStreams,
): void {
  const schema = {
    ...{ operationId: 'streamRepresentative', tags, params: IdParams, headers: EventHeaders },
    description:
      'Server-sent events of one representative: invitations with the engagement’s name and ' +
      'description, the lobby, calls, wrap-up. After a break, Last-Event-ID goes on where it ended.',
    response: { 200: { content: { 'text/event-stream': { schema: LiveEvent } } }, ...problems },
  };
  const config = { access: 'read', produces: 'text/event-stream' } as const;
  app.get('/v1/representatives/:id/events', { config, schema }, async (request, reply) => {
    const { id } = request.params;
    const caller = callerOfRequest(request);
    await findRepresentative(context, caller.businessUnitId, id);
    const asked = {
      ...{ caller, engagementId: undefined, types: undefined, from: 'now' as const },
      lastEventId: request.headers['last-event-id'],
      streamId: `representative:${id}`,
    };
    const place = await streams.place(asked);
    streams.begin(reply);
    await streams.serve(reply.raw, asked, place);
  });
}
