/**
 * An INVITE of the network that we answer, together with the endpoint that speaks for it: answered once
 * its media flows, heard by keys of three kinds (RFC 4733, INFO, tones), and let go. Ends exactly once.
 */
import { DigitPresses } from '../attempts/digit-presses.ts';
import { digitOfInfo } from '../attempts/info-digit.ts';
import type { Listening, ListeningPort } from '../audio-taps/listening.port.ts';
import type { GatewayClock } from '../clock.ts';
import type { EndpointPool } from '../media/endpoint-pool.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import { hasUsableAudio } from '../media/sdp-offer.ts';
import type { DialogEnder } from './dialog-ender.ts';
import { recordOfIncoming } from './dialog-record.ts';
import type { RequestOutcome, SipLink } from './sip-link.ts';
import type { SipDialog, SipRequest, SipResponse, SrfPort } from './srf.port.ts';

export interface IncomingLegServices {
  readonly srf: Pick<SrfPort, 'createUAS'>;
  readonly link: Pick<SipLink, 'request' | 'forget'>;
  readonly ender: Pick<DialogEnder, 'bye'>;
  readonly pool: EndpointPool<MediaEndpoint>;
  readonly listening: ListeningPort;
  readonly clock: GatewayClock;
}

export interface IncomingLegHandlers {
  onAnswered?(endpoint: MediaEndpoint): void;
  /** It could not be answered, and the caller was told so with this. */
  onRefused?(statusCode: number): void;
  /** The caller hung up, or gave up before the answer; or the switch or the media server ended it. */
  onLeft(by: 'caller' | 'switch', detail: string): void;
  /** Each press once, by whichever ways it came. */
  onDigit(digit: ReceivedDigit): void;
  /** Answers the REFER. Without it a REFER is declined. */
  onRefer?(refer: SipRequest, response: SipResponse): void;
}

const ENDPOINT_LIMIT_MS = 4_000;

type Cancellable = SipRequest & {
  on(event: 'cancel', listener: () => void): void;
};

export class IncomingLeg {
  readonly #services: IncomingLegServices;
  readonly #request: SipRequest;
  readonly #response: SipResponse;
  readonly #presses = new DigitPresses();
  #handlers: IncomingLegHandlers;
  #endpoint: MediaEndpoint | undefined;
  #dialog: SipDialog | undefined;
  #listening: Listening | undefined;
  /** Our 200 is out, or on its way: no other final response may follow. */
  #accepted = false;
  #over = false;
  /** Settles when nothing of it is left on the wire. */
  readonly released: Promise<void>;
  #release: () => void = () => undefined;

