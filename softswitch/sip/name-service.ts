/** DNS as far as SIP needs it (RFC 3263): NAPTR, SRV, A and AAAA. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SipProtocol } from './sip-address.ts';

/** One SRV record (RFC 2782). */
export interface SrvRecord {
  /** Lower ones are tried first. */
  readonly priority: number;
  /** Share of the load among records of one priority. */
  readonly weight: number;
  readonly port: number;
  /** Host name; '' when the service is "decidedly not available" there. */
  readonly target: string;
}

/** A NAPTR record of a SIP service (RFC 3263 §4.1). */
export interface ServiceRecord {
  /** Lower ones first; within one order by `preference`, lower first. */
  readonly order: number;
  readonly preference: number;
  readonly protocol: SipProtocol;
  /** Where its SRV records are. */
  readonly srvName: string;
}

export interface NameService {
  /** Transports that the domain offers. Empty when it does not say, or nobody could be asked. */
  services(domain: string): Promise<readonly ServiceRecord[]>;
  /** Empty when the name has none; rejects when nobody could be asked. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IP literals of a host, the preferred first. Rejects when there is none. */
  addresses(host: string): Promise<readonly string[]>;
}

export interface SystemNameServiceOptions {
  /** Monotonic. */
  readonly nowMs: () => number;
  /**
   * DNS servers as `address` or `address:port`, asked for everything. Default: those of the machine
   * for SRV, and for hosts what the machine does for every program (hosts file, IPv4 first).
   */
  readonly servers?: readonly string[];
}

/**
 * A burst of calls over one trunk asks once; a record that changes is noticed soon. Addresses are kept
 * for as long as their records say, within these bounds. Node does not tell how long SRV and NAPTR
 * records hold, nor does the machine of its hosts: they are asked for again sooner than need be.
 */
const REMEMBERED_MS = 10_000;
const REMEMBERED_MIN_MS = 1_000;
const REMEMBERED_MAX_MS = 300_000;
const NAMES_MAX = 1_000;
/** Of one server; two tries. Timer B gives the whole INVITE 32 s. */
const QUERY_TIMEOUT_MS = 1_500;
const QUERY_TRIES = 2;

export function systemNameService(options: SystemNameServiceOptions): NameService {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  const { servers, nowMs } = options;
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  const asksMachine = servers === undefined || servers.length === 0;
  return {
    services: remembered(nowMs, (domain) => serviceRecords(resolver, domain)),
    srv: remembered(nowMs, (name) => srvRecords(resolver, name)),
    addresses: remembered(nowMs, (host) =>
      asksMachine ? machineAddresses(host) : dnsAddresses(resolver, host),
    ),
  };
}

/** Asked for each request sent; Node's `isIP` takes microseconds (it tries a long expression). */
export function isIpLiteral(host: string): boolean {
  return USUAL_IPV4.test(host) || isIP(host) !== 0;
}

const USUAL_IPV4 =
  /^(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){3}$/;

/** An answer, and for how long it holds. */
interface Known<T> {
  readonly value: T;
  readonly keepMs: number;
}

function known<T>(value: T, ttlSeconds?: number): Known<T> {
  if (ttlSeconds === undefined) return { value, keepMs: REMEMBERED_MS };
  const keepMs = Math.min(REMEMBERED_MAX_MS, Math.max(REMEMBERED_MIN_MS, ttlSeconds * 1_000));
  return { value, keepMs };
}

const SERVICES: ReadonlyMap<string, SipProtocol> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
]);

/** Without an answer SRV is asked for, as for the many domains that have no NAPTR records. */
async function serviceRecords(
  resolver: Resolver,
  domain: string,
): Promise<Known<readonly ServiceRecord[]>> {
  const records = await resolver.resolveNaptr(domain).catch(() => []);
  return known(
    records.flatMap(({ flags, service, order, preference, replacement }) => {
      const protocol = SERVICES.get(service.toUpperCase());
      if (protocol === undefined || flags.toLowerCase() !== 's') return [];
      return [{ order, preference, protocol, srvName: replacement }];
    }),
  );
}

async function srvRecords(resolver: Resolver, name: string): Promise<Known<readonly SrvRecord[]>> {
  try {
    const records = await resolver.resolveSrv(name);
    return known(
      records.map(({ priority, weight, port, name: target }) => {
        return { priority, weight, port, target: target === '.' ? '' : target };
      }),
    );
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // There is no such name, or it has no SRV records: an answer, and the usual one.
    if (code === 'ENOTFOUND' || code === 'ENODATA') return known([]);
    throw error;
  }
}

async function machineAddresses(host: string): Promise<Known<readonly string[]>> {
  const found = await lookup(host, { all: true, verbatim: false });
  return known(found.map(({ address }) => address));
}

async function dnsAddresses(resolver: Resolver, host: string): Promise<Known<readonly string[]>> {
  const answers = await Promise.allSettled([
    resolver.resolve4(host, { ttl: true }),
    resolver.resolve6(host, { ttl: true }),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) {
    const ttlSeconds = Math.min(...found.map(({ ttl }) => ttl));
    return known(
      found.map(({ address }) => address),
      ttlSeconds,
    );
  }
  throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new Error('ENODATA');
}

/** Failures are not remembered: the next call asks again. */
function remembered<T>(nowMs: () => number, ask: (name: string) => Promise<Known<T>>) {
  const kept = new Map<string, { answer: Promise<T>; untilMs: number }>();
  return (name: string): Promise<T> => {
    const key = name.toLowerCase();
    const last = kept.get(key);
    if (last !== undefined && last.untilMs > nowMs()) return last.answer;
    if (kept.size >= NAMES_MAX) kept.clear();
    // Until it is answered, whoever asks waits for the same answer.
    const asked = ask(key);
    const entry = { answer: asked.then(({ value }) => value), untilMs: Number.POSITIVE_INFINITY };
    kept.set(key, entry);
    asked.then(
      ({ keepMs }) => (entry.untilMs = nowMs() + keepMs),
      () => {
        if (kept.get(key) === entry) kept.delete(key);
      },
    );
    return entry.answer;
  };
}
