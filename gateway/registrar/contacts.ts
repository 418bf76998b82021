/** The Contacts of a REGISTER, and what they make of the bindings there are (RFC 3261 §10.3). */
import type { PhoneBinding } from '../../machines/representative-directory.port.ts';
import { phoneUri } from '../lobby/phone-uri.ts';

export interface ExpiryLimits {
  readonly minS: number;
  readonly maxS: number;
  readonly defaultS: number;
}

export interface AskedContact {
  readonly uri: string;
  /** 0 removes it. */
  readonly expiresS: number;
}

export type Contacts =
  | { readonly kind: 'these'; readonly contacts: readonly AskedContact[] }
  | { readonly kind: 'none' } // a question: which bindings are there?
  | { readonly kind: 'removeAll' }
  | { readonly kind: 'tooBrief' }
  | { readonly kind: 'invalid' };

/** More of one representative's phones are a client gone wrong. */
export const BINDINGS_MAX = 8;

export function readContacts(
  header: string | undefined,
  expires: string | undefined,
  limits: ExpiryLimits,
): Contacts {
  const asked = /^\s*(\d{1,10})\s*$/.exec(expires ?? '')?.[1];
  if (header === undefined || header.trim() === '') return { kind: 'none' };
  if (header.trim() === '*') {
    return Number(asked) === 0 ? { kind: 'removeAll' } : { kind: 'invalid' };
  }
  const contacts: AskedContact[] = [];
  for (const [value] of header.matchAll(/(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<])+/g)) {
    const inBrackets = /<([^>]*)>/.exec(value)?.[1];
    const bare = /^\s*([^\s;<>]+)/.exec(value)?.[1];
    const target = phoneUri(inBrackets ?? bare ?? '');
    if (!target.ok) return { kind: 'invalid' };
    const parameters = inBrackets === undefined ? '' : value.slice(value.indexOf('>') + 1);
    const own = /;\s*expires\s*=\s*"?(\d{1,10})/i.exec(parameters)?.[1] ?? asked;
    const wishedS = own === undefined ? limits.defaultS : Number(own);
    if (wishedS > 0 && wishedS < limits.minS) return { kind: 'tooBrief' };
    contacts.push({ uri: target.uri, expiresS: Math.min(wishedS, limits.maxS) });
  }
  if (contacts.length === 0 || contacts.length > BINDINGS_MAX) return { kind: 'invalid' };
  return { kind: 'these', contacts };
}

export interface RegisterMessage {
  readonly callId: string;
  readonly cseq: number;
  readonly nowMs: number;
  /** Where it came from, as a SIP URI. */
  readonly source: string;
}

/** Undefined: it is older than what is known of the same client (§10.3 step 7), and changes nothing. */
export function bindingsAfter(
  before: readonly PhoneBinding[],
  asked: Extract<Contacts, { kind: 'these' | 'removeAll' }>,
  message: RegisterMessage,
): readonly PhoneBinding[] | undefined {
  const { callId, cseq, nowMs, source } = message;
  const live = before.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const isOlder = (binding: PhoneBinding): boolean =>
    binding.callId === callId && binding.cseq >= cseq;
  if (asked.kind === 'removeAll') return live.some(isOlder) ? undefined : [];
  let after = live;
  for (const { uri, expiresS } of asked.contacts) {
    const known = after.find(({ contact }) => sameContact(contact, uri));
    if (known !== undefined && isOlder(known)) return undefined;
    after = after.filter((binding) => binding !== known);
    if (expiresS === 0) continue;
    const received = isAt(uri, source) ? null : source;
    const expiresAtMs = nowMs + expiresS * 1_000;
    const times = { registeredAtMs: nowMs, expiresAtMs };
    after = [...after, { contact: uri, received, callId, cseq, ...times }];
  }
  // The latest are kept: a phone that changes its port with each start must not lock itself out.
  return after.slice(-BINDINGS_MAX);
}

/** Host and port are compared without regard to case, the rest as it stands: RFC 3261 §19.1.4, simply. */
function sameContact(one: string, other: string): boolean {
  const normal = (uri: string): string =>
    uri.replace(/^(sips?:(?:[^@]*@)?)([^;]*)/i, (_all, user: string, place: string) => {
      return `${user}${place.toLowerCase()}`;
    });
  return normal(one) === normal(other);
}

function isAt(uri: string, source: string): boolean {
  const place = (text: string): string =>
    /^sips?:(?:[^@]*@)?([^;]*)/i.exec(text)?.[1]?.toLowerCase() ?? '';
  const withPort = (text: string): string => (/:\d+$/.test(text) ? text : `${text}:5060`);
  return withPort(place(uri)) === withPort(place(source));
}