  constructor(
    request: SipRequest,
    response: SipResponse,
    services: IncomingLegServices,
    handlers: IncomingLegHandlers,
  ) {
    this.#request = request;
    this.#response = response;
    this.#services = services;
    this.#handlers = handlers;
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  get isOver(): boolean {
    return this.#over;
  }

  get isAnswered(): boolean {
    return this.#dialog !== undefined && !this.#over;
  }

  start(): void {
    (this.#request as Cancellable).on('cancel', () => this.#leave('caller', 'CANCEL'));
    const offer = this.#request.body;
    if (!hasUsableAudio(offer)) {
      this.#refuse(488);
      return;
    }
    const { pool } = this.#services;
    pool.acquire(ENDPOINT_LIMIT_MS, (acquired) => {
      if (acquired.kind === 'none') this.#refuse(503);
      else if (this.#over) pool.giveBack(acquired.endpoint);
      else void this.#answer(acquired.endpoint, offer);
    });
  }

  /** Somebody else has it from now on. */
  handTo(handlers: IncomingLegHandlers): void {
    this.#handlers = handlers;
  }

  /** Tones in the audio count as keys from now on; where they cannot be heard, only the other ways do. */
  listenForTones(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined || this.#over || this.#listening !== undefined) return;
    this.#listening = this.#services.listening.listen(endpoint.tapped, (heard) => {
      if (heard.type === 'deaf') this.#listening = undefined;
      if (heard.type !== 'digit') return;
      const { digit, durationMs } = heard;
      this.#onDigit({ digit, durationMs, source: 'inband' });
    });
    this.#listening.order({ digits: true });
  }

  stopListening(): void {
    this.#listening?.stop();
    this.#listening = undefined;
  }

  /** A request in the dialog. */
  request(
    method: 'NOTIFY' | 'OPTIONS',
    message: { headers: Record<string, string>; body?: string },
    limitMs?: number,
  ): Promise<RequestOutcome> {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#over) return Promise.resolve({ kind: 'lost' });
    const { headers, body } = message;
    const options = {
      ...{ method, stackDialogId: dialog.id, headers },
      ...(body === undefined ? {} : { body }),
    };
    const more = limitMs === undefined ? {} : { limitMs };
    return this.#services.link.request('sip:placeholder', options, more);
  }

  /** Hangs up, or refuses (480) what is not answered yet. Nothing is told of it. */
  end(): void {
    if (this.#over) return;
    if (!this.#accepted) this.#response.send(480);
    this.#close();
    this.#bye();
  }

  async #answer(endpoint: MediaEndpoint, offer: string): Promise<void> {
    this.#endpoint = endpoint;
    endpoint.gone.onFire((problem) => this.#onMediaGone(problem));
    endpoint.onDigit = (digit) => this.#onDigit(digit);
    const applied = await endpoint.applyRemote(offer);
    if (this.#over) return;
    if (applied.kind !== 'done' || !hasUsableAudio(applied.value)) {
      this.#refuse(488);
      return;
    }
    this.#accepted = true;
    const options = { localSdp: applied.value, headers: { 'User-Agent': 'Ringfence' } };
    this.#services.srf.createUAS(this.#request, this.#response, options, (error, dialog) => {
      if (error !== null || dialog === undefined) {
        this.#leave('caller', 'CANCEL was quicker');
        if (this.#dialog === undefined) this.#release();
        return;
      }
      this.#dialog = dialog;
      if (this.#over) {
        this.#bye();
        return;
      }
      this.#attend(dialog);
      this.#handlers.onAnswered?.(endpoint);
    });
  }

  #attend(dialog: SipDialog): void {
    dialog.on('destroy', (bye) => {
      if (bye.source === 'application') this.#leave('switch', 'the switch ended the leg');
      else this.#leave('caller', 'BYE');
      this.#release();
    });
    dialog.on('info', (info, response) => {
      response.send(200);
      const digit = digitOfInfo(info);
      if (digit !== undefined) this.#onDigit(digit);
    });
    dialog.on('refer', (refer, response) => {
      if (this.#over) response.send(481);
      else if (this.#handlers.onRefer === undefined) response.send(603);
      else this.#handlers.onRefer(refer, response);
    });
    for (const event of ['modify', 'update'] as const) {
      dialog.on(event, (request, response) => void this.#onOffer(request, response));
    }
  }

  /** The far end moves its media, holds or resumes: the media server answers. */
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

  #onDigit(digit: ReceivedDigit): void {
    if (this.#over || this.#dialog === undefined) return;
    if (this.#presses.isNew(digit, this.#services.clock.now())) this.#handlers.onDigit(digit);
  }

  #onMediaGone(problem: string): void {
    if (this.#over) return; // of our own release
    if (!this.#accepted) this.#response.send(503);
    const hasDialog = this.#dialog !== undefined;
    this.#leave('switch', `its media channel: ${problem}`);
    if (hasDialog) this.#bye();
  }

  #refuse(statusCode: number): void {
    if (this.#over) return;
    this.#response.send(statusCode);
    this.#close();
    this.#release();
    this.#handlers.onRefused?.(statusCode);
  }

  #leave(by: 'caller' | 'switch', detail: string): void {
    if (this.#over) return;
    this.#close();
    if (!this.#accepted) this.#release();
    this.#handlers.onLeft(by, detail);
  }

  #close(): void {
    this.#over = true;
    this.stopListening();
    this.#endpoint?.release();
  }

  #bye(): void {
    const dialog = this.#dialog;
    if (dialog === undefined) {
      if (!this.#accepted) this.#release();
      return;
    }
    const { ender, link } = this.#services;
    void ender.bye(recordOfIncoming(dialog)).then(() => {
      link.forget(dialog);
      this.#release();
    });
  }
}
