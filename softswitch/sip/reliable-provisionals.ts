/** Provisional responses of ours that are repeated until their PRACK comes (RFC 3262 §3). */
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import { cseqOf } from './cseq.ts';
import { headerOf, type SipRequest, type SipResponse } from './message.ts';
import { sdpOf } from './session-description.ts';

export interface ReliableProvisionalsParts {
  readonly timers: TimerWheel;
  readonly t1Ms: number;
  readonly respond: (response: SipResponse) => void;
  /** 64*T1 without a PRACK: the INVITE should be refused with a 5xx. */
  readonly onGiveUp: () => void;
  /** The last of them has its PRACK: what waited may go out. */
  readonly onAllAcknowledged: () => void;
}

/** §3: the first RSeq is from 1 to 2^31 - 1; a random start tells calls apart. */
const FIRST_RSEQ_MAX = 1_000_000;

export class ReliableProvisionals {
  readonly #parts: ReliableProvisionalsParts;
  #rseq = Math.floor(Math.random() * FIRST_RSEQ_MAX);
  /** The first is on its way; the next waits for its PRACK. */
  readonly #queue: SipResponse[] = [];
  /** Sent, PRACK outstanding; those a final response overtook stay here, no longer repeated. */
  readonly #sent = new Map<number, SipResponse>();
  #repeatTimer: Timer | undefined;
  #giveUpTimer: Timer | undefined;

  constructor(parts: ReliableProvisionalsParts) {
    this.#parts = parts;
  }

  /** §3, §5: no 2xx while one that carries a session description is unacknowledged. */
  get holdsBackAnswer(): boolean {
    return this.#queue.some((response) => sdpOf(response) !== undefined);
  }

  send(response: SipResponse): void {
    this.#queue.push(response);
    if (this.#queue.length === 1) this.#sendFirst();
  }

  /** The response that a PRACK acknowledges; undefined when there is none: 481. */
  acknowledge(prack: SipRequest): SipResponse | undefined {
    const [, rseq, cseq] =
      /^\s*(\d{1,10})\s+(\d{1,10})\s+INVITE\s*$/.exec(headerOf(prack, 'RAck') ?? '') ?? [];
    const response = this.#sent.get(Number(rseq));
    if (response === undefined || cseqOf(response)?.number !== Number(cseq)) return undefined;
    this.#sent.delete(Number(rseq));
    if (this.#queue[0] !== response) return response;
    this.#stopTimers();
    this.#queue.shift();
    if (this.#queue.length > 0) this.#sendFirst();
    return response;
  }

  /** After the PRACK has been answered. */
  acknowledged(): void {
    if (this.#queue.length === 0) this.#parts.onAllAcknowledged();
  }

  /** A final response goes out, or the call is over. A PRACK on its way is still taken. */
  stop(): void {
    this.#stopTimers();
    this.#queue.length = 0;
  }

  #sendFirst(): void {
    const [response] = this.#queue;
    if (response === undefined) return;
    const { timers, t1Ms } = this.#parts;
    this.#rseq += 1;
    response.headers.push(
      { name: 'Require', value: '100rel' },
      { name: 'RSeq', value: String(this.#rseq) },
    );
    this.#sent.set(this.#rseq, response);
    this.#parts.respond(response);
    this.#giveUpTimer = timers.schedule(64 * t1Ms, () => {
      this.stop();
      this.#parts.onGiveUp();
    });
    this.#repeatAfter(response, t1Ms);
  }

  /** T1, 2*T1, 4*T1 ... without T2 as an upper bound. */
  #repeatAfter(response: SipResponse, delayMs: number): void {
    this.#repeatTimer = this.#parts.timers.schedule(delayMs, () => {
      this.#parts.respond(response);
      this.#repeatAfter(response, 2 * delayMs);
    });
  }

  #stopTimers(): void {
    this.#repeatTimer?.cancel();
    this.#giveUpTimer?.cancel();
  }
}
