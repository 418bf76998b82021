/** From a next hop by name to addresses in the order they are tried (RFC 3263 §4). */
import { isIpLiteral, type NameService, type SrvRecord } from './name-service.ts';
import { defaultPortOf, type SipAddress, type SipProtocol } from './sip-address.ts';

export interface Locator {
  readonly names: NameService;
  /** Protocols we can send over, the preferred first. */
  readonly protocols: readonly SipProtocol[];
  /** Whether our socket of that protocol reaches the address: IPv4 or IPv6 as it is bound. */
  canReach(protocol: SipProtocol, address: string): boolean;
  /** At least 0, below 1. */
  random(): number;
}

/** A name may stand for a whole farm; a call is not tried at more of them than this. */
const SERVERS_MAX = 8;

/** Rejects when the name leads nowhere. */
export async function locateServers(
  target: SipAddress,
  locator: Locator,
): Promise<[SipAddress, ...SipAddress[]]> {
  const found = (await serversOf(target, locator)).slice(0, SERVERS_MAX);
  const [first, ...others] = found;
  if (first === undefined) throw new Error(`${target.host} has no address we can reach`);
  return [first, ...others];
}

async function serversOf(target: SipAddress, locator: Locator): Promise<SipAddress[]> {
  const { protocol, leftOpen, host } = target;
  if (leftOpen === undefined) return hostsAt(target, locator);
  if (leftOpen !== 'port') {
    const found = await byServices(target, locator);
    if (found.length > 0) return found;
  }
  // §4.1: without NAPTR the services are asked for one by one, in our order of preference.
  const protocols = leftOpen === 'port' ? [protocol] : locator.protocols;
  for (const candidate of protocols) {
    const records = await locator.names.srv(serviceName(candidate, host));
    if (records.length > 0) return srvHosts({ ...target, protocol: candidate }, records, locator);
  }
  return hostsAt({ ...target, port: defaultPortOf(protocol) }, locator);
}

/** The first service of the domain's own order that we speak, and that leads somewhere (§4.1). */
async function byServices(target: SipAddress, locator: Locator): Promise<SipAddress[]> {
  const services = await locator.names.services(target.host.replace(/\.$/, ''));
  const ours = services
    .filter(({ protocol }) => locator.protocols.includes(protocol))
    .sort((one, other) => one.order - other.order || one.preference - other.preference);
  for (const { protocol, srvName } of ours) {
    const records = await locator.names.srv(srvName);
    const found = await srvHosts({ ...target, protocol }, records, locator);
    if (found.length > 0) return found;
  }
  return [];
}

function serviceName(protocol: SipProtocol, host: string): string {
  const service = protocol === 'tls' ? '_sips._tcp' : `_sip._${protocol}`;
  return `${service}.${host.replace(/\.$/, '')}`;
}

async function srvHosts(
  target: SipAddress,
  records: readonly SrvRecord[],
  locator: Locator,
): Promise<SipAddress[]> {
  const found: SipAddress[] = [];
  for (const record of inOrder(records, () => locator.random())) {
    if (record.target === '') continue;
    const at = { ...target, host: record.target, port: record.port };
    // One record whose host is gone leaves the others (§4.2).
    const hosts = await hostsAt(at, locator).catch(() => []);
    // Whoever we meet must prove to be what was asked for, not what DNS made of it (RFC 5922 §4).
    found.push(...hosts.map((host) => withServerName(host, target.host)));
    if (found.length >= SERVERS_MAX) break;
  }
  return found;
}

async function hostsAt(target: SipAddress, locator: Locator): Promise<SipAddress[]> {
  const { protocol, host, port } = target;
  const addresses = isIpLiteral(host) ? [host] : await locator.names.addresses(host);
  return addresses
    .filter((address) => locator.canReach(protocol, address))
    .map((address) => withServerName({ protocol, host: address, port }, host));
}

function withServerName(address: SipAddress, name: string): SipAddress {
  const isNeeded = address.protocol === 'tls' && !isIpLiteral(name);
  return isNeeded ? { ...address, serverName: name.replace(/\.$/, '') } : address;
}

/** RFC 2782: by priority, and within one priority by lot, weighted. */
export function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((one, other) => {
    // Weight 0 first, so that it has its small chance.
    return one.priority - other.priority || Math.sign(one.weight) - Math.sign(other.weight);
  });
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const priority = left[0]?.priority;
    const group = left.filter((record) => record.priority === priority);
    const total = group.reduce((sum, { weight }) => sum + weight, 0);
    const lot = Math.floor(random() * (total + 1));
    let running = 0;
    const chosen = group.find(({ weight }) => (running += weight) >= lot) ?? group[0];
    if (chosen === undefined) break;
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}
