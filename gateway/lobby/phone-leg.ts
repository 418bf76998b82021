/**
 * The SIP leg towards a phone of ours: a representative's, a supervisor's, the destination of a
 * transfer. Called, watched and let go; ends exactly once, told or by `end`.
 */
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import { MediaLeg } from '../sip/media-leg.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { DigestAccount } from '../sip/authorization.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';

/** 64 × T1 after CANCEL without a final response the INVITE counts as ended (RFC 3261 §9.1). */
const CANCEL_LIMIT_MS = 33_000;

export interface PhoneLegHandlers {
  onRinging?(): void;
  onAnswered(): void;
  /** No conversation can come of it; `statusCode` where there was a final response. */
  onRefused(statusCode: number | null, detail: string): void;
  /** The connection to the switch dropped while the phone was being called. */
  onLost(): void;
  /** They hung up; or the switch ended the leg by itself (session timer). */
  onLeft(bySwitch: boolean): void;
  onMediaProblem(problem: string): void;
  onDigit(digit: ReceivedDigit): void;
  /** Answers the REFER. Without it a REFER is declined. */
  onRefer?(refer: SipRequest, response: SipResponse): void;
}

export interface PhoneLegParts {
  readonly services: Pick<AttemptServices, 'link' | 'ender' | 'clock'>;
  readonly endpoint: MediaEndpoint;
  readonly ladder: SipLadder;
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly offer: string;
  /** Next hop, where it is not what the URI says. */
  readonly proxy?: string;
  readonly account?: DigestAccount | undefined;
  readonly handlers: PhoneLegHandlers;
}

/** alive: something answered. gone: nothing did, or it knows no such call. unknown: cannot be asked. */
export type Probe = 'alive' | 'gone' | 'unknown';

export class PhoneLeg {
  readonly #parts: PhoneLegParts;
  readonly #leg: MediaLeg;
  /** inviting: no final response yet. ended: nothing is left to be sent, or it is being sent. */
  #state: 'inviting' | 'answered' | 'ended' = 'inviting';
  /** We want no answer any more, but one may be on its way. */
  #cancelled = false;
  readonly released: Promise<void>;
  #release: () => void = () => undefined;

  constructor(parts: PhoneLegParts) {
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
        onSent: () => undefined,
        onRetry: () => undefined,
        onProvisional: (statusCode) => {
          if (statusCode >= 180 && !this.#cancelled) handlers.onRinging?.();
        },
        onAnswered: () => this.#onAnswered(),
        onUnusableAnswer: ({ status }, problem) => this.#onRefused(status, problem),
        onFinal: ({ status, reason }) => this.#onRefused(status, `answered ${status} ${reason}`),
        onNotSent: (problem) => this.#onRefused(null, problem),
        onLost: () => this.#onLost(),
        onBye: (_bye, bySwitch) => this.#onBye(bySwitch),
        onMediaProblem: (problem) => handlers.onMediaProblem(problem),
        onDigit: (digit) => handlers.onDigit(digit),
        onInfo: (_info, response) => response.send(200),
        ...(handlers.onRefer === undefined
          ? {}
          : { onRefer: (refer, response) => handlers.onRefer?.(refer, response) }),
      },
    });
  }

  /** Settles when their SDP has been applied. */
  get mediaReady(): Promise<unknown> {
    return this.#leg.mediaReady;
  }

  start(): void {
    this.#leg.start();
  }

  /** CANCEL or BYE, whatever it takes; nothing when it has ended. */
  end(): void {
    if (this.#state === 'answered') this.#bye();
    else if (this.#state === 'inviting' && !this.#cancelled) this.#cancel();
  }

  /** OPTIONS in the dialog: whether the phone is there still, silent as it may be (RFC 5057 §5.1). */
  async probe(limitMs: number): Promise<Probe> {
    if (this.#state !== 'answered') return 'unknown';
    const outcome = await this.#leg.request('OPTIONS', { headers: {} }, limitMs);
    switch (outcome.kind) {
      case 'response': {
        const { status, source_address: from } = outcome.response;
        // Made up by the stack: nothing answered, or its port is closed.
        if (from === '' && (status === 408 || status === 503)) return 'gone';
        return status === 481 || status === 408 ? 'gone' : 'alive';
      }
      case 'timeout':
        return 'gone';
      case 'refused':
        return outcome.error.code === 'ENODIALOG' ? 'gone' : 'unknown';
      case 'lost':
        return 'unknown';
    }
  }

  /** A NOTIFY, for the progress of a REFER; its answer changes nothing. */
  notify(headers: Record<string, string>, body: string): void {
    void this.#leg.request('NOTIFY', { headers, body });
  }

  #onAnswered(): void {
    this.#state = 'answered';
    // Our CANCEL and the 200 crossed: a phone was picked up for nobody.
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

  #onBye(bySwitch: boolean): void {
    this.#state = 'ended';
    this.#parts.handlers.onLeft(bySwitch);
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
    void this.#leg.bye().then(this.#release);
  }
}
