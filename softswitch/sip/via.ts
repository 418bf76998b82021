import { formatParams, parseParams } from './quoted-text.ts';
import { formatHostPort, PORT_MAX } from './sip-uri.ts';

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** Upper case: UDP, TCP, TLS, SCTP, WS ... */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  /** Lower-case names. `rport` without value (RFC 3581) is present and undefined. */
  readonly params: ReadonlyMap<string, string | undefined>;
}

// LWS is legal around both slashes and the colon (RFC 4475 §3.1.1.1).
const VIA =
  /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*(\d{1,5}))?\s*(;.*)?$/is;

/** One value, not a list. Undefined when it cannot be read. */
export function parseVia(value: string): Via | undefined {
  const match = VIA.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && port > PORT_MAX) return undefined;
  return {
    transport: match[1].toUpperCase(),
    host: match[2].startsWith('[') ? match[2].slice(1, -1) : match[2],
    port,
    params: parseParams(match[4] ?? ''),
  };
}

/** Whether `parseVia` could read it, at half the cost. */
export function isVia(value: string): boolean {
  const match = VIA.exec(value);
  return match !== null && Number(match[3] ?? 0) <= PORT_MAX;
}

export function formatVia(via: Via): string {
  const sentBy = formatHostPort(via.host, via.port);
  return `SIP/2.0/${via.transport} ${sentBy}${formatParams(via.params)}`;
}

const MAGIC_COOKIE = 'z9hG4bK';

/**
 * The branch, when it identifies a transaction as RFC 3261 §17.2.3 wants it. A bare magic cookie
 * does not (RFC 4475 §3.2.1): such a request is matched as one of RFC 2543.
 */
export function uniqueBranchOf(via: Via): string | undefined {
  const branch = via.params.get('branch');
  if (branch === undefined || branch.length <= MAGIC_COOKIE.length) return undefined;
  const cookie = branch.slice(0, MAGIC_COOKIE.length);
  return cookie.toLowerCase() === MAGIC_COOKIE.toLowerCase() ? branch : undefined;
}
