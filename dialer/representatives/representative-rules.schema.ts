/** What a workstream asks of representatives who take its calls (spec A.2). */
import { Type, type Static } from 'typebox';

export const SKILL_MATCHINGS = ['exact', 'closest', 'none'] as const;
export type SkillMatching = (typeof SKILL_MATCHINGS)[number];

/** A name that a contact centre gives to a presence. */
export const Presence = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{0,39}$',
  examples: ['available', 'lunch', 'offline'],
});

/** Signed off: nothing is offered, whatever is allowed. */
export const OFFLINE = 'offline';

export const RepresentativeRules = Type.Object(
  {
    skillMatching: Type.Enum([...SKILL_MATCHINGS], {
      description:
        'exact: only who has every skill of the engagement. closest: who has most of them comes ' +
        'first. none: skills do not matter.',
      default: 'exact',
    }),
    allowedPresences: Type.Array(Presence, {
      description: 'Who has another presence does not count as available.',
      minItems: 1,
      maxItems: 20,
      uniqueItems: true,
      default: ['available'],
    }),
    wrapUpBlock: Type.Union(
      [Type.Literal('always'), Type.Literal('never'), Type.Integer({ minimum: 1, maximum: 60 })],
      {
        description:
          'How long nothing new comes after a call: until wrap-up is ended, not at all, or at most ' +
          'for so many minutes.',
        default: 'always',
      },
    ),
    capacityUnits: Type.Integer({
      description: 'What one conversation takes of a representative’s capacity.',
      minimum: 1,
      maximum: 10_000,
      default: 100,
    }),
    preDialTemplate: Type.String({
      description: 'Notification template of Copilot, progressive and predictive.',
      minLength: 1,
      maxLength: 100,
      default: 'outbound pre-dial',
    }),
    agentDialTemplate: Type.String({
      description: 'Notification template of preview.',
      minLength: 1,
      maxLength: 100,
      default: 'outbound agent dial',
    }),
  },
  { additionalProperties: false, default: {} },
);
export type RepresentativeRules = Static<typeof RepresentativeRules>;
