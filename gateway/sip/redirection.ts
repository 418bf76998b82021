/**
 * Where a 3xx sends an INVITE (RFC 3261 §8.1.3.4). Only the way may change, never whom it reaches: a
 * Contact for another number would ring somebody who was never checked.
 */
import type { SipResponse } from './srf.port.ts';

export interface Redirected {
  readonly uri: string;
  /** The same call goes on: Call-ID, From and To as they were, the next CSeq. */
  readonly headers: Record<string, string>;
  /** The server that asked for credentials may not be the one that gets them now. */
  readonly isSameHost: boolean;
}

/** 305 and 380 want something else than the same INVITE elsewhere. */
const FOLLOWED = new Set([300, 301, 302]);
const HOPS_MAX = 4;

export class Redirection {
  readonly #user: string;
  readonly #host: string;
  readonly #tried: Set<string>;

  constructor(uri: string) {
    const { user, host } = partsOf(uri);
    this.#user = sameNumber(user);
    this.#host = host;
    this.#tried = new Set([keyOf(uri)]);
  }

  /** Undefined when there is no Contact that could be followed: the 3xx is the end. */
  follow(response: SipResponse): Redirected | undefined {
    if (!FOLLOWED.has(response.status) || this.#tried.size > HOPS_MAX) return undefined;
    const contacts = contactsOf(response.get('Contact') ?? '');
    const uri = contacts.find((contact) => {
      const { user, host } = partsOf(contact);
      return host !== '' && sameNumber(user) === this.#user && !this.#tried.has(keyOf(contact));
    });
    if (uri === undefined) return undefined;
    this.#tried.add(keyOf(uri));
    const headers: Record<string, string> = {};
    for (const name of ['Call-ID', 'From', 'To']) {
      const value = response.get(name);
      if (value !== undefined) headers[name] = name === 'To' ? withoutTag(value) : value;
    }
    const cseq = /^\s*(\d+)/.exec(response.get('CSeq') ?? '')?.[1];
    if (cseq !== undefined) headers['CSeq'] = `${Number(cseq) + 1} INVITE`;
    return { uri, headers, isSameHost: partsOf(uri).host === this.#host };
  }
}

/** `sip:user;params@host:port;params`; anything else has no host. A `?` would add headers to ours. */
function partsOf(uri: string): { user: string; host: string } {
  const parts = /^sips?:([^@\s<>"?]+)@([^\s<>"?]+)$/i.exec(uri);
  const host = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)/i.exec(parts?.[2] ?? '')?.[0] ?? '';
  return { user: parts?.[1] ?? '', host: host.toLowerCase() };
}

/** Without what a routing server adds (`;rn=`, `;npdi`), visual separators, and the plus. */
function sameNumber(user: string): string {
  const number = user.split(';')[0] ?? '';
  return /^[+\d().-]+$/.test(number) ? number.replace(/[+().-]/g, '') : number;
}

/** The highest q first; those of one q as they stand. */
function contactsOf(header: string): string[] {
  return splitOutside(header)
    .map((value) => {
      const [, inBrackets, bare] = /^[^<]*<([^>]*)>|^\s*([^\s;]+)/.exec(value) ?? [];
      const params = inBrackets === undefined ? value : value.slice(value.indexOf('>') + 1);
      const q = Number(/;\s*q\s*=\s*([01](?:\.\d{0,3})?)/i.exec(params)?.[1] ?? '1');
      return { uri: inBrackets ?? bare ?? '', q };
    })
    .sort((one, other) => other.q - one.q)
    .map(({ uri }) => uri);
}

/** At commas outside quotes and brackets. */
function splitOutside(header: string): string[] {
  return [...header.matchAll(/(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<])+/g)].map(([value]) =>
    value.trim(),
  );
}

function withoutTag(to: string): string {
  return to.replace(/;\s*tag\s*=[^;\s>]*/i, '');
}

function keyOf(uri: string): string {
  return uri.toLowerCase();
}
