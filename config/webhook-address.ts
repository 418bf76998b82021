/** Where a webhook may be. What it is sent leaves the house, and nobody may turn it against the house. */
import { BlockList, isIP } from 'node:net';

/** What may not be reached whatever is configured: link-local, where clouds keep their secrets. */
const NEVER = new BlockList();
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addAddress('::', 'ipv6');
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Of an address as it was looked up: a name may lead elsewhere than when it was configured. */
export function isRefused(address: string, onLoopback: boolean): boolean {
  const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return NEVER.check(address, kind) || (!onLoopback && LOOPBACK.check(address, kind));
}

export interface WebhookFault {
  readonly problem: string;
  readonly remedy: string;
}

export interface WebhookPlaces {
  readonly onLoopback: boolean;
  /** Without TLS beyond this machine. */
  readonly allowInsecure: boolean;
}

/** Why a webhook cannot be used, for whoever configured it; undefined: it can. */
export function webhookFault(
  written: string,
  { onLoopback, allowInsecure }: WebhookPlaces,
): WebhookFault | undefined {
  const url = URL.parse(written);
  if (url === null) return { problem: 'is no URL', remedy: 'write https://host/path' };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { problem: 'is neither https nor http', remedy: 'write https://host/path' };
  }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'holds a password', remedy: 'leave it out: the request is signed' };
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isAddress = isIP(host) !== 0;
  if (isAddress && isRefused(host, true)) {
    return { problem: 'is an address that is never asked', remedy: 'name another one' };
  }
  const isHere = host === 'localhost' || (isAddress && isRefused(host, false));
  if (isHere) {
    if (onLoopback) return undefined;
    return { problem: 'is on this machine', remedy: 'set journeys.webhooksOnLoopback to allow it' };
  }
  if (url.protocol === 'https:' || allowInsecure) return undefined;
  return {
    problem: 'is not encrypted',
    remedy: 'write https, or set journeys.webhooksAllowInsecure',
  };
}
