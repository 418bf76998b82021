/** What the sender of a message tells: whether it was sent, and what the person did with it. */
import { Type } from 'typebox';
import { MESSAGE_INTERACTIONS } from '../../../../journey-core/definition/step.schemas.ts';
import { takeInteraction, takeMessageResult } from '../../../journeys/effects/message-results.ts';
import { inTransaction } from '../../../journeys/in-transaction.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { problems } from '../wire-types.ts';

const tags = ['journeys'];
const closed = { additionalProperties: false } as const;

const KEY = '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a71:sayMoved:1';
const KeyParams = Type.Object({
  key: Type.String({
    description: 'The `key` of the request to the webhook.',
    minLength: 1,
    maxLength: 200,
    examples: [KEY],
  }),
});

const Result = Type.Object(
  {
    outcome: Type.Enum(['sent', 'notSent']),
    reason: Type.Optional(
      Type.String({ description: 'Why it was not sent.', minLength: 1, maxLength: 200 }),
    ),
  },
  { ...closed, examples: [{ outcome: 'notSent', reason: 'mailbox_full' }] },
);

const Interaction = Type.Object(
  {
    id: Type.String({
      description: 'Yours, of this event: told twice, it happened once.',
      minLength: 1,
      maxLength: 200,
    }),
    interaction: Type.Enum([...MESSAGE_INTERACTIONS]),
  },
  { ...closed, examples: [{ id: 'evt-81', interaction: 'opened' }] },
);

const Recorded = Type.Object(
  { recorded: Type.Boolean({ description: 'False: it was known already.' }) },
  { examples: [{ recorded: true }] },
);

export function journeyMessageRoutes(app: ApiApp, context: ApiContext): void {
  const config = { access: 'deliver' } as const;
  const response = { 200: Recorded, ...problems };
  const result = {
    ...{ operationId: 'tellMessageResult', tags, params: KeyParams, body: Result, response },
    description:
      'What became of a message that a webhook took with 202. The first outcome stands; the journey ' +
      'goes on with it.',
  };
  app.post('/v1/journeys/messages/:key/result', { config, schema: result }, async (request) => {
    const writer = writerOf(context, request);
    const { key } = request.params;
    const recorded = await inTransaction(context.database, (tx) =>
      takeMessageResult(tx, writer, key, request.body),
    );
    return { recorded };
  });

  const interaction = {
    ...{ operationId: 'tellMessageInteraction', tags, params: KeyParams, body: Interaction },
    description: 'The person opened it, followed a link in it, or answered it.',
    response,
  };
  app.post(
    '/v1/journeys/messages/:key/interactions',
    { config, schema: interaction },
    async (request) => {
      const writer = writerOf(context, request);
      const { key } = request.params;
      const recorded = await inTransaction(context.database, (tx) =>
        takeInteraction(tx, writer, key, request.body),
      );
      return { recorded };
    },
  );
}
