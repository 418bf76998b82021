/**
 * What the gateway must know of representatives, owned by the gateway: the dialer implements it over its
 * store, tests in memory. Everything is asked anew each time: who was removed is out at once.
 */
export interface RepresentativeAccount {
  readonly representativeId: string;
  /** User name of their REGISTER, and user part of their address of record. */
  readonly sipUser: string;
  /** H(user:realm:password) in hex (RFC 7616 §3.4.2), by algorithm; null: not offered. */
  readonly ha1: { readonly MD5: string | null; readonly 'SHA-256': string | null };
}

/** Where one phone of theirs can be reached until then (RFC 3261 §10.3). */
export interface PhoneBinding {
  /** URI of the Contact, as it was given. */
  readonly contact: string;
  /** Where the REGISTER came from, as a SIP URI, when the Contact says another place; else null. */
  readonly received: string | null;
  readonly callId: string;
  readonly cseq: number;
  readonly registeredAtMs: number;
  readonly expiresAtMs: number;
}

export interface RepresentativeDirectory {
  accountOf(
    who: { readonly sipUser: string } | { readonly representativeId: string },
  ): Promise<RepresentativeAccount | undefined>;
  /** Those that have lapsed may be among them. */
  bindingsOf(representativeId: string): Promise<readonly PhoneBinding[]>;
  /**
   * Replaces them in one step. `change` gets what is stored and may be called again when another
   * gateway was quicker; it returns undefined to leave everything as it is.
   */
  changeBindings(
    representativeId: string,
    change: (before: readonly PhoneBinding[]) => readonly PhoneBinding[] | undefined,
  ): Promise<void>;
}
