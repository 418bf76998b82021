/** Where a phone of ours is called: any SIP URI that can stand in a request line. */

export type PhoneUri =
  { readonly ok: true; readonly uri: string } | { readonly ok: false; readonly problem: string };

/**
 * `sip:[user@]host[:port][;parameters]` (RFC 3261 §19.1). A registered Contact is called exactly as it
 * was given, parameters included: it may mean something to the phone. Headers (`?`) could change
 * what the INVITE says, and quotes or brackets where it ends.
 */
const URI =
  /^sips?:(?:[A-Za-z0-9\-_.!~*'()&=+$,;%/:]{1,128}@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?((?:;[A-Za-z0-9\-_.!~*'()%=[\]/:&+$]{1,128}){0,8})$/;

export function phoneUri(text: string): PhoneUri {
  const uri = text.trim();
  const parts = URI.exec(uri);
  if (parts === null) return { ok: false, problem: 'not sip:[user@]host[:port][;transport=...]' };
  const port = Number(parts[2] ?? 5060);
  if (port < 1 || port > 65_535) return { ok: false, problem: `${port} is not a port` };
  if (/^sips:/i.test(uri)) return { ok: false, problem: 'TLS is written sip:…;transport=tls' };
  const transport = /;transport=([^;]*)/i.exec(parts[3] ?? '')?.[1]?.toLowerCase();
  if (transport !== undefined && !['udp', 'tcp', 'tls'].includes(transport)) {
    return { ok: false, problem: `transport '${transport}' is not there: udp, tcp or tls` };
  }
  return { ok: true, uri };
}

/** Lower case, without port and parameters; undefined when there is none. */
export function hostOf(uri: string): string | undefined {
  return URI.exec(uri.trim())?.[1]?.toLowerCase();
}

/** Undefined when there is none. */
export function userOf(uri: string): string | undefined {
  return /^sips?:([^@]*)@/i.exec(uri.trim())?.[1];
}
