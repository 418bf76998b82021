/** A trunk's next hop: `sip:HOST[:PORT][;transport=udp|tcp|tls]`, the part of RFC 3261 §19.1 we take. */
import { isIP } from 'node:net';

export interface TrunkAddress {
  /** A host name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: TrunkTransport;
  /** Of a host name: what the address did not say, and SRV records may (RFC 3263 §4). */
  readonly leftToDns?: 'port' | 'transportAndPort';
}

export type TrunkTransport = 'udp' | 'tcp' | 'tls';

export type TrunkAddressReading = TrunkAddress | { readonly problem: string };

const PORT_DEFAULT = { udp: 5060, tcp: 5060, tls: 5061 }; // RFC 3261 §19.1.2
const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?$/;

export function readTrunkAddress(address: string): TrunkAddressReading {
  const parts = /^sip:(\[[^\]]*\]|[^:;[\]@?]*)(?::([^;?]*))?((?:;[^?]*)?)$/i.exec(address.trim());
  if (parts === null) return { problem: problemOf(address) };
  const host = (parts[1] ?? '').replace(/^\[|\]$/g, '');
  if (!isHost(host, parts[1] ?? '')) return { problem: `'${parts[1] ?? ''}' is not a host` };
  const transport = transportOf(parts[3] ?? '');
  if (typeof transport === 'object') return transport;
  const known = transport ?? 'udp';
  if (parts[2] === undefined) {
    const address = { host, port: PORT_DEFAULT[known], transport: known };
    if (isIP(host) !== 0 || host.toLowerCase() === 'localhost') return address;
    return { ...address, leftToDns: transport === undefined ? 'transportAndPort' : 'port' };
  }
  const port = Number(parts[2]);
  if (!/^\d+$/.test(parts[2]) || port < 1 || port > 65_535) {
    return { problem: `'${parts[2]}' is not a port (1 to 65535)` };
  }
  return { host, port, transport: known };
}

function problemOf(address: string): string {
  if (/^sips:/i.test(address)) return 'TLS is written sip:HOST;transport=tls';
  if (!/^sip:/i.test(address)) return 'it does not begin with sip:';
  if (address.includes('@')) return 'a trunk has no user part';
  return 'it is not sip:HOST[:PORT][;transport=udp|tcp|tls]';
}

function isHost(host: string, written: string): boolean {
  if (written.startsWith('[')) return isIP(host) === 6;
  // Digits and dots are meant as an IPv4 address: 300.1.1.1 is no host name.
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return host.length <= 253 && HOST_NAME.test(host);
}

/** Undefined when it is not said. */
function transportOf(parameters: string): TrunkTransport | { problem: string } | undefined {
  let transport: TrunkTransport | undefined;
  for (const parameter of parameters.split(';').filter((text) => text !== '')) {
    const [name = '', value = ''] = parameter.toLowerCase().split('=');
    if (name !== 'transport') return { problem: `the parameter '${parameter}' is not known` };
    if (value !== 'udp' && value !== 'tcp' && value !== 'tls') {
      return { problem: `transport '${value}' is not there: udp, tcp or tls` };
    }
    transport = value;
  }
  return transport;
}

/** The address as a SIP URI: port and transport spelled out, but for what DNS is to say. */
export function trunkAddressText(address: TrunkAddress): string {
  const { host, port, transport, leftToDns } = address;
  const written = isIP(host) === 6 ? `[${host}]` : host;
  if (leftToDns === 'transportAndPort') return `sip:${written}`;
  return `sip:${written}${leftToDns === 'port' ? '' : `:${String(port)}`};transport=${transport}`;
}

/**
 * Whether packets to the address stay on this machine. Only literals and `localhost` count: any
 * other name may resolve elsewhere between this question and the INVITE.
 */
export function isLoopback({ host }: Pick<TrunkAddress, 'host'>): boolean {
  return (
    host === '::1' ||
    host.toLowerCase() === 'localhost' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}
