/**
 * Somebody calls back a number that we showed. They hear who called, may press a digit to be called no
 * more, and the call ends: nobody waits here for them.
 */
import { elapsedMs } from '../clock.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import { IncomingLeg, type IncomingLegServices } from '../sip/incoming-leg.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';

export interface InboundOptions {
  /** Prompt id or `say:<locale>:<text>`. */
  readonly message: string;
  readonly optOutDigits: string;
  /** Said to who has opted out; empty: hung up at once. */
  readonly optOutMessage: string;
  /** After the message, ms. */
  readonly listenMs: number;
}

export interface InboundCallParts {
  readonly options: InboundOptions;
  readonly services: IncomingLegServices & {
    readonly prompts: PromptFiles;
    readonly log: GatewayLog;
  };
  readonly onAnswered: () => void;
  readonly onOptOut: (digit: ReceivedDigit) => void;
  /** Once, answered or not. `heldMs`: since the answer. */
  readonly onEnded: (by: 'caller' | 'gateway' | 'switch', heldMs: number | undefined) => void;
}

const MESSAGE_LIMIT_MS = 120_000;
/** Whatever plays: a call that is only listened to is no use to anybody. */
const LENGTH_MAX_MS = 180_000;

export class InboundCall {
  readonly #parts: InboundCallParts;
  readonly #leg: IncomingLeg;
  #endpoint: MediaEndpoint | undefined;
  #answeredAtMs: number | undefined;
  #optedOut = false;
  #timer: unknown;
  #over = false;

  constructor(request: SipRequest, response: SipResponse, parts: InboundCallParts) {
    this.#parts = parts;
    this.#leg = new IncomingLeg(request, response, parts.services, {
      onAnswered: (endpoint) => this.#onAnswered(endpoint),
      onRefused: () => this.#ended('gateway'),
      onLeft: (by) => this.#ended(by),
      onDigit: (digit) => this.#onDigit(digit),
    });
  }

  start(): void {
    this.#leg.start();
  }

  hangUp(): void {
    this.#leg.end();
    this.#ended('gateway');
  }

  #onAnswered(endpoint: MediaEndpoint): void {
    const { services, options, onAnswered } = this.#parts;
    this.#endpoint = endpoint;
    this.#answeredAtMs = services.clock.now();
    endpoint.scheduleHangup(LENGTH_MAX_MS);
    if (options.optOutDigits !== '') this.#leg.listenForTones();
    onAnswered();
    void this.#speak();
  }

  async #speak(): Promise<void> {
    const { options, services } = this.#parts;
    await this.#say(options.message);
    if (this.#over || this.#optedOut) return;
    // A tap that the message has ended is made anew.
    if (options.optOutDigits !== '') this.#leg.listenForTones();
    this.#timer = services.clock.setTimeout(() => this.hangUp(), options.listenMs);
  }

  async #say(prompt: string): Promise<void> {
    const { prompts, log } = this.#parts.services;
    const file = await prompts.locate(prompt);
    if (file === undefined) log.error({ prompt }, 'there is no such message for inbound calls');
    else if (!this.#over) await this.#endpoint?.play([file], MESSAGE_LIMIT_MS);
  }

  #onDigit(digit: ReceivedDigit): void {
    const { options, onOptOut } = this.#parts;
    if (this.#optedOut || !options.optOutDigits.includes(digit.digit)) return;
    this.#optedOut = true;
    onOptOut(digit);
    void this.#confirm();
  }

  async #confirm(): Promise<void> {
    await this.#endpoint?.stopPlaying();
    const { optOutMessage } = this.#parts.options;
    if (optOutMessage !== '' && !this.#over) await this.#say(optOutMessage);
    this.hangUp();
  }

  #ended(by: 'caller' | 'gateway' | 'switch'): void {
    if (this.#over) return;
    this.#over = true;
    const { services, onEnded } = this.#parts;
    services.clock.clearTimeout(this.#timer);
    const since = this.#answeredAtMs;
    onEnded(by, since === undefined ? undefined : elapsedMs(since, services.clock.now()));
  }
}
