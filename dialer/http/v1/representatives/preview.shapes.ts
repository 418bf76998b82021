/** What a desktop shows of a contact before the call, and what its representative can say to it. */
import { Type, type Static } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import { PHONE_TYPES } from '../../../engagements/engagement-config.schema.ts';
import type { OfferedContact } from '../../../preview/offered-contact.ts';
import type { PreviewOffer } from '../../../preview/preview-offer.ts';
import { Id, orNull, shownNumber, Time, timeText } from '../wire-types.ts';
import { SHOWN_CONTACT, shownContact, ShownContact, Texts } from './shown-contact.ts';

export const PREVIEW_STATES = [
  'invited',
  'accepted',
  'starting',
  'ringing',
  'talking',
  'closing',
] as const;

const example = {
  taskId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a31',
  state: 'accepted',
  engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11',
  engagementName: 'Renewals',
  engagementDescription: 'Policies that end this month',
  callDelay: 'timer',
  startsAt: '2026-03-02T15:02:00.000Z',
  attemptId: null,
  contact: SHOWN_CONTACT,
  numbers: [
    { phoneType: 'mobile', number: '+1202•••••43', isNext: true },
    { phoneType: 'home', number: '+1202•••••44', isNext: false },
  ],
  inputAttributes: { policy: 'P-17' },
} as const;

export const Preview = Type.Object(
  {
    taskId: Id,
    state: Type.Enum([...PREVIEW_STATES], {
      description: '`starting`: as soon as their phone is answered and a line is free.',
    }),
    engagementId: Id,
    engagementName: Type.String(),
    engagementDescription: Type.String(),
    callDelay: Type.Enum(['manual', 'timer', 'direct'], {
      description: 'Who starts it: the representative, the countdown, or the acceptance itself.',
    }),
    startsAt: Type.Union([Time, Type.Null()], { description: 'End of the countdown.' }),
    attemptId: orNull(Id),
    contact: ShownContact,
    numbers: Type.Array(
      Type.Object({
        phoneType: Type.Enum([...PHONE_TYPES]),
        number: Type.String({ description: 'Masked unless the key may see numbers.' }),
        isNext: Type.Boolean({ description: 'Dialled unless another one is chosen.' }),
      }),
    ),
    inputAttributes: Type.Unsafe<Record<string, string>>({
      ...Texts,
      description: 'What came with the request; columns that nobody knows too.',
    }),
  },
  { examples: [example] },
);

export const StartBody = Type.Object(
  {
    phoneType: Type.Optional(
      Type.Enum([...PHONE_TYPES], {
        description: 'Which number to dial. Default: the next in the order of the engagement.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ phoneType: 'home' }] },
);

export const CancelBody = Type.Object(
  {
    keepTask: Type.Boolean({
      description: 'True: it is offered again. False: it is not needed any more, and is over.',
      default: false,
    }),
  },
  { additionalProperties: false, examples: [{ keepTask: false }] },
);

export function previewBody(
  offer: PreviewOffer,
  { task, engagement, contact, numbers }: OfferedContact,
  caller: Caller,
): Static<typeof Preview> {
  return {
    taskId: task.id,
    state: offer.state === 'seeking' ? 'closing' : offer.state,
    engagementId: engagement.id,
    engagementName: engagement.name,
    engagementDescription: engagement.description,
    callDelay: offer.delay.kind,
    startsAt: offer.startsAtMs === null ? null : timeText(offer.startsAtMs),
    attemptId: offer.attemptId,
    contact: shownContact(contact),
    numbers: numbers.map(({ phoneType, number, isNext }) => ({
      ...{ phoneType, isNext },
      number: shownNumber(caller, number),
    })),
    inputAttributes: JSON.parse(task.input_attributes) as Record<string, string>,
  };
}
