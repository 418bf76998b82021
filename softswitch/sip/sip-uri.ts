import { formatParams, parseParams } from './quoted-text.ts';

/** sip: and sips: URI (RFC 3261 §19.1). Escapes are kept as written, so a URI survives unchanged. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** With its escapes (%xx), password excluded. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Without the brackets of an IPv6 reference. */
  readonly host: string;
  readonly port: number | undefined;
  /** Lower-case names; a flag such as lr has the value undefined. */
  readonly params: ReadonlyMap<string, string | undefined>;
  /** What follows '?', raw. */
  readonly headers: string | undefined;
}

const NO_PARAMS: ReadonlyMap<string, string | undefined> = new Map();
const SCHEME = /^(sips?):/i;
const USER_INFO = /^([^\s<>"@:]*)(?::([^\s<>"@]*))?$/;
const HOST_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
export const PORT_MAX = 65_535;

/** Undefined for another scheme and for text that is no URI. */
export function parseSipUri(text: string): SipUri | undefined {
  const schemeMatch = SCHEME.exec(text);
  if (schemeMatch === null) return undefined;
  const rest = text.slice(schemeMatch[0].length);
  // ';' and '?' are legal in the user part, so the '@' is looked for first (RFC 4475 §3.1.1.9).
  const at = rest.indexOf('@');
  const userInfo = at < 0 ? null : USER_INFO.exec(rest.slice(0, at));
  if (at >= 0 && (userInfo === null || userInfo[1] === '')) return undefined;

  const question = rest.indexOf('?', at + 1);
  const beforeHeaders = question < 0 ? rest.slice(at + 1) : rest.slice(at + 1, question);
  const semicolon = beforeHeaders.indexOf(';');
  const hostPort = HOST_PORT.exec(
    semicolon < 0 ? beforeHeaders : beforeHeaders.slice(0, semicolon),
  );
  if (hostPort?.[1] === undefined) return undefined;
  const port = hostPort[2] === undefined ? undefined : Number(hostPort[2]);
  if (port !== undefined && port > PORT_MAX) return undefined;
  return {
    scheme: schemeMatch[1]?.toLowerCase() === 'sips' ? 'sips' : 'sip',
    user: userInfo?.[1],
    password: userInfo?.[2],
    host: hostPort[1].startsWith('[') ? hostPort[1].slice(1, -1) : hostPort[1],
    port,
    params: semicolon < 0 ? NO_PARAMS : parseParams(beforeHeaders.slice(semicolon)),
    headers: question < 0 ? undefined : rest.slice(question + 1),
  };
}

export function formatSipUri(uri: {
  scheme?: 'sip' | 'sips';
  user?: string | undefined;
  password?: string | undefined;
  host: string;
  port?: number | undefined;
  params?: ReadonlyMap<string, string | undefined>;
}): string {
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const userInfo = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const params = uri.params === undefined ? '' : formatParams(uri.params);
  return `${uri.scheme ?? 'sip'}:${userInfo}${formatHostPort(uri.host, uri.port)}${params}`;
}

/** IPv6 literals get their brackets; port 0 and undefined are left out. */
export function formatHostPort(host: string, port?: number): string {
  const reference = host.includes(':') ? `[${host}]` : host;
  return port === undefined || port === 0 ? reference : `${reference}:${port}`;
}
