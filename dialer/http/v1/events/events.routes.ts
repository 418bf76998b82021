/** `GET /v1/events`: what happens, as it happens. */
import { callerOfRequest } from '../../access.ts';
import type { ApiApp } from '../api-context.ts';
import { problems } from '../wire-types.ts';
import type { EventStreams } from './event-streams.ts';
import { EventFilters, EventHeaders, LiveEvent } from './event.shapes.ts';

export function eventRoutes(app: ApiApp, streams: EventStreams): void {
  const schema = {
    operationId: 'streamEvents',
    tags: ['events'],
    description: 'Server-sent events. After a break, Last-Event-ID goes on where it ended.',
    querystring: EventFilters,
    headers: EventHeaders,
    response: { 200: { content: { 'text/event-stream': { schema: LiveEvent } } }, ...problems },
  };
  const config = { access: 'read', produces: 'text/event-stream' } as const;
  app.get('/v1/events', { config, schema }, async (request, reply) => {
    const { engagementId, types, from } = request.query;
    const asked = {
      ...{ caller: callerOfRequest(request), engagementId, types, from },
      lastEventId: request.headers['last-event-id'],
    };
    const place = await streams.place(asked);
    streams.begin(reply);
    await streams.serve(reply.raw, asked, place);
  });
}
