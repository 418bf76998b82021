/** A gateway on the switch of a rig, commanded one by one, with a phone or the lab at its far end. */
import { EventEmitter, once } from 'node:events';
import type { Test } from 'tap';
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import type { AttemptDial, AttemptPlay } from '../../machines/telephony-commands.ts';
import {
  isAttemptEvent,
  type AttemptEvent,
  type EventOf,
} from '../../machines/telephony-events.ts';
import { CustomerPhone } from './customer-phone.ts';
import { DialingRig } from './dialing-rig.ts';

const WITHIN_MS = 30_000;

type AttemptEventOf<T extends AttemptEvent['type']> = EventOf<T>;

export class EdgeStand {
  readonly rig: DialingRig;
  readonly phone: CustomerPhone;
  readonly events: (AttemptEvent & { readonly heardAtMs: number })[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #seqs = new Map<string, number>();

  /** `address`: of another far end than the phone. */
  static async start(
    t: Test,
    options: { address?: string; gateway: Partial<GatewayConfig> },
  ): Promise<EdgeStand> {
    const phone = await CustomerPhone.open();
    // Before the rig is started: it may refuse to.
    t.teardown(() => phone.close());
    const { address = phone.address, gateway } = options;
    const rig = await DialingRig.start({
      trunks: [{ name: 'far', address }],
      gateway: { listenInThread: true, ...gateway },
    });
    t.teardown(() => rig.stop());
    return new EdgeStand(rig, phone);
  }

  private constructor(rig: DialingRig, phone: CustomerPhone) {
    this.rig = rig;
    this.phone = phone;
    rig.gateway.subscribe((event) => {
      if (!isAttemptEvent(event)) return;
      this.events.push({ ...event, heardAtMs: performance.now() });
      this.#news.emit('event');
    });
  }

  dial(attemptId: string, more: Partial<AttemptDial> = {}) {
    return this.rig.gateway.send({
      type: 'attempt.dial',
      ...{ ...this.#envelope(attemptId), gatewayId: 'rig', notAfterMs: Date.now() + 10_000 },
      ...{ trunk: 'far', destination: '+12065550123', callerId: '+12025550100' },
      ...{ setupTimeoutMs: 40_000, ringLimitMs: 60_000, callLengthMaxMs: 120_000 },
      ...more,
    });
  }

  play(
    attemptId: string,
    play: Omit<AttemptPlay, 'type' | 'attemptId' | 'fence' | 'seq' | 'atMs'>,
  ) {
    return this.rig.gateway.send({ type: 'attempt.play', ...this.#envelope(attemptId), ...play });
  }

  async hangup(attemptId: string): Promise<void> {
    const envelope = this.#envelope(attemptId);
    await this.rig.gateway.send({ type: 'attempt.hangup', ...envelope, reason: 'completed' });
    await this.rig.gateway.whenReleased(attemptId);
  }

  told(attemptId: string): string[] {
    return this.events.filter((e) => e.attemptId === attemptId).map(({ type }) => type.slice(8));
  }

  /** The first event of that type an attempt tells, now or soon. */
  async until<T extends AttemptEvent['type']>(
    attemptId: string,
    type: T,
    isIt: (event: AttemptEventOf<T>) => boolean = () => true,
  ) {
    type Found = AttemptEventOf<T> & { readonly heardAtMs: number };
    const find = (): Found | undefined =>
      this.events.find(
        (e): e is Found & typeof e =>
          e.attemptId === attemptId && e.type === type && isIt(e as AttemptEventOf<T>),
      );
    const signal = AbortSignal.timeout(WITHIN_MS);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await once(this.#news, 'event', { signal }).catch(() => {
        throw new Error(`${attemptId}: no ${type}, but ${this.told(attemptId).join(', ')}`);
      });
    }
  }

  #envelope(attemptId: string) {
    const seq = (this.#seqs.get(attemptId) ?? 0) + 1;
    this.#seqs.set(attemptId, seq);
    return { attemptId, fence: 1, seq, atMs: Date.now() };
  }
}
