/** A DNS server on a loopback UDP port with a zone the test writes (RFC 1035, RFC 2782, RFC 3596). */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

export interface SrvAnswer {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface NaptrAnswer {
  readonly order: number;
  readonly preference: number;
  readonly service: string;
  readonly replacement: string;
}

/** Lower-case names without a dot at the end. Addresses become A or AAAA records. */
export interface Zone {
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvAnswer[]>>;
  /** In the order given. */
  readonly naptr?: Readonly<Record<string, readonly NaptrAnswer[]>>;
  /** Of every record. Default 1. */
  readonly ttlSeconds?: number;
}

const A = 1;
const AAAA = 28;
const SRV = 33;
const NAPTR = 35;
const TYPES: Readonly<Record<number, string>> = {
  [A]: 'A',
  [AAAA]: 'AAAA',
  [SRV]: 'SRV',
  [NAPTR]: 'NAPTR',
};
const NXDOMAIN = 3;
const TTL_SECONDS = 1;

export class DnsServer {
  zone: Zone;
  /** `SRV _sip._udp.carrier.test`, in order of arrival. */
  readonly asked: string[] = [];
  readonly #socket: Socket;

  static async open(zone: Zone): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket, zone);
  }

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.zone = zone;
    socket.on('message', (query, { port, address }) =>
      socket.send(this.#answer(query), port, address),
    );
  }

  /** For `Resolver.setServers`. */
  get server(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    this.asked.push(`${TYPES[type] ?? type} ${name}`);
    const records = this.#records(name, type);
    const isKnown =
      name in (this.zone.addresses ?? {}) ||
      name in (this.zone.srv ?? {}) ||
      name in (this.zone.naptr ?? {});
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | (isKnown ? 0 : NXDOMAIN), 2); // response, authoritative
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.flatMap((data) => {
      const fields = Buffer.alloc(12);
      fields.writeUInt16BE(0xc00c, 0); // the name of the question
      fields.writeUInt16BE(type, 2);
      fields.writeUInt16BE(1, 4); // IN
      fields.writeUInt32BE(this.zone.ttlSeconds ?? TTL_SECONDS, 6);
      fields.writeUInt16BE(data.length, 10);
      return [fields, data];
    });
    return Buffer.concat([header, query.subarray(12, end + 4), ...answers]);
  }

  #records(name: string, type: number): Buffer[] {
    const addresses = this.zone.addresses?.[name] ?? [];
    if (type === A) {
      const ours = addresses.filter((address) => !isIPv6(address));
      return ours.map((address) => Buffer.from(address.split('.').map(Number)));
    }
    if (type === AAAA) return addresses.filter((address) => isIPv6(address)).map(ipv6Bytes);
    if (type === NAPTR) return (this.zone.naptr?.[name] ?? []).map(naptrBytes);
    if (type !== SRV) return [];
    return (this.zone.srv?.[name] ?? []).map(({ priority, weight, port, target }) => {
      const numbers = Buffer.alloc(6);
      for (const [index, number] of [priority, weight, port].entries()) {
        numbers.writeUInt16BE(number, 2 * index);
      }
      return Buffer.concat([numbers, writeName(target)]);
    });
  }
}

/** RFC 3403 §4.1, with the flag `s` and no regular expression. */
function naptrBytes({ order, preference, service, replacement }: NaptrAnswer): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt16BE(order, 0);
  numbers.writeUInt16BE(preference, 2);
  const texts = ['s', service, ''].map((text) =>
    Buffer.from(`${String.fromCharCode(text.length)}${text}`),
  );
  return Buffer.concat([numbers, ...texts, writeName(replacement)]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function writeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...parts, Buffer.alloc(1)]);
}

/** Only what the tests write: full groups, or one `::`. */
function ipv6Bytes(address: string): Buffer {
  const [left = '', right] = address.split('::');
  const groups = (text: string | undefined): string[] => (text ?? '').split(':').filter(Boolean);
  const [before, after] = [groups(left), groups(right)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries()) {
    bytes.writeUInt16BE(parseInt(group, 16), 2 * index);
  }
  return bytes;
}
