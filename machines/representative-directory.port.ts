/**
 * What the gateway must know of representatives, owned by the gateway: the dialer implements it over its
 * store, tests in memory, and between processes it travels as messages. Everything is asked anew each
 * time: who was removed is out at once. Rejects when the directory cannot be reached.
 */
import { Type, type Static } from 'typebox';
import { AtMs } from './telephony-envelope.ts';

const HA1 = Type.Union([Type.String({ pattern: '^[0-9a-f]{32,64}$' }), Type.Null()]);

export const RepresentativeAccount = Type.Object({
  representativeId: Type.String(),
  sipUser: Type.String({
    description: 'User name of their REGISTER, and user part of their address of record.',
  }),
  ha1: Type.Object(
    { MD5: HA1, 'SHA-256': HA1 },
    {
      description:
        'H(user:realm:password) in hex (RFC 7616 §3.4.2), by algorithm; null: not offered.',
    },
  ),
});
export type RepresentativeAccount = Static<typeof RepresentativeAccount>;

/** Where one phone of theirs can be reached until then (RFC 3261 §10.3). */
export const PhoneBinding = Type.Object({
  contact: Type.String({ description: 'URI of the Contact, as it was given.', maxLength: 1_024 }),
  received: Type.Union([Type.String({ maxLength: 512 }), Type.Null()], {
    description:
      'Where the REGISTER came from, as a SIP URI, when the Contact says another place; else null.',
  }),
  callId: Type.String({ maxLength: 512 }),
  cseq: Type.Integer(),
  registeredAtMs: AtMs,
  expiresAtMs: AtMs,
});
export type PhoneBinding = Static<typeof PhoneBinding>;

/** All of one representative's; those that have lapsed may be among them. */
export const PhoneBindings = Type.Object({
  version: Type.Integer({ description: 'Raised by each change; 0: there were none.', minimum: 0 }),
  bindings: Type.Array(PhoneBinding, { maxItems: 64 }),
});
export type PhoneBindings = Static<typeof PhoneBindings>;

/** Whom a REGISTER or a lobby is about. */
export type AccountKey = { readonly sipUser: string } | { readonly representativeId: string };

/** What somebody entered at the dial-in number. */
export interface DialInEntry {
  /** The representative's own, as they entered it. */
  readonly number: string;
  readonly pin: string;
  /** Who calls: their number, else the address that the call came from. */
  readonly source: string;
}

export const DIAL_IN_REFUSALS = [
  'unknownNumber', // no representative has that number
  'wrongPin',
  'locked', // too many wrong entries for this number, or from this source
  'notSignedOn', // their presence is offline
  'inLobby', // they have a leg already, and are reserved or on a call
  'notInvited', // nobody wanted their leg for as long as it may wait
  'unavailable', // it could not be found out
] as const;
export type DialInRefusal = (typeof DIAL_IN_REFUSALS)[number];

export const DialInVerdict = Type.Union([
  Type.Object({ admitted: Type.Literal(true), representativeId: Type.String() }),
  Type.Object({
    admitted: Type.Literal(false),
    reason: Type.Enum([...DIAL_IN_REFUSALS]),
    representativeId: Type.Union([Type.String(), Type.Null()], {
      description: 'Whose number it is; null: nobody’s.',
    }),
  }),
]);
export type DialInVerdict = Static<typeof DialInVerdict>;

export interface RepresentativeDirectory {
  accountOf(who: AccountKey): Promise<RepresentativeAccount | undefined>;
  bindingsOf(representativeId: string): Promise<PhoneBindings>;
  /** False when they have another version by now: somebody was quicker, and nothing was changed. */
  replaceBindings(
    representativeId: string,
    version: number,
    bindings: readonly PhoneBinding[],
  ): Promise<boolean>;
  /** Whether they may have a lobby leg by this call. Counts wrong entries, and locks them out. */
  admitDialIn(entry: DialInEntry): Promise<DialInVerdict>;
}
