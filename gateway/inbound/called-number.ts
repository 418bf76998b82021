/** Whom an INVITE of the network is for, and whom it is from. */
import type { SipRequest } from '../sip/srf.port.ts';

/** User part of a SIP URI, or the number of a tel URI; undefined when there is none. */
export function userOf(uri: string): string | undefined {
  const user = /^(?:sips?:([^@;]*)[^@]*@|tel:([^;]*))/i.exec(uri);
  return user?.[1] ?? user?.[2];
}

export function digitsOf(user: string): string {
  return user.replace(/\D/g, '');
}

/**
 * Whoever the trunk vouches for (RFC 3325), else From: the number as it is written there, which may be a
 * national one, or an international one without its plus. Null when it is withheld.
 */
export function callerAsReceived(request: Pick<SipRequest, 'get'>): string | null {
  for (const header of ['P-Asserted-Identity', 'From']) {
    const user = userOf(/<([^>]*)>/.exec(request.get(header) ?? '')?.[1] ?? '');
    if (user !== undefined && digitsOf(user).length >= 5 && /^[+0-9().-]+$/.test(user)) return user;
  }
  return null;
}

/** Its digits with a plus before them: tells callers apart, and is E.164 where a plus was there. */
export function callerOf(request: Pick<SipRequest, 'get'>): string | null {
  const caller = callerAsReceived(request);
  return caller === null ? null : `+${digitsOf(caller)}`;
}
