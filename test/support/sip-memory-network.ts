/** An in-memory network on an injected clock: SIP transports that lose, delay and refuse on command. */
import { parseSipMessage } from '../../softswitch/sip/parse-message.ts';
import type { SipMessage } from '../../softswitch/sip/message.ts';
import type { SipAddress } from '../../softswitch/sip/sip-address.ts';
import type {
  OpenTransport,
  SipTransport,
  TransportEvents,
} from '../../softswitch/sip/transport.ts';
import type { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';

export interface Packet {
  /** When it was sent. */
  readonly atMs: number;
  readonly from: SipAddress;
  readonly to: SipAddress;
  readonly bytes: Buffer;
  readonly message: SipMessage;
  /** `INVITE`, or `200 INVITE` for a response. */
  readonly label: string;
}

export type Fate = 'deliver' | 'lose' | 'refuse';

const LATENCY_MS = 1;

/** A far end that does only what the test says. */
export interface RawPeer {
  readonly address: SipAddress;
  readonly received: Packet[];
  onPacket: (packet: Packet) => void;
  send(bytes: Buffer | string, to: SipAddress): void;
}

export class MemoryNetwork {
  /** All that was sent, delivered or not, in order. */
  readonly packets: Packet[] = [];
  fate: (packet: Packet) => Fate = () => 'deliver';
  readonly #timers: ManualTimerWheel;
  readonly #endpoints = new Map<string, (packet: Packet) => void>();
  #nextPort = 10_000;

  constructor(timers: ManualTimerWheel) {
    this.#timers = timers;
  }

  readonly open: OpenTransport = (address, events) =>
    Promise.resolve(this.#transport(address, events));

  peer(protocol: SipAddress['protocol'] = 'udp'): RawPeer {
    const address: SipAddress = { protocol, host: '192.0.2.9', port: this.#nextPort++ };
    const peer: RawPeer = {
      address,
      received: [],
      onPacket: () => undefined,
      send: (bytes, to) => {
        this.#carry(Buffer.from(bytes), address, to, () => undefined);
      },
    };
    this.#endpoints.set(keyOf(address), (packet) => {
      peer.received.push(packet);
      peer.onPacket(packet);
    });
    return peer;
  }

  /** Labels and sending times of what one side sent. */
  sentBy(address: SipAddress): string[] {
    return this.packets
      .filter(({ from }) => keyOf(from) === keyOf(address))
      .map(({ label, atMs }) => `${label} @${atMs}`);
  }

  #transport(address: SipAddress, events: TransportEvents): SipTransport {
    const local: SipAddress = {
      ...address,
      port: address.port === 0 ? this.#nextPort++ : address.port,
    };
    const transport: SipTransport = {
      local,
      reliable: local.protocol === 'tcp',
      isConnected: () => true,
      send: (bytes, destination, _awaitsReply, onFailure) => {
        this.#carry(bytes, local, destination, onFailure);
      },
      close: () => {
        this.#endpoints.delete(keyOf(local));
        return Promise.resolve();
      },
    };
    this.#endpoints.set(keyOf(local), ({ bytes, from }) => {
      events.onMessage(bytes, from, transport);
    });
    return transport;
  }

  #carry(
    bytes: Buffer,
    from: SipAddress,
    to: SipAddress,
    onFailure: (problem: string) => void,
  ): void {
    const outcome = parseSipMessage(bytes);
    if (!outcome.ok) throw new Error(`the test sent what is no SIP: ${outcome.problem}`);
    const { message } = outcome;
    const packet: Packet = {
      atMs: this.#timers.nowMs(),
      from,
      to,
      bytes,
      message,
      label: labelOf(message),
    };
    this.packets.push(packet);
    const fate = this.fate(packet);
    if (fate === 'lose') return;
    this.#timers.schedule(LATENCY_MS, () => {
      const receive = this.#endpoints.get(keyOf(to));
      if (fate === 'refuse') onFailure('ECONNREFUSED');
      else receive?.(packet);
    });
  }
}

function keyOf(address: SipAddress): string {
  return `${address.protocol}/${address.host}:${address.port}`;
}

function labelOf(message: SipMessage): string {
  if (message.kind === 'request') return message.method;
  const cseq = message.headers.find(({ name }) => name === 'CSeq')?.value ?? '';
  return `${message.statusCode} ${cseq.split(' ')[1] ?? ''}`;
}
