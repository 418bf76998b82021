/** DNS as far as SIP needs it (RFC 3263): SRV, A and AAAA. NAPTR is not asked for. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

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

export interface NameService {
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

/** A burst of calls over one trunk asks once; a record that changes is noticed soon. */
const REMEMBERED_MS = 10_000;
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

async function srvRecords(resolver: Resolver, name: string): Promise<readonly SrvRecord[]> {
  try {
    const records = await resolver.resolveSrv(name);
    return records.map(({ priority, weight, port, name: target }) => {
      return { priority, weight, port, target: target === '.' ? '' : target };
    });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // There is no such name, or it has no SRV records: an answer, and the usual one.
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}

async function machineAddresses(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: false });
  return found.map(({ address }) => address);
}

async function dnsAddresses(resolver: Resolver, host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found;
  throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new Error('ENODATA');
}

/** Failures are not remembered: the next call asks again. */
function remembered<T>(nowMs: () => number, ask: (name: string) => Promise<T>) {
  const known = new Map<string, { answer: Promise<T>; untilMs: number }>();
  return (name: string): Promise<T> => {
    const key = name.toLowerCase();
    const last = known.get(key);
    if (last !== undefined && last.untilMs > nowMs()) return last.answer;
    if (known.size >= NAMES_MAX) known.clear();
    const answer = ask(key);
    const entry = { answer, untilMs: nowMs() + REMEMBERED_MS };
    known.set(key, entry);
    answer.catch(() => {
      if (known.get(key) === entry) known.delete(key);
    });
    return answer;
  };
}
