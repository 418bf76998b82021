import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Host name to IP literal. Rejects when there is none. */
export type ResolveHost = (host: string) => Promise<string>;

const REMEMBERED_MS = 10_000;
const NAMES_MAX = 1_000;

/**
 * Names as the operating system knows them (hosts file, A and AAAA, IPv4 first), remembered for
 * 10 s so that a burst of calls over one trunk asks once.
 */
export function systemHostResolver(nowMs: () => number): ResolveHost {
  const remembered = new Map<string, { address: Promise<string>; untilMs: number }>();
  return (host) => {
    const known = remembered.get(host);
    if (known !== undefined && known.untilMs > nowMs()) return known.address;
    if (remembered.size >= NAMES_MAX) remembered.clear();
    const address = lookup(host, { family: 0, verbatim: false }).then((found) => found.address);
    remembered.set(host, { address, untilMs: nowMs() + REMEMBERED_MS });
    address.catch(() => remembered.delete(host));
    return address;
  };
}

/** Asked for each request sent; Node's `isIP` takes microseconds (it tries a long expression). */
export function isIpLiteral(host: string): boolean {
  return USUAL_IPV4.test(host) || isIP(host) !== 0;
}

const USUAL_IPV4 =
  /^(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){3}$/;
