/**
 * The dialogs of the switch. drachtio names a dialog `<Call-ID>;from-tag=<tag of the first INVITE's
 * From>`, whichever side we are on; messages from the network are matched by Call-ID and our own tag.
 */
import type { Dialog } from '../sip/dialog.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import type { ClientTransaction } from '../sip/client-transaction.ts';
import { headerOf, type SipRequest } from '../sip/message.ts';
import type { Timer } from '../timers/timer-wheel.ts';
import type { ControlSession } from './control-session.ts';

/** A 2xx we have received and the client has still to acknowledge. */
export interface AckDue {
  readonly invite: SipRequest;
  /** Set when the call must not live: it was cancelled, or the answer cannot be used. */
  readonly thenBye: string | undefined;
}

/** A 2xx we have sent and the far end has still to acknowledge. */
export interface AckAwaited {
  readonly cseq: number;
  /** Under which the client gets the ACK. */
  readonly transactionId: string;
  /** Stops the repetitions. */
  stop(): void;
}

/** What is known of a dialog from its first message on. */
export interface DialogStart {
  readonly callId: string;
  readonly localTag: string;
  /** The tag of the first INVITE's From: ours as UAC, the far end's as UAS. */
  readonly fromTag: string;
  /** INVITE or SUBSCRIBE. */
  readonly method: string;
  readonly client: ControlSession;
  readonly local: SipAddress;
  readonly contact: string;
  readonly localSdp: Buffer | undefined;
}

/** A class and no literal, so that every record has one shape: they are touched by each message. */
export class DialogRecord {
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  readonly method: string;
  /** The client that set the dialog up; another of its tags takes over when it has gone. */
  client: ControlSession;
  /** Absent on our outgoing INVITE until a response with a To tag has come. */
  sip: Dialog | undefined = undefined;
  /** `ended` only waits for the client's ACK and is otherwise gone. */
  state: 'early' | 'confirmed' | 'ended' = 'early';
  /** The address of ours the dialog was set up on. */
  readonly local: SipAddress;
  /** Contact as we wrote it. */
  contact: string;
  /** Overrides route set and remote target: a far end behind a NAT, by drachtio-server's rule. */
  destination: SipAddress | undefined = undefined;
  ackDue: AckDue | undefined = undefined;
  /** The last ACK, to be repeated for a repeated 2xx. */
  lastAck: SipRequest | undefined = undefined;
  ackAwaited: AckAwaited | undefined = undefined;
  /** Our INVITE inside the dialog that has no final response yet. */
  reinvite: ClientTransaction | undefined = undefined;
  /** SDP we last sent, for a refreshing re-INVITE (RFC 4028 §7.4). */
  localSdp: Buffer | undefined;
  sessionTimer: Timer | undefined = undefined;
  /** The far end's INVITE, first or later, that has no final response yet: its transaction id. */
  openInvite: string | undefined = undefined;

  constructor(start: DialogStart) {
    this.id = dialogIdOf(start.callId, start.fromTag);
    this.callId = start.callId;
    this.localTag = start.localTag;
    this.method = start.method;
    this.client = start.client;
    this.local = start.local;
    this.contact = start.contact;
    this.localSdp = start.localSdp;
  }
}

export class DialogTable {
  readonly #byId = new Map<string, DialogRecord>();
  readonly #byLocalTag = new Map<string, DialogRecord>();
  readonly #byCallId = new Map<string, DialogRecord>();

  get size(): number {
    return this.#byId.size;
  }

  add(dialog: DialogRecord): void {
    this.#byId.set(dialog.id, dialog);
    this.#byLocalTag.set(localKey(dialog.callId, dialog.localTag), dialog);
    this.#byCallId.set(dialog.callId, dialog);
  }

  remove(dialog: DialogRecord): void {
    dialog.sessionTimer?.cancel();
    dialog.sessionTimer = undefined;
    dialog.ackAwaited?.stop();
    dialog.ackAwaited = undefined;
    const key = localKey(dialog.callId, dialog.localTag);
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
    if (this.#byLocalTag.get(key) === dialog) this.#byLocalTag.delete(key);
    if (this.#byCallId.get(dialog.callId) === dialog) this.#byCallId.delete(dialog.callId);
  }

  byId(id: string): DialogRecord | undefined {
    return this.#byId.get(id);
  }

  /** A confirmed dialog of that Call-ID: a client may name it in place of the dialog id. */
  byCallId(callId: string): DialogRecord | undefined {
    const dialog = this.#byCallId.get(callId);
    return dialog?.state === 'confirmed' ? dialog : undefined;
  }

  /** For a request from the network: our tag is in its To. */
  byLocalTag(callId: string, localTag: string): DialogRecord | undefined {
    return this.#byLocalTag.get(localKey(callId, localTag));
  }

  values(): IterableIterator<DialogRecord> {
    return this.#byId.values();
  }
}

export function dialogIdOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** The last NOTIFY of a subscription is to its dialog what BYE is to a call's (RFC 6665 §4.4.1). */
export function endsSubscription(request: SipRequest, dialog: DialogRecord): boolean {
  if (request.method !== 'NOTIFY' || dialog.method !== 'SUBSCRIBE') return false;
  return /^\s*terminated\b/i.test(headerOf(request, 'Subscription-State') ?? '');
}

function localKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
