import type { TimerWheel } from '../timers/timer-wheel.ts';
import { cseqOf } from './cseq.ts';
import { Dialog } from './dialog.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import type { SipStack } from './sip-stack.ts';

const REMEMBERED_ANSWERS_MAX = 10_000;

/**
 * A 2xx to an INVITE that nobody wants: of a further fork, or after the call was given up. It makes
 * a dialog all the same, so it is acknowledged each time it comes and ended with one BYE
 * (RFC 3261 §13.2.2.4).
 */
export class UnwantedAnswers {
  readonly #stack: SipStack;
  readonly #timers: TimerWheel;
  readonly #acks = new Map<string, SipRequest>();

  constructor(stack: SipStack, timers: TimerWheel) {
    this.#stack = stack;
    this.#timers = timers;
  }

  /** True when it was such a 2xx. `headers` go on the BYE, a Reason for instance. */
  end(response: SipResponse, headers: readonly SipHeaderField[] = []): boolean {
    const isSuccess = response.statusCode >= 200 && response.statusCode < 300;
    const cseq = cseqOf(response);
    if (!isSuccess || cseq?.method !== 'INVITE') return false;
    const dialog = Dialog.fromStrayAnswer(response);
    const known = this.#acks.get(dialog.id);
    if (known !== undefined) {
      this.#stack.sendAck(known);
      return true;
    }
    const ack = dialog.createAck(cseq.number);
    this.#stack.sendAck(ack);
    this.#stack.send(dialog.createRequest('BYE', { headers }), {}, { onResponse: () => undefined });
    if (this.#acks.size < REMEMBERED_ANSWERS_MAX) {
      this.#acks.set(dialog.id, ack);
      // As long as the peer may repeat its 2xx, with a margin for what is still on the way.
      const { t1Ms, t4Ms } = this.#stack.settings;
      this.#timers.schedule(64 * t1Ms + t4Ms, () => this.#acks.delete(dialog.id));
    }
    return true;
  }
}
