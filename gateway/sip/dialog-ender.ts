/**
 * Ends dialogs, however long that takes: BYE now, or as soon as the switch is connected again, by the
 * id that was stored when the call was answered. Nothing a gateway started is left ringing or talking
 * because a TCP connection dropped.
 */
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { DigestAccount } from './authorization.ts';
import { byeHeaders, type DialogRecord } from './dialog-record.ts';
import type { InviteIdentity } from './outgoing-invite.ts';
import type { SipLink } from './sip-link.ts';
import type { SipResponse } from './srf.port.ts';

/** ended: the far end (or timer F) answered the BYE. gone: nobody knew the dialog any more. */
export type DialogEnd =
  | { readonly kind: 'ended'; readonly response: SipResponse }
  | { readonly kind: 'gone' }
  | { readonly kind: 'abandoned'; readonly problem: string };

/**
 * An INVITE whose answer we could not hear may still be answered later. Its BYE is tried after these
 * pauses; together they outlast timer B and the 2xx retransmissions (64 × T1 = 32 s).
 */
const ORPHAN_PAUSES_MS = [0, 1_000, 4_000, 12_000, 20_000];

export interface ByeOptions {
  /** Answers a challenge of the BYE. */
  readonly account?: DigestAccount;
  readonly headers?: Record<string, string>;
}

export class DialogEnder {
  readonly #parts: {
    link: SipLink;
    clock: GatewayClock;
    log: GatewayLog;
    counters: GatewayCounters;
  };
  readonly #waiting = new Set<() => void>();
  readonly #unknown = new Set<string>();
  #byes = 0;
  #orphans = 0;
  #closed = false;

  constructor(parts: {
    link: SipLink;
    clock: GatewayClock;
    log: GatewayLog;
    counters: GatewayCounters;
  }) {
    this.#parts = parts;
    parts.link.onUp(() => this.#wake());
  }

  /** Dialogs and orphaned INVITEs not ended yet. */
  get inHand(): number {
    return this.#byes + this.#orphans;
  }

  /** Those of them that only wait for an answer, or for the switch to come back. */
  get byesInHand(): number {
    return this.#byes;
  }

  /** Sends BYE until somebody has had it. Never rejects. */
  async bye(record: DialogRecord, options: ByeOptions = {}): Promise<DialogEnd> {
    this.#byes += 1;
    try {
      return await this.#bye(record, options);
    } finally {
      this.#byes -= 1;
    }
  }

  /**
   * A call that another gateway answered for and nobody attends any more: its id is all that is known
   * of it. Once for each dialog, however often it is asked for.
   */
  async byeUnknown(dialogId: string): Promise<void> {
    if (this.#unknown.has(dialogId)) return;
    this.#unknown.add(dialogId);
    this.#byes += 1;
    try {
      for (;;) {
        await this.#linkUp();
        if (this.#closed) return;
        const outcome = await this.#sendBye({ stackDialogId: dialogId });
        if (outcome.kind === 'lost') continue;
        if (outcome.kind === 'response') this.#parts.counters.byesRecovered += 1;
        this.#parts.log.info({ dialogId, outcome: outcome.kind }, 'a call left by another gateway');
        return;
      }
    } finally {
      this.#byes -= 1;
      this.#unknown.delete(dialogId);
    }
  }

  /** An INVITE that was in flight when the connection dropped: CANCEL it, and BYE what it became. */
  async endOrphan(invite: InviteIdentity): Promise<void> {
    this.#orphans += 1;
    try {
      for (const [index, pauseMs] of ORPHAN_PAUSES_MS.entries()) {
        if (pauseMs > 0) await this.#pause(pauseMs);
        await this.#linkUp();
        if (this.#closed) return;
        if (index === 0) {
          const { uri, transactionId } = invite;
          this.#parts.link.tell(uri, { method: 'CANCEL', stackTxnId: transactionId });
          this.#parts.counters.cancelsSent += 1;
        }
        const outcome = await this.#sendBye({ stackDialogId: invite.dialogId });
        if (outcome.kind !== 'response') continue;
        this.#parts.counters.byesRecovered += 1;
        return;
      }
    } finally {
      this.#orphans -= 1;
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async #bye(record: DialogRecord, options: ByeOptions): Promise<DialogEnd> {
    const { counters, log } = this.#parts;
    let recovered = !this.#parts.link.isUp;
    for (;;) {
      await this.#linkUp();
      if (this.#closed) return this.#abandoned(record, 'the gateway was closed');
      const outcome = await this.#sendBye({ stackDialogId: record.dialogId, ...options });
      switch (outcome.kind) {
        case 'response':
          if (recovered) counters.byesRecovered += 1;
          return { kind: 'ended', response: outcome.response };
        case 'lost':
          recovered = true;
          continue;
        case 'timeout':
          return this.#abandoned(record, 'no answer to the BYE');
        case 'refused':
          if (outcome.error.code !== 'ENODIALOG') {
            return this.#abandoned(record, outcome.error.message);
          }
          // Without a loss in between, the far end's own BYE was quicker than ours.
          if (!recovered) return { kind: 'gone' };
          log.info({ callId: record.callId }, 'dialog unknown to the switch: BYE made by hand');
          return this.#byeByHand(record, options);
      }
    }
  }

  /** The switch was started anew. Whether it still takes such a BYE depends on the switch. */
  async #byeByHand(record: DialogRecord, options: ByeOptions): Promise<DialogEnd> {
    const headers = { ...options.headers, ...byeHeaders(record) };
    const outcome = await this.#sendBye({ ...options, headers }, record.remoteTarget);
    if (outcome.kind !== 'response') return { kind: 'gone' };
    this.#parts.counters.byesRecovered += 1;
    return { kind: 'ended', response: outcome.response };
  }

  #sendBye(options: ByeOptions & { stackDialogId?: string }, uri = 'sip:placeholder') {
    const { account, ...rest } = options;
    this.#parts.counters.byesSent += 1;
    const more = account === undefined ? {} : { account };
    return this.#parts.link.request(uri, { method: 'BYE', ...rest }, more);
  }

  #abandoned(record: DialogRecord, problem: string): DialogEnd {
    this.#parts.counters.byesAbandoned += 1;
    this.#parts.log.warn({ callId: record.callId, problem }, 'dialog not ended');
    return { kind: 'abandoned', problem };
  }

  #linkUp(): Promise<void> {
    if (this.#closed || this.#parts.link.isUp) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#parts.clock.clearTimeout(timer);
        this.#pauses.delete(done);
        resolve();
      };
      const timer = this.#parts.clock.setTimeout(done, delayMs);
      this.#pauses.add(done);
    });
  }

  readonly #pauses = new Set<() => void>();

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
    if (this.#closed) for (const end of [...this.#pauses]) end();
  }
}
