/**
 * A leg beside the customer's: towards a phone of ours or an AI agent. It is called, and ends exactly
 * once: refused, lost, hung up by the far end, or let go by `end`, which sends what it takes.
 */
import type { GatewayClock } from '../clock.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { DigestAccount } from './authorization.ts';
import type { DialogEnder } from './dialog-ender.ts';
import { MediaLeg } from './media-leg.ts';
import type { SipLadder } from './sip-ladder.ts';
import type { SipLink } from './sip-link.ts';
import type { SipRequest, SipResponse } from './srf.port.ts';

/** 64 × T1 after CANCEL without a final response the INVITE counts as ended (RFC 3261 §9.1). */
const CANCEL_LIMIT_MS = 33_000;

export interface SecondLegHandlers {
  onRinging?(): void;
  onAnswered(): void;
  /** No conversation can come of it; `statusCode` where there was a final response. */
  onRefused(statusCode: number | null, detail: string): void;
  /** The connection to the switch dropped while it was being called. */
  onLost(): void;
  /** The far end hung up; or the switch ended the leg by itself (session timer). */
  onBye(bye: SipRequest, bySwitch: boolean): void;
  onMediaProblem(problem: string): void;
  onDigit(digit: ReceivedDigit): void;
  /** Answers the INFO. */
  onInfo(info: SipRequest, response: SipResponse): void;
  /** Its INVITE is on the wire. */
  onSent?(): void;
  /** Answers the REFER. Without it a REFER is declined. */
  onRefer?(refer: SipRequest, response: SipResponse): void;
  /** Our BYE is about to leave: the last moment for a request in the dialog. */
  onEnding?(): void;
  /** The far end's answer to our BYE. */
  onByeAnswered?(response: SipResponse): void;
}

export interface SecondLegParts {
  readonly services: {
    readonly link: SipLink;
    readonly ender: DialogEnder;
    readonly clock: GatewayClock;
  };
  readonly endpoint: MediaEndpoint;
  readonly ladder: SipLadder;
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly offer: string;
  /** Next hop, where it is not what the URI says. */
  readonly proxy?: string;
  readonly account?: DigestAccount | undefined;
  readonly handlers: SecondLegHandlers;
}

export class SecondLeg {
  readonly #parts: SecondLegParts;
  readonly #leg: MediaLeg;
  /** inviting: no final response yet. ended: nothing is left to be sent, or it is being sent. */
  #state: 'inviting' | 'answered' | 'ended' = 'inviting';
  /** We want no answer any more, but one may be on its way. */
  #cancelled = false;
  /** Settles when nothing of it is left on the wire. */
  readonly released: Promise<void>;
  #release: () => void = () => undefined;

  constructor(parts: SecondLegParts) {
    this.#parts = parts;
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
    const { services, handlers, ...leg } = parts;
    const { link, ender } = services;
    this.#leg = new MediaLeg({
      ...leg,
      ...{ link, ender },
      handlers: {
        onSent: () => handlers.onSent?.(),
        onRetry: () => undefined,
        onProvisional: (statusCode) => {
          if (statusCode >= 180 && !this.#cancelled) handlers.onRinging?.();
        },
        onAnswered: () => this.#onAnswered(),
        onUnusableAnswer: ({ status }, problem) => this.#onRefused(status, problem),
        onFinal: ({ status, reason }) => this.#onRefused(status, `answered ${status} ${reason}`),
        onNotSent: (problem) => this.#onRefused(null, problem),
        onLost: () => this.#onLost(),
        onBye: (bye, bySwitch) => this.#onBye(bye, bySwitch),
        onMediaProblem: (problem) => handlers.onMediaProblem(problem),
        onDigit: (digit) => handlers.onDigit(digit),
        onInfo: (info, response) => handlers.onInfo(info, response),
        ...(handlers.onRefer === undefined
          ? {}
          : { onRefer: (refer, response) => handlers.onRefer?.(refer, response) }),
      },
    });
  }

  /** Settles when the far end's SDP has been applied. */
  get mediaReady(): Promise<unknown> {
    return this.#leg.mediaReady;
  }

  get isAnswered(): boolean {
    return this.#state === 'answered';
  }

  start(): void {
    this.#leg.start();
  }

  /** CANCEL or BYE, whatever it takes; nothing when it has ended. */
  end(): void {
    if (this.#state === 'answered') this.#bye();
    else if (this.#state === 'inviting' && !this.#cancelled) this.#cancel();
  }

  /** A request inside the dialog. */
  request(...args: Parameters<MediaLeg['request']>): ReturnType<MediaLeg['request']> {
    return this.#leg.request(...args);
  }

  #onAnswered(): void {
    this.#state = 'answered';
    // Our CANCEL and the 200 crossed: somebody has answered for nobody.
    if (this.#cancelled) this.#bye();
    else this.#parts.handlers.onAnswered();
  }

  #onRefused(statusCode: number | null, detail: string): void {
    this.#bye(); // an unusable 2xx has made a dialog all the same
    if (!this.#cancelled) this.#parts.handlers.onRefused(statusCode, detail);
  }

  #onLost(): void {
    this.#state = 'ended';
    void this.#leg.orphan().then(this.#release);
    if (!this.#cancelled) this.#parts.handlers.onLost();
  }

  #onBye(bye: SipRequest, bySwitch: boolean): void {
    this.#state = 'ended';
    this.#parts.handlers.onBye(bye, bySwitch);
    this.#release();
  }

  #cancel(): void {
    const { clock } = this.#parts.services;
    this.#cancelled = true;
    this.#leg.cancel();
    const limit = clock.setTimeout(() => {
      this.#state = 'ended';
      void this.#leg.orphan().then(this.#release);
    }, CANCEL_LIMIT_MS);
    void this.released.then(() => clock.clearTimeout(limit));
  }

  #bye(): void {
    this.#state = 'ended';
    const { handlers } = this.#parts;
    handlers.onEnding?.();
    void this.#leg.bye().then((end) => {
      if (end?.kind === 'ended') handlers.onByeAnswered?.(end.response);
      this.#release();
    });
  }
}
