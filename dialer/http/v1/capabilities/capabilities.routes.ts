/** What this installation offers: for whoever shows people what they can choose. */
import { Type } from 'typebox';
import { INTAKES } from '../../../engagements/engagement-inputs.schema.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { problems } from '../wire-types.ts';

const Capabilities = Type.Object(
  {
    engagementSources: Type.Array(Type.Enum([...INTAKES]), {
      description: 'Where an engagement’s tasks can come from: its `intake`.',
    }),
    journeys: Type.Object({
      enabled: Type.Boolean({ description: 'Off: their addresses answer JOURNEYS_OFF.' }),
      conversations: Type.Object(
        {
          voice: Type.Boolean({
            description: 'Journeys can call people: it is switched on, and the dialer is here.',
          }),
          sms: Type.Boolean({
            description: 'They are drawn and tried, but nothing sends them yet.',
          }),
        },
        { description: 'Steps that talk to people.' },
      ),
    }),
  },
  {
    examples: [
      {
        engagementSources: ['api', 'file', 'journeys'],
        journeys: { enabled: true, conversations: { voice: true, sms: false } },
      },
    ],
  },
);

export function capabilityRoutes(app: ApiApp, { journeys }: ApiContext): void {
  const schema = {
    ...{ operationId: 'getCapabilities', tags: ['engagements'] },
    description: 'What can be chosen here.',
    response: { 200: Capabilities, ...problems },
  };
  const { isEnabled = true, hasConversations = true } = journeys ?? {};
  app.get('/v1/capabilities', { config: { access: 'read' }, schema }, () => ({
    engagementSources: INTAKES.filter((intake) => intake !== 'journeys' || isEnabled),
    journeys: { enabled: isEnabled, conversations: { voice: hasConversations, sms: false } },
  }));
}
