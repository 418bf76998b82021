/** Events of the gateway itself, and the listeners of all events. */
import type { GatewayCapacity } from '../machines/gateway-events.ts';
import type { TelephonyEvent } from '../machines/telephony-events.ts';
import type { GatewayClock } from './clock.ts';
import type { GatewayLog } from './gateway-log.ts';
import type { CallQuality } from './media/call-quality.ts';
import type { DialInEventBody } from './dial-in/dial-in-desk.ts';
import type { InboundEventBody } from './inbound/inbound-desk.ts';
import type { TranscriptionEventBody } from './transcription/transcription-desk.ts';
import type { TrunkNews } from './trunks/trunk-directory.ts';

type Capacity = Pick<GatewayCapacity, 'attemptsMax' | 'attemptsInFlight' | 'endpointsWarm'>;

export type QualityListener = (trunk: string, quality: CallQuality) => void;

/** Capacity changes with every call; whoever paces by it needs it this often at most. */
const CAPACITY_PAUSE_MS = 1_000;

export class GatewayEvents {
  readonly #parts: { gatewayId: string; clock: GatewayClock; log: GatewayLog };
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #qualityListeners = new Set<QualityListener>();
  readonly #unpublished: TelephonyEvent[] = [];
  #publishing = false;
  #seq = 0;
  #capacityTimer: unknown;
  #lastCapacity = '';

  constructor(parts: { gatewayId: string; clock: GatewayClock; log: GatewayLog }) {
    this.#parts = parts;
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Every listener hears every event in the same order: what a listener causes by a command of its
   * own waits until the others have heard the cause.
   */
  publish(...events: TelephonyEvent[]): void {
    this.#unpublished.push(...events);
    if (this.#publishing) return;
    this.#publishing = true;
    for (let next = this.#unpublished.shift(); next; next = this.#unpublished.shift()) {
      this.#tell(next);
    }
    this.#publishing = false;
  }

  /** A listener that throws is a mistake of its own; the others and the call go on. */
  #tell(event: TelephonyEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#parts.log.error({ err: error, event: event.type }, 'an event listener threw');
      }
    }
  }

  /** How well the far end of a call was heard: for metrics, and no part of the contract. */
  onCallQuality(listener: QualityListener): () => void {
    this.#qualityListeners.add(listener);
    return () => this.#qualityListeners.delete(listener);
  }

  callQuality(trunk: string, quality: CallQuality): void {
    for (const listener of this.#qualityListeners) listener(trunk, quality);
  }

  trunkState({ name: trunk, ...said }: TrunkNews): void {
    this.publish({ type: 'trunk.state', ...this.#envelope(), trunk, ...said });
  }

  /** What belongs to no attempt of ours, or comes when it is long over. */
  gatewayNews(body: InboundEventBody | DialInEventBody | TranscriptionEventBody): void {
    this.publish({ ...this.#envelope(), ...body });
  }

  /** Told at most once a second, and only when it changed. */
  capacityChanged(read: () => Capacity): void {
    if (this.#capacityTimer !== undefined) return;
    this.#capacityTimer = this.#parts.clock.setTimeout(() => {
      this.#capacityTimer = undefined;
      const capacity = read();
      const print = JSON.stringify(capacity);
      if (print === this.#lastCapacity) return;
      this.#lastCapacity = print;
      this.publish({ type: 'gateway.capacity', ...this.#envelope(), ...capacity });
    }, CAPACITY_PAUSE_MS);
  }

  close(): void {
    this.#parts.clock.clearTimeout(this.#capacityTimer);
  }

  #envelope() {
    this.#seq += 1;
    return {
      gatewayId: this.#parts.gatewayId,
      seq: this.#seq,
      atMs: this.#parts.clock.now(),
    };
  }
}
