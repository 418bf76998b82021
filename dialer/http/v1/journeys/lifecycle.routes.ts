/** Journeys: published, closed, stopped and copied. */
import type { FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { Name } from '../../../checked-input.ts';
import type { Writer } from '../../../engagements/create-engagement.ts';
import { copyJourney } from '../../../journeys/lifecycle/copy-journey.ts';
import { completeJourney, stopJourney } from '../../../journeys/lifecycle/end-journey.ts';
import type { Asked } from '../../../journeys/lifecycle/edit-journey.ts';
import { publishJourney } from '../../../journeys/lifecycle/publish-journey.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { JourneyRow } from '../../../store/schema/journey-tables.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { versionAsked } from '../entity-tag.ts';
import { created } from '../settings-resource.ts';
import { closed, CreatingHeaders, EditingHeaders, IdParams, problems } from '../wire-types.ts';
import { journeyBody, JourneyShape, tags, url, WRITE } from './journey.shapes.ts';
import { checkOptionsOf, shownJourney } from './journeys.routes.ts';

type Tx = Transaction<Database>;

const OrderHeaders = Type.Object({
  ...CreatingHeaders.properties,
  'if-match': Type.Optional(
    Type.String({
      ...EditingHeaders.properties['if-match'],
      description: 'The ETag of what was seen: what was changed meanwhile is left alone.',
    }),
  ),
});
const Order = Type.Object(
  {
    comment: Type.String({
      description: 'Why, for whoever reads the versions and the log later.',
      maxLength: 1_000,
      default: '',
    }),
  },
  { ...closed, default: {}, examples: [{ comment: 'Calls an hour later' }] },
);

type Carry = (tx: Tx, writer: Writer, asked: Asked, comment: string) => Promise<JourneyRow>;

export function journeyLifecycleRoutes(app: ApiApp, context: ApiContext): void {
  const order = (name: string, operationId: string, description: string, carry: Carry): void => {
    const schema = {
      ...{ operationId, tags, description, params: IdParams, headers: OrderHeaders, body: Order },
      response: { 200: JourneyShape, ...problems },
    };
    app.post(`${url}/:id/${name}`, { config: WRITE, schema }, (request, reply) => {
      const writer = writerOf(context, request);
      const asked = { id: request.params.id, version: versionIfAsked(request) };
      const work = async (tx: Tx) => {
        const row = await carry(tx, writer, asked, request.body.comment);
        return { status: 200, body: journeyBody(await shownJourney(context, tx, row)) };
      };
      return created(reply, url, once(request, { ...context, ...writer, work }));
    });
  };
  order(
    'publish',
    'publishJourney',
    'The draft becomes the next version: new people enter it from now on, or from its opening, and ' +
      'people inside finish theirs. A draft that changes nothing for people makes no version.',
    (tx, writer, asked, comment) =>
      publishJourney(tx, writer, asked, { ...checkOptionsOf(context), comment }),
  );
  order(
    'complete',
    'completeJourney',
    'Nobody enters any more; people inside finish.',
    completeJourney,
  );
  order(
    'stop',
    'stopJourney',
    'Nobody enters or goes on, and calls that have not started are withdrawn. It cannot be started ' +
      'again; a copy can.',
    stopJourney,
  );
  copyRoute(app, context);
}

function versionIfAsked(request: FastifyRequest): number | undefined {
  return request.headers['if-match'] === undefined ? undefined : versionAsked(request);
}

const Copy = Type.Object(
  {
    name: Type.Optional(Name),
    number: Type.Optional(
      Type.Integer({
        description: 'Of a version. Default: the draft if there is one, else the latest.',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
  },
  { ...closed, default: {}, examples: [{ name: 'Delivery tomorrow, in the evening' }] },
);

function copyRoute(app: ApiApp, context: ApiContext): void {
  const schema = {
    ...{ operationId: 'cloneJourney', tags, params: IdParams, headers: CreatingHeaders },
    ...{ body: Copy, description: 'A draft with the same steps.' },
    response: { 201: JourneyShape, ...problems },
  };
  app.post(`${url}/:id/clone`, { config: WRITE, schema }, (request, reply) => {
    const writer = writerOf(context, request);
    const asked = { id: request.params.id, ...request.body };
    const work = async (tx: Tx) => {
      const made = await copyJourney(tx, writer, asked, checkOptionsOf(context));
      const shown = await shownJourney(context, tx, made.row, undefined, made);
      return { status: 201, body: journeyBody(shown) };
    };
    return created(reply, url, once(request, { ...context, ...writer, work }));
  });
}
