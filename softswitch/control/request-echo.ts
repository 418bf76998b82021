import type { ClientTransaction, ResponseOrigin } from '../sip/client-transaction.ts';
import { serializeSipMessage, type SipResponse } from '../sip/message.ts';
import type { ControlSession } from './control-session.ts';
import { receivedMeta, sentMeta, synthesisedMeta } from './message-meta.ts';
import type { SwitchContext } from './switch-context.ts';

/**
 * Keeps the client's order of events: the echo of its request first, then the responses. A transport
 * that fails at once reports its 503 before `send` has returned.
 */
export class RequestEcho {
  readonly #client: ControlSession;
  readonly #messageId: string;
  readonly #transactionId: string;
  readonly #context: SwitchContext;
  #transaction: ClientTransaction | undefined;
  #early: (() => void)[] | undefined;

  constructor(
    client: ControlSession,
    messageId: string,
    transactionId: string,
    context: SwitchContext,
  ) {
    this.#client = client;
    this.#messageId = messageId;
    this.#transactionId = transactionId;
    this.#context = context;
  }

  sent(transaction: ClientTransaction): void {
    this.#transaction = transaction;
    const { bytesSent, destination } = transaction;
    const meta = sentMeta(bytesSent.length, this.#context.stack.contactAddress(destination));
    this.#client.requestSent(this.#messageId, meta, this.#transactionId, bytesSent);
    for (const deliver of this.#early ?? []) deliver();
    this.#early = undefined;
  }

  deliver(response: SipResponse, from: ResponseOrigin, dialogId: string): void {
    if (this.#transaction === undefined) {
      (this.#early ??= []).push(() => this.deliver(response, from, dialogId));
      return;
    }
    const bytes = serializeSipMessage(response);
    const meta =
      from.source === 'stack' || from.address === undefined
        ? synthesisedMeta(this.#transaction.destination.protocol)
        : receivedMeta(bytes.length, from.address);
    this.#client.deliver(meta, this.#transactionId, dialogId, bytes);
  }
}
