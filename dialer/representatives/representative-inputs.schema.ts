/** What it takes to make a skill and a representative. */
import { Type, type Static } from 'typebox';
import { Name } from '../checked-input.ts';

const Reference = Type.String({ minLength: 1, maxLength: 64 });

export const SkillInput = Type.Object({ name: Name }, { additionalProperties: false });
export type SkillInput = Static<typeof SkillInput>;

export const RepresentativeInput = Type.Object(
  {
    name: Name,
    sipUri: Type.Union(
      [
        Type.String({
          description: 'Where their phone is reached: any SIP URI.',
          pattern: '^sips?:[^\\s<>"@]+@[^\\s<>"@]+$',
          maxLength: 255,
          examples: ['sip:ada@192.0.2.10:5060;transport=tcp'],
        }),
        Type.Null(),
      ],
      { description: 'None: they register, or dial in.', default: null },
    ),
    queueIds: Type.Array(Reference, { uniqueItems: true, maxItems: 100, default: [] }),
    skills: Type.Array(
      Type.Object(
        {
          skillId: Reference,
          proficiency: Type.Integer({ minimum: 1, maximum: 10, default: 5 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, default: [] },
    ),
    capacityUnits: Type.Integer({
      description: 'Work that they may have at a time; a voice conversation takes 100 unless set.',
      minimum: 1,
      maximum: 100_000,
      default: 100,
    }),
  },
  { additionalProperties: false },
);
export type RepresentativeInput = Static<typeof RepresentativeInput>;
