/** The customer on a representative's line, as their screen shows them. */
import { Type, type Static } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import { PHONE_TYPES, type PhoneType } from '../../../engagements/engagement-config.schema.ts';
import type { CurrentCall } from '../../../representatives/current-call.ts';
import { Id, orNull, shownNumber, Time, timeOrNull } from '../wire-types.ts';
import { SHOWN_CONTACT, shownContact, ShownContact, Texts } from './shown-contact.ts';

const example = {
  attemptId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a51',
  deliveryId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a52',
  taskId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a31',
  work: 'connected',
  engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11',
  engagementName: 'Renewals',
  engagementDescription: 'Policies that end this month',
  contact: SHOWN_CONTACT,
  phoneType: 'mobile',
  number: '+1202•••••43',
  answeredAt: '2026-03-02T15:02:09.000Z',
  joinedAt: '2026-03-02T15:02:10.000Z',
  endedAt: null,
  inputAttributes: { policy: 'P-17' },
  returnedAttributes: { wishes: 'call back' },
} as const;

export const RepresentativeCall = Type.Object(
  {
    attemptId: Id,
    deliveryId: Id,
    taskId: Id,
    work: Type.Enum(['connected', 'wrapUp']),
    engagementId: Id,
    engagementName: Type.String(),
    engagementDescription: Type.String(),
    contact: ShownContact,
    phoneType: orNull(Type.Enum([...PHONE_TYPES])),
    number: Type.String({ description: 'Masked unless the key may see numbers.' }),
    answeredAt: orNull(Time),
    joinedAt: Type.Union([Time, Type.Null()], {
      description: 'When the representative was bridged to them, once that is recorded.',
    }),
    endedAt: orNull(Time),
    inputAttributes: Type.Unsafe<Record<string, string>>({
      ...Texts,
      description: 'What came with the request; columns that nobody knows too.',
    }),
    returnedAttributes: Type.Unsafe<Record<string, string>>({
      ...Texts,
      description: 'What an AI agent has learnt from them so far.',
    }),
  },
  { examples: [example] },
);

export function callBody(
  call: CurrentCall,
  work: 'connected' | 'wrapUp',
  caller: Caller,
): Static<typeof RepresentativeCall> {
  const { attempt, delivery, engagement } = call;
  return {
    attemptId: attempt.id,
    deliveryId: delivery.id,
    taskId: attempt.task_id,
    work,
    engagementId: engagement.id,
    engagementName: engagement.name,
    engagementDescription: engagement.description,
    contact: shownContact(call.contact),
    phoneType: delivery.phone_type as PhoneType | null,
    number: shownNumber(caller, call.number),
    answeredAt: timeOrNull(attempt.answered_at_ms),
    joinedAt: timeOrNull(attempt.joined_at_ms),
    endedAt: timeOrNull(attempt.ended_at_ms),
    inputAttributes: JSON.parse(call.inputAttributes) as Record<string, string>,
    returnedAttributes: call.returnedAttributes,
  };
}
