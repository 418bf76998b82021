/**
 * A UDP relay that loses, delays and repeats datagrams, so that a test can put a bad network between
 * two SIP stacks. Each client (source address) gets an upstream socket of its own, as behind a NAT,
 * and what comes back on it goes to that client. Nothing inside a datagram is rewritten: a far end
 * that is to stay behind the relay must advertise the relay's port in its Contact.
 */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

export type RelayDirection = 'toTarget' | 'toClient';

export interface RelayAddress {
  readonly host: string;
  readonly port: number;
}

/** What happens to datagrams of one direction. Ratios are fractions in [0, 1]. */
export interface RelayFaults {
  readonly lossRatio?: number;
  readonly duplicateRatio?: number;
  /** Each copy waits a uniformly drawn time, so a wide range also reorders. */
  readonly delayMinMs?: number;
  readonly delayMaxMs?: number;
  /** Aimed loss, asked before the dice: `index` counts datagrams of this direction from 0. */
  readonly drop?: (datagram: Buffer, index: number) => boolean;
}

export interface FaultRelayOptions {
  /** May be set later with `setTarget`; datagrams that come sooner count as dropped. */
  readonly target?: RelayAddress;
  readonly host?: string;
  /** The nth datagram of a direction meets the same fate in every run with the same seed. */
  readonly seed: number;
  readonly toTarget?: RelayFaults;
  readonly toClient?: RelayFaults;
}

export interface RelayCounters {
  received: number;
  dropped: number;
  duplicated: number;
  /** Copies that left the relay, duplicates included. */
  forwarded: number;
}

/** mulberry32: 32 bits of state, enough for dice, and the same numbers on every platform. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One direction's dice. Every datagram draws the same count of numbers, whatever its fate. */
class FaultDice {
  readonly counters: RelayCounters = { received: 0, dropped: 0, duplicated: 0, forwarded: 0 };
  readonly #faults: RelayFaults;
  readonly #random: () => number;

  constructor(faults: RelayFaults, seed: number) {
    for (const ratio of [faults.lossRatio ?? 0, faults.duplicateRatio ?? 0]) {
      assert(ratio >= 0 && ratio <= 1, `ratio outside [0, 1]: ${ratio}`);
    }
    this.#faults = faults;
    this.#random = seededRandom(seed);
  }

  /** The delays in ms of the copies to send: none when the datagram is lost. */
  copiesOf(datagram: Buffer): number[] {
    const { lossRatio = 0, duplicateRatio = 0, delayMinMs = 0, drop } = this.#faults;
    const delayMaxMs = Math.max(delayMinMs, this.#faults.delayMaxMs ?? delayMinMs);
    const index = this.counters.received++;
    const [loss, duplicate, first, second] = Array.from({ length: 4 }, this.#random);
    assert(loss !== undefined && duplicate !== undefined);
    if (drop?.(datagram, index) === true || loss < lossRatio) {
      this.counters.dropped += 1;
      return [];
    }
    const delays = [first, second].map((r = 0) => delayMinMs + r * (delayMaxMs - delayMinMs));
    if (duplicate >= duplicateRatio) return delays.slice(0, 1);
    this.counters.duplicated += 1;
    return delays;
  }
}

export class FaultRelay {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #dice: Readonly<Record<RelayDirection, FaultDice>>;
  readonly #upstream = new Map<string, Promise<Socket>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #target: RelayAddress | undefined;
  #closed = false;

  static async open(options: FaultRelayOptions): Promise<FaultRelay> {
    const host = options.host ?? '127.0.0.1';
    return new FaultRelay(await boundSocket(host), host, options);
  }

  private constructor(socket: Socket, host: string, options: FaultRelayOptions) {
    this.host = host;
    this.port = socket.address().port;
    this.#socket = socket;
    this.#target = options.target;
    this.#dice = {
      toTarget: new FaultDice(options.toTarget ?? {}, options.seed),
      toClient: new FaultDice(options.toClient ?? {}, options.seed ^ 0x5bd1e995),
    };
    socket.on('message', (datagram, client) => void this.#relayToTarget(datagram, client));
  }

  setTarget(target: RelayAddress): void {
    this.#target = target;
  }

  get counters(): Readonly<Record<RelayDirection, Readonly<RelayCounters>>> {
    return { toTarget: this.#dice.toTarget.counters, toClient: this.#dice.toClient.counters };
  }

  /** Datagrams still held back by a delay are dropped. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const sockets = [this.#socket, ...(await Promise.all(this.#upstream.values()))];
    await Promise.all(
      sockets.map(async (socket) => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      }),
    );
  }

  async #relayToTarget(datagram: Buffer, client: RemoteInfo): Promise<void> {
    const copies = this.#dice.toTarget.copiesOf(datagram);
    const upstream = await this.#upstreamFor(client);
    for (const delayMs of copies) {
      this.#after(delayMs, () => {
        if (this.#target !== undefined) {
          this.#forward('toTarget', upstream, datagram, this.#target);
        }
      });
    }
  }

  #upstreamFor(client: RemoteInfo): Promise<Socket> {
    const key = `${client.address}:${client.port}`;
    const known = this.#upstream.get(key);
    if (known !== undefined) return known;
    const opened = boundSocket(this.host).then((socket) => {
      socket.on('message', (datagram) => {
        for (const delayMs of this.#dice.toClient.copiesOf(datagram)) {
          const to = { host: client.address, port: client.port };
          this.#after(delayMs, () => this.#forward('toClient', this.#socket, datagram, to));
        }
      });
      return socket;
    });
    this.#upstream.set(key, opened);
    return opened;
  }

  #forward(direction: RelayDirection, via: Socket, datagram: Buffer, to: RelayAddress): void {
    if (this.#closed) return;
    this.#dice[direction].counters.forwarded += 1;
    // A closed port behind the relay answers with ICMP, which UDP through a relay would not pass on.
    via.send(datagram, to.port, to.host, () => undefined);
  }

  #after(delayMs: number, run: () => void): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      run();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, delayMs);
    this.#timers.add(timer);
  }
}

async function boundSocket(host: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined); // ICMP errors; a failed bind is thrown by `once` below
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}
