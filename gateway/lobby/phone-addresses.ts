/** Where a representative's phone can be called, in the order in which it is tried. */
import { hostOf, phoneUri, userOf } from './phone-uri.ts';

export interface PhoneAddress {
  readonly uri: string;
  /** Next hop, where a phone behind a NAT is reached by another address than its Contact says. */
  readonly proxy?: string;
}

export type PhoneAddressing =
  | { readonly ok: true; readonly addresses: readonly PhoneAddress[] }
  | { readonly ok: false; readonly problem: string };

export interface PhoneAddresses {
  find(sipUri: string, representativeId: string): Promise<PhoneAddressing>;
}

/** What has registered, the latest first; undefined: there is no such account. */
export interface RegisteredPhones {
  /** Host of the addresses of record; undefined: there is no registrar. */
  readonly realm: string | undefined;
  bindingsOf(
    who: { readonly sipUser: string } | { readonly representativeId: string },
  ): Promise<readonly PhoneAddress[] | undefined>;
}

export const NO_REGISTRAR: RegisteredPhones = {
  realm: undefined,
  bindingsOf: () => Promise.resolve(undefined),
};

/** A URI of our own realm, or none at all, stands for what has been registered. */
export function phoneAddresses(registered: RegisteredPhones): PhoneAddresses {
  const bindings = async (
    who: Parameters<RegisteredPhones['bindingsOf']>[0],
  ): Promise<PhoneAddressing> => {
    const addresses = await registered.bindingsOf(who);
    if (addresses === undefined) return { ok: false, problem: 'no such account' };
    if (addresses.length === 0) return { ok: false, problem: 'no phone is registered' };
    return { ok: true, addresses };
  };
  return {
    find: (sipUri, representativeId) => {
      const { realm } = registered;
      if (sipUri === '') {
        if (realm !== undefined) return bindings({ representativeId });
        return Promise.resolve({ ok: false, problem: 'no SIP URI, and there is no registrar' });
      }
      const target = phoneUri(sipUri);
      if (!target.ok) return Promise.resolve(target);
      const user = userOf(target.uri);
      if (user !== undefined && hostOf(target.uri) === realm?.toLowerCase()) {
        return bindings({ sipUser: user });
      }
      return Promise.resolve({ ok: true, addresses: [{ uri: target.uri }] });
    },
  };
}
