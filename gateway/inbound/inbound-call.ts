/**
 * Somebody calls back a number that we showed. They hear who called, may press a digit to be called no
 * more, and the call ends: nobody waits here for them.
 */
import { elapsedMs, type GatewayClock } from '../clock.ts';
import { digitOfInfo } from '../attempts/info-digit.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { EndpointPool } from '../media/endpoint-pool.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import { hasUsableAudio } from '../media/sdp-offer.ts';
import type { SipDialog, SipRequest, SipResponse, SrfPort } from '../sip/srf.port.ts';

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
  readonly srf: Pick<SrfPort, 'createUAS'>;
  readonly pool: EndpointPool<MediaEndpoint>;
  readonly prompts: PromptFiles;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
  readonly onAnswered: () => void;
  readonly onOptOut: (digit: ReceivedDigit) => void;
  /** Once, answered or not. `heldMs`: since the answer. */
  readonly onEnded: (by: 'caller' | 'gateway' | 'switch', heldMs: number | undefined) => void;
}

const ENDPOINT_LIMIT_MS = 4_000;
const MESSAGE_LIMIT_MS = 120_000;
/** Whatever plays: a call that is only listened to is no use to anybody. */
const LENGTH_MAX_MS = 180_000;

export class InboundCall {
  readonly #parts: InboundCallParts;
  readonly #request: SipRequest;
  readonly #response: SipResponse;
  #endpoint: MediaEndpoint | undefined;
  #dialog: SipDialog | undefined;
  /** Our 200 is out, or on its way: no other final response may follow. */
  #accepted = false;
  #answeredAtMs: number | undefined;
  #optedOut = false;
  #timer: unknown;
  #over = false;

  constructor(request: SipRequest, response: SipResponse, parts: InboundCallParts) {
    this.#request = request;
    this.#response = response;
    this.#parts = parts;
  }

  start(): void {
    const { pool } = this.#parts;
    const offer = this.#request.body;
    if (!hasUsableAudio(offer)) {
      this.#refuse(488);
      return;
    }
    pool.acquire(ENDPOINT_LIMIT_MS, (acquired) => {
      if (acquired.kind === 'none') this.#refuse(503);
      else if (this.#over) pool.giveBack(acquired.endpoint);
      else void this.#answer(acquired.endpoint, offer);
    });
  }

  /** The caller has given up before we answered: the switch has said so to them. */
  cancelled(): void {
    this.#end('caller');
  }

  hangUp(): void {
    this.#end('gateway');
  }

  async #answer(endpoint: MediaEndpoint, offer: string): Promise<void> {
    this.#endpoint = endpoint;
    endpoint.gone.onFire(() => this.#onMediaGone());
    endpoint.onDigit = (digit) => this.#onDigit(digit);
    const applied = await endpoint.applyRemote(offer);
    if (this.#over) return;
    if (applied.kind !== 'done' || !hasUsableAudio(applied.value)) {
      this.#refuse(488);
      return;
    }
    const { srf, clock, onAnswered } = this.#parts;
    this.#accepted = true;
    const options = { localSdp: applied.value, headers: { 'User-Agent': 'Ringfence' } };
    srf.createUAS(this.#request, this.#response, options, (error, dialog) => {
      if (error !== null || dialog === undefined) {
        this.#end('caller'); // CANCEL was quicker
        return;
      }
      this.#dialog = dialog;
      if (this.#over) {
        this.#bye();
        return;
      }
      this.#answeredAtMs = clock.now();
      this.#listen(dialog);
      endpoint.scheduleHangup(LENGTH_MAX_MS);
      onAnswered();
      void this.#speak(endpoint);
    });
  }

  #listen(dialog: SipDialog): void {
    dialog.on('destroy', () => this.#end('caller'));
    dialog.on('info', (info, response) => {
      response.send(200);
      const digit = digitOfInfo(info);
      if (digit !== undefined) this.#onDigit(digit);
    });
    for (const event of ['modify', 'update'] as const) {
      dialog.on(event, (request, response) => void this.#onOffer(request, response));
    }
  }

  async #onOffer(request: SipRequest, response: SipResponse): Promise<void> {
    const offer = request.body;
    if (!hasUsableAudio(offer)) {
      response.send((request.body ?? '') === '' ? 200 : 488);
      return;
    }
    const outcome = await this.#endpoint?.applyRemote(offer);
    if (outcome?.kind !== 'done') response.send(488);
    else {
      const headers = { 'Content-Type': 'application/sdp' };
      response.send(200, { headers, body: outcome.value });
    }
  }

  async #speak(endpoint: MediaEndpoint): Promise<void> {
    const { options } = this.#parts;
    await this.#say(endpoint, options.message);
    if (this.#over || this.#optedOut) return;
    this.#later(options.listenMs);
  }

  async #say(endpoint: MediaEndpoint, prompt: string): Promise<void> {
    const { prompts, log } = this.#parts;
    const file = await prompts.locate(prompt);
    if (file === undefined) log.error({ prompt }, 'there is no such message for inbound calls');
    else if (!this.#over) await endpoint.play([file], MESSAGE_LIMIT_MS);
  }

  #onDigit(digit: ReceivedDigit): void {
    const { options, onOptOut } = this.#parts;
    const isOffered = options.optOutDigits.includes(digit.digit);
    if (this.#over || this.#optedOut || this.#answeredAtMs === undefined || !isOffered) return;
    this.#optedOut = true;
    onOptOut(digit);
    void this.#confirm();
  }

  async #confirm(): Promise<void> {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    await endpoint.stopPlaying();
    const { optOutMessage } = this.#parts.options;
    if (optOutMessage !== '' && !this.#over) await this.#say(endpoint, optOutMessage);
    this.#end('gateway');
  }

  #later(delayMs: number): void {
    this.#timer = this.#parts.clock.setTimeout(() => this.#end('gateway'), delayMs);
  }

  #refuse(status: number): void {
    if (this.#over) return;
    this.#response.send(status);
    this.#end('gateway');
  }

  /** Of our own release too: then the call is over already. */
  #onMediaGone(): void {
    if (!this.#over && !this.#accepted) this.#response.send(503);
    this.#end('switch');
  }

  #end(by: 'caller' | 'gateway' | 'switch'): void {
    if (this.#over) return;
    this.#over = true;
    const { clock, onEnded } = this.#parts;
    clock.clearTimeout(this.#timer);
    this.#endpoint?.release();
    if (by !== 'caller') this.#bye();
    const since = this.#answeredAtMs;
    onEnded(by, since === undefined ? undefined : elapsedMs(since, clock.now()));
  }

  #bye(): void {
    // A far end that does not answer it is let go by the switch; nobody waits for this.
    this.#dialog?.destroy().catch(() => undefined);
  }
}
