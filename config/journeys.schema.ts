/** Journeys: whether they are there, and whether they may talk to people. */
import { Type, type Static } from 'typebox';

export const JourneysConfig = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Journeys are offered and run. Off: their addresses answer `JOURNEYS_OFF`, engagements cannot ' +
        'be fed by them, and people inside stay where they are until it is on again.',
      default: true,
      env: 'RINGFENCE_JOURNEYS_ENABLED',
    }),
    conversations: Type.Boolean({
      description:
        'Journeys have steps that call people. Off: such steps are not offered, and a journey with ' +
        'one cannot be published.',
      default: true,
      env: 'RINGFENCE_JOURNEYS_CONVERSATIONS',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Journeys (docs/journeys).' },
);
export type JourneysConfig = Static<typeof JourneysConfig>;
