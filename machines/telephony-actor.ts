/**
 * Joins call attempt machines to a TelephonyPort: one subscription for all of them, events handed
 * out by attempt id in O(1), commands stamped with the time and sent, replies brought back.
 */
import { fromCallback } from 'xstate';
import type { AttemptOrder, CallAttemptEvent } from './call-attempt.events.ts';
import { isAttemptEvent, type AttemptEvent, type EventOf } from './telephony-events.ts';
import type { TelephonyInput } from './telephony-input.ts';
import type { TelephonyPort } from './telephony.port.ts';

type Inbox = (event: CallAttemptEvent) => void;

export class TelephonyActors {
  readonly #port: TelephonyPort;
  readonly #nowMs: () => number;
  readonly #inboxes = new Map<string, Inbox>();
  readonly #gateways = new WeakMap<Inbox, string>();
  readonly #unsubscribe: () => void;

  /** `nowMs` is the wall clock, epoch ms: it only dates commands, no timer hangs on it. */
  constructor(port: TelephonyPort, nowMs: () => number) {
    this.#port = port;
    this.#nowMs = nowMs;
    this.#unsubscribe = port.subscribe((event) => {
      if (isAttemptEvent(event)) this.#deliver(event);
      else if (event.type === 'gateway.lost') this.#lose(event);
    });
  }

  /** For `callAttemptMachine.provide({ actors: { telephony: … } })`, shared by all attempts. */
  readonly logic = fromCallback<AttemptOrder, TelephonyInput>(
    ({ input: { attemptId, gatewayId }, receive, sendBack }) => {
      let isOpen = true;
      const inbox: Inbox = (event) => {
        if (isOpen) sendBack(event);
      };
      this.#inboxes.set(attemptId, inbox);
      this.#gateways.set(inbox, gatewayId);
      receive((order) => {
        this.#send(order, inbox);
      });
      return () => {
        isOpen = false;
        if (this.#inboxes.get(attemptId) === inbox) this.#inboxes.delete(attemptId);
      };
    },
  );

  /** Attempts that are being worked now. */
  get open(): number {
    return this.#inboxes.size;
  }

  /** Ends the subscription. Attempts still at work hear nothing more and end as Unknown. */
  close(): void {
    this.#unsubscribe();
  }

  #deliver(event: AttemptEvent): void {
    this.#inboxes.get(event.attemptId)?.(event);
  }

  /** Its attempts are in doubt: each asks, and whoever answers for the gateway says what it knows. */
  #lose({ gatewayId, detail }: EventOf<'gateway.lost'>): void {
    for (const inbox of [...this.#inboxes.values()]) {
      if (this.#gateways.get(inbox) !== gatewayId) continue;
      inbox({ type: 'telephony.lost', detail: `${gatewayId}: ${detail}` });
    }
  }

  #send(order: AttemptOrder, inbox: Inbox): void {
    const { type: command, seq } = order;
    this.#port.send({ ...order, atMs: this.#nowMs() }).then(
      (reply) => inbox({ type: 'telephony.reply', command, seq, reply }),
      (error: unknown) => inbox({ type: 'telephony.lost', detail: String(error) }),
    );
  }
}
