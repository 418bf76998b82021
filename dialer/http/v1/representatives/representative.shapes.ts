/** Representatives as `/v1` takes and shows them. */
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { PhoneBinding } from '../../../../machines/representative-directory.port.ts';
import { RepresentativeInput } from '../../../representatives/representative-inputs.schema.ts';
import { Presence } from '../../../representatives/representative-rules.schema.ts';
import { representativeInput } from '../../../representatives/write-representative.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { RepresentativeRow } from '../../../store/schema/representative-tables.ts';
import { Id, orNull, pageOf, Time, timeText } from '../wire-types.ts';

const example = {
  name: 'Ada',
  sipUri: 'sip:ada@192.0.2.10:5060',
  queueIds: ['019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12'],
  skills: [{ skillId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a21', proficiency: 7 }],
  capacityUnits: 100,
};

export const NewRepresentative = Type.Object(RepresentativeInput.properties, {
  additionalProperties: false,
  examples: [example],
});

export const WORKS = ['free', 'invited', 'joining', 'reserved', 'connected', 'wrapUp'] as const;

const Reservation = Type.Object({
  engagementId: Id,
  engagementName: Type.String(),
  engagementDescription: Type.String(),
  invitationId: Id,
  attemptId: orNull(Id),
  since: Time,
  workSince: Time,
});

const Phone = Type.Object({
  contact: Type.String({ description: 'SIP URI.' }),
  registeredAt: Time,
  expiresAt: Time,
});

export const Representative = Type.Object(
  {
    id: Id,
    ...RepresentativeInput.properties,
    sipUser: orNull(
      Type.String({ description: 'User name by which their phones register; null: none can.' }),
    ),
    dialInNumber: orNull(
      Type.String({ description: 'Theirs at the dial-in lobby; null: they cannot dial in.' }),
    ),
    phones: Type.Array(Phone, { description: 'Where their phones have registered.' }),
    presence: Presence,
    presenceSince: Time,
    work: Type.Enum([...WORKS], { description: 'What they do now; `reserved`: in the lobby.' }),
    reservation: Type.Union([Reservation, Type.Null()], {
      description: 'For which engagement, from the invitation to the end of the wrap-up.',
    }),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a20',
        ...example,
        ...{ sipUser: 'ada', dialInNumber: '1001', phones: [] },
        presence: 'available',
        presenceSince: '2026-03-02T15:00:00.000Z',
        work: 'free',
        reservation: null,
        version: 1,
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
export const RepresentativePage = pageOf(Representative);

export const PresenceBody = Type.Object(
  { presence: Presence },
  { additionalProperties: false, examples: [{ presence: 'available' }] },
);

export const WrapUpBody = Type.Object(
  {
    dispositionCodes: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      description: 'What came of the call, in the words of the contact centre.',
      maxItems: 12,
      uniqueItems: true,
      default: [],
    }),
  },
  { additionalProperties: false, examples: [{ dispositionCodes: ['Appointment made'] }] },
);

export const InvitationParams = Type.Object(
  { id: Id, invitationId: Id },
  { additionalProperties: false },
);

export async function representativeBody(db: Kysely<Database>, row: RepresentativeRow) {
  const reservation = await db
    .selectFrom('reservations')
    .innerJoin('engagements', 'engagements.id', 'reservations.engagement_id')
    .selectAll('reservations')
    .select(['engagements.name', 'engagements.description'])
    .where('representative_id', '=', row.id)
    .executeTakeFirst();
  return {
    id: row.id,
    ...(await representativeInput(db, row)),
    sipUser: row.sip_user,
    dialInNumber: row.dial_in_number,
    phones: await phonesOf(db, row.id),
    presence: row.presence,
    presenceSince: timeText(row.presence_at_ms),
    work: reservation?.work ?? 'free',
    reservation:
      reservation === undefined
        ? null
        : {
            engagementId: reservation.engagement_id,
            engagementName: reservation.name,
            engagementDescription: reservation.description,
            invitationId: reservation.invitation_id,
            attemptId: reservation.attempt_id,
            since: timeText(reservation.reserved_at_ms),
            workSince: timeText(reservation.work_since_ms),
          },
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

async function phonesOf(db: Kysely<Database>, representativeId: string) {
  const row = await db
    .selectFrom('phone_bindings')
    .select('bindings')
    .where('representative_id', '=', representativeId)
    .executeTakeFirst();
  return (JSON.parse(row?.bindings ?? '[]') as PhoneBinding[]).map((binding) => ({
    contact: binding.contact,
    registeredAt: timeText(binding.registeredAtMs),
    expiresAt: timeText(binding.expiresAtMs),
  }));
}
