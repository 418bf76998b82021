/** One request from the network that waits for a client's answer. */
import type { ServerTransaction } from '../sip/server-transaction.ts';
import type { Timer } from '../timers/timer-wheel.ts';
import type { AnswerRepetition } from './answer-repetition.ts';
import type { ControlSession } from './control-session.ts';
import type { DialogRecord } from './dialog-table.ts';

export interface IncomingRequest {
  /** What frames call the transaction. */
  readonly id: string;
  readonly transaction: ServerTransaction;
  readonly client: ControlSession;
  /** The dialog it came in, or, for an INVITE, the one our first response has opened. */
  dialog: DialogRecord | undefined;
  /** It came inside a dialog that was there before. */
  readonly inDialog: boolean;
  /** Runs while the client has said nothing at all. */
  patience: Timer | undefined;
  /** Provisional responses sent reliably (RFC 3262): the last RSeq, and its repetition until PRACK. */
  rseq: number;
  unpracked: AnswerRepetition | undefined;
}

/** The pending ones, by transaction id. */
export class IncomingRequests {
  readonly #byId = new Map<string, IncomingRequest>();

  get size(): number {
    return this.#byId.size;
  }

  add(incoming: IncomingRequest): void {
    this.#byId.set(incoming.id, incoming);
  }

  get(id: string): IncomingRequest | undefined {
    return this.#byId.get(id);
  }

  /** Ends the wait; the transaction itself goes on for as long as RFC 3261 wants it to. */
  remove(incoming: IncomingRequest): void {
    incoming.patience?.cancel();
    incoming.patience = undefined;
    incoming.unpracked?.stop();
    incoming.unpracked = undefined;
    if (incoming.dialog?.openInvite === incoming.id) incoming.dialog.openInvite = undefined;
    this.#byId.delete(incoming.id);
  }

  ofClient(client: ControlSession): IncomingRequest[] {
    return [...this.#byId.values()].filter((incoming) => incoming.client === client);
  }
}
