/** A trunk's next hop: `sip:HOST[:PORT][;transport=udp|tcp]`, the part of RFC 3261 §19.1 we take. */
import { isIP } from 'node:net';

export interface TrunkAddress {
  /** A host name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
}

export type TrunkAddressReading = TrunkAddress | { readonly problem: string };

const PORT_DEFAULT = 5060;
const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?$/;

export function readTrunkAddress(address: string): TrunkAddressReading {
  const parts = /^sip:(\[[^\]]*\]|[^:;[\]@?]*)(?::([^;?]*))?((?:;[^?]*)?)$/i.exec(address.trim());
  if (parts === null) return { problem: problemOf(address) };
  const host = (parts[1] ?? '').replace(/^\[|\]$/g, '');
  if (!isHost(host, parts[1] ?? '')) return { problem: `'${parts[1] ?? ''}' is not a host` };
  const port = parts[2] === undefined ? PORT_DEFAULT : Number(parts[2]);
  if (!/^\d*$/.test(parts[2] ?? '') || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return { problem: `'${parts[2] ?? ''}' is not a port (1 to 65535)` };
  }
  const transport = transportOf(parts[3] ?? '');
  return typeof transport === 'string' ? { host, port, transport } : transport;
}

function problemOf(address: string): string {
  if (/^sips:/i.test(address)) return 'sips (TLS) is not there yet';
  if (!/^sip:/i.test(address)) return 'it does not begin with sip:';
  if (address.includes('@')) return 'a trunk has no user part';
  return 'it is not sip:HOST[:PORT][;transport=udp|tcp]';
}

function isHost(host: string, written: string): boolean {
  if (written.startsWith('[')) return isIP(host) === 6;
  // Digits and dots are meant as an IPv4 address: 300.1.1.1 is no host name.
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return host.length <= 253 && HOST_NAME.test(host);
}

function transportOf(parameters: string): 'udp' | 'tcp' | { problem: string } {
  let transport: 'udp' | 'tcp' = 'udp';
  for (const parameter of parameters.split(';').filter((text) => text !== '')) {
    const [name = '', value = ''] = parameter.toLowerCase().split('=');
    if (name !== 'transport') return { problem: `the parameter '${parameter}' is not known` };
    if (value !== 'udp' && value !== 'tcp') {
      return { problem: `transport '${value}' is not there: udp or tcp` };
    }
    transport = value;
  }
  return transport;
}

/** The address as a SIP URI with port and transport spelled out. */
export function trunkAddressText({ host, port, transport }: TrunkAddress): string {
  const written = isIP(host) === 6 ? `[${host}]` : host;
  return `sip:${written}:${String(port)};transport=${transport}`;
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
