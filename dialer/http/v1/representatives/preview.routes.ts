/** Preview: the contact before a representative, and when its call begins (spec B.2). */
import { readOfferedContact, type OfferedContact } from '../../../preview/offered-contact.ts';
import type { PreviewOffers } from '../../../preview/preview-offers.ts';
import type { PreviewOffer } from '../../../preview/preview-offer.ts';
import type { FastifyRequest } from 'fastify';
import { callerOfRequest } from '../../access.ts';
import { dialerOf, notFound, type ApiApp, type ApiContext } from '../api-context.ts';
import { IdParams, problems } from '../wire-types.ts';
import { CancelBody, Preview, previewBody, StartBody } from './preview.shapes.ts';
import { findRepresentative } from './representatives.routes.ts';

const tags = ['representatives'];
const response = { 200: Preview, ...problems };

interface Shown {
  readonly offers: PreviewOffers;
  readonly offer: PreviewOffer;
  readonly contact: OfferedContact;
}

export function previewRoutes(app: ApiApp, context: ApiContext): void {
  const path = '/v1/representatives/:id/preview';
  const read = {
    ...{ operationId: 'getPreview', tags, params: IdParams, response },
    description:
      'The contact that a representative is shown or has accepted, until the end of its call. 404 ' +
      'when there is none.',
  };
  app.get(path, { config: { access: 'read' }, schema: read }, async (request) => {
    const { offer, contact } = await shownTo(context, request, request.params.id);
    return previewBody(offer, contact, callerOfRequest(request));
  });

  const start = {
    ...{ operationId: 'startPreview', tags, params: IdParams, body: StartBody, response },
    description: 'Begins the call now: where it is manual, or before the countdown has ended.',
  };
  app.post(`${path}/start`, { config: { access: 'operate' }, schema: start }, async (request) => {
    const { id } = request.params;
    const { offers, offer, contact } = await shownTo(context, request, id);
    offers.start(id, request.body.phoneType ?? null, contact.numbers);
    return previewBody(offer, contact, callerOfRequest(request));
  });

  const cancel = {
    ...{ operationId: 'cancelPreview', tags, params: IdParams, body: CancelBody, response },
    description:
      'Calls it off before somebody answers: nothing is dialled, or what rings is ended. A task that ' +
      'is not kept ends as Cancelled.',
  };
  app.post(`${path}/cancel`, { config: { access: 'operate' }, schema: cancel }, async (request) => {
    const { id } = request.params;
    const { offers, offer, contact } = await shownTo(context, request, id);
    await offers.cancel(id, request.body.keepTask);
    return previewBody(offer, contact, callerOfRequest(request));
  });
}

async function shownTo(context: ApiContext, request: FastifyRequest, id: string): Promise<Shown> {
  const { businessUnitId } = callerOfRequest(request);
  await findRepresentative(context, businessUnitId, id);
  const offers = dialerOf(context).previewOf(id);
  const offer = offers?.offerOf(id);
  const contact = offer && (await readContact(context, businessUnitId, offer));
  if (offers === undefined || offer === undefined || contact === undefined) {
    throw notFound('preview for representative', id);
  }
  return { offers, offer, contact };
}

function readContact({ database }: ApiContext, businessUnitId: string, offer: PreviewOffer) {
  // Once it is dialled the walk stands on what was chosen.
  const next = offer.attemptId === null ? offer.target : null;
  return readOfferedContact(database.db, businessUnitId, offer.taskId, next);
}
