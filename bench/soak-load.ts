/** Attempts at a steady rate, each held for the same time: rate × hold are live at once. */
import { randomUUID } from 'node:crypto';
import { isAttemptEvent, type AttemptEvent } from '../machines/telephony-events.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';

export interface SoakLoadOptions {
  readonly telephony: TelephonyPort;
  readonly gatewayId: string;
  readonly trunk: string;
  /** Attempts per second. */
  readonly rate: number;
  /** From the answer to our hang-up. */
  readonly holdMs: number;
}

interface OpenAttempt {
  answered: boolean;
  hangUp: NodeJS.Timeout | undefined;
}

export class SoakLoad {
  readonly failures = new Map<string, number>();
  started = 0;
  /** Most that were open at once. */
  openPeak = 0;
  answered = 0;
  readonly #options: SoakLoadOptions;
  readonly #open = new Map<string, OpenAttempt>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: SoakLoadOptions) {
    this.#options = options;
    this.#unsubscribe = options.telephony.subscribe((event) => {
      if (isAttemptEvent(event)) this.#hear(event);
    });
  }

  get live(): number {
    return [...this.#open.values()].filter(({ answered }) => answered).length;
  }

  /** Started and not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** Open loop: what is late is made up for, so a slow path shows as failures. */
  start(): void {
    const beganAtMs = performance.now();
    const tick = (): void => {
      const due = Math.floor(((performance.now() - beganAtMs) * this.#options.rate) / 1_000);
      while (this.started < due) this.#dial();
      this.#timer = setTimeout(tick, Math.max(1, 500 / this.#options.rate));
    };
    tick();
  }

  /** Dials no more; resolves when every attempt has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#unsubscribe();
  }

  #dial(): void {
    const { telephony, gatewayId, trunk } = this.#options;
    const attemptId = randomUUID();
    const atMs = Date.now();
    this.started += 1;
    this.#open.set(attemptId, { answered: false, hangUp: undefined });
    this.openPeak = Math.max(this.openPeak, this.#open.size);
    void telephony
      .send({
        ...{ type: 'attempt.dial', attemptId, fence: 1, seq: 1, atMs, gatewayId, trunk },
        ...{ notAfterMs: atMs + 30_000, destination: '+12065550123', callerId: '+12025550100' },
        ...{ setupTimeoutMs: 30_000, ringLimitMs: 30_000, callLengthMaxMs: 600_000 },
      })
      .then((reply) => {
        if (!reply.accepted) this.#settle(attemptId, `refused: ${reply.code}`);
      });
  }

  #hear(event: AttemptEvent): void {
    const open = this.#open.get(event.attemptId);
    if (open === undefined) return;
    if (event.type === 'attempt.answered') {
      open.answered = true;
      this.answered += 1;
      open.hangUp = setTimeout(() => this.#hangUp(event.attemptId), this.#options.holdMs);
    } else if (event.type === 'attempt.refused') {
      this.#settle(event.attemptId, `refused: ${event.code}`);
    } else if (event.type === 'attempt.ended') {
      clearTimeout(open.hangUp);
      const wasHeld = open.answered && event.endedBy === 'dialer';
      const { statusCode, origin } = event.sip;
      const failure = `ended by ${event.endedBy}: ${statusCode ?? 'no status'} from ${origin}`;
      this.#settle(event.attemptId, wasHeld ? undefined : failure);
    }
  }

  #hangUp(attemptId: string): void {
    void this.#options.telephony.send({
      ...{ type: 'attempt.hangup', attemptId, fence: 1, seq: 2, atMs: Date.now() },
      reason: 'completed',
    });
  }

  #settle(attemptId: string, failure: string | undefined): void {
    if (!this.#open.delete(attemptId)) return;
    if (failure !== undefined) this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
    if (this.#open.size === 0) this.#onIdle?.();
  }
}
