/**
 * The SIP leg towards an AI agent: how it is called and let go, and what it says in SIP besides its
 * audio (attributes in INFO and BYE, REFER). Ends exactly once, told or by `end`.
 */
import { readAttributesJson, type Attributes } from '../../machines/returned-attributes.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { MediaLeg } from '../sip/media-leg.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { SipMessage, SipRequest, SipResponse } from '../sip/srf.port.ts';
import { failureOfBye } from './agent-farewell.ts';
import { AgentReferral } from './agent-referral.ts';

/** 64 × T1 after CANCEL without a final response the INVITE counts as ended (RFC 3261 §9.1). */
const CANCEL_LIMIT_MS = 33_000;

export interface AgentLegHandlers {
  onAnswered(): void;
  /** No conversation can come of it; `statusCode` where there was a final response. */
  onRefused(statusCode: number | null, detail: string): void;
  /** The connection to the switch dropped while the agent was being called. */
  onLost(): void;
  /** The agent hung up; with what broke, unless it was orderly. */
  onLeft(failure: string | undefined): void;
  onMediaProblem(problem: string): void;
  onReturned(attributes: Attributes, by: 'info' | 'bye'): void;
  onReturnRefused(problem: string, by: 'info' | 'bye'): void;
  onEscalated(referTo: string): void;
}

export interface AgentLegParts {
  readonly services: AttemptServices;
  readonly endpoint: MediaEndpoint;
  readonly ladder: SipLadder;
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly offer: string;
  readonly handlers: AgentLegHandlers;
}

export class AgentLeg {
  readonly #parts: AgentLegParts;
  readonly #leg: MediaLeg;
  readonly #referral: AgentReferral;
  /** inviting: no final response yet. ended: nothing is left to be sent, or it is being sent. */
  #state: 'inviting' | 'answered' | 'ended' = 'inviting';
  /** We want no answer any more, but one may be on its way. */
  #cancelled = false;
  readonly released: Promise<void>;
  #release: () => void = () => undefined;

  constructor(parts: AgentLegParts) {
    this.#parts = parts;
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
    const { services, endpoint, ladder, uri, headers, offer } = parts;
    const { link, ender, clock } = services;
    this.#leg = new MediaLeg({
      ...{ link, ender, endpoint, ladder, uri, headers, offer },
      handlers: {
        onSent: () => undefined,
        onRetry: () => undefined,
        onProvisional: () => undefined,
        onAnswered: () => this.#onAnswered(),
        onUnusableAnswer: ({ status }, problem) => this.#onRefused(status, problem),
        onFinal: ({ status, reason }) => this.#onRefused(status, `answered ${status} ${reason}`),
        onNotSent: (problem) => this.#onRefused(null, problem),
        onLost: () => this.#onLost(),
        onBye: (bye, bySwitch) => this.#onBye(bye, bySwitch),
        onMediaProblem: (problem) => parts.handlers.onMediaProblem(problem),
        onDigit: () => undefined, // the bridge passes the agent's digits on by itself
        onInfo: (info, response) => this.#onInfo(info, response),
        onRefer: (refer, response) => this.#onRefer(refer, response),
      },
    });
    this.#referral = new AgentReferral(this.#leg, clock);
  }

  /** Settles when the agent's SDP has been applied. */
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

  #onAnswered(): void {
    this.#state = 'answered';
    // Our CANCEL and the 200 crossed: the agent has answered a customer who is not there any more.
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
    this.#takeAttributes(bye);
    this.#parts.handlers.onLeft(bySwitch ? 'the switch ended the leg' : failureOfBye(bye));
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

  /** The answer may bring what the agent has to return to a customer who hung up. */
  #bye(): void {
    this.#state = 'ended';
    this.#referral.end();
    void this.#leg.bye().then((end) => {
      if (end?.kind === 'ended') this.#takeAttributes(end.response);
      this.#release();
    });
  }

  #onInfo(info: SipRequest, response: SipResponse): void {
    const type = info.get('Content-Type');
    if (type === undefined && (info.body ?? '') === '') {
      response.send(200); // a sign of life
      return;
    }
    if (!isJson(type)) {
      response.send(415, { headers: { Accept: 'application/json' } });
      return;
    }
    const reading = readAttributesJson(info.body ?? '');
    if (reading.ok) response.send(200);
    else response.send(reading.code === 'ATTRIBUTES_INVALID' ? 400 : 413);
    this.#tell(reading, 'info');
  }

  #onRefer(refer: SipRequest, response: SipResponse): void {
    const referTo = this.#referral.take(refer, response);
    if (referTo !== undefined) this.#parts.handlers.onEscalated(referTo);
  }

  #takeAttributes(message: Pick<SipMessage, 'get' | 'body'>): void {
    const body = message.body ?? '';
    if (body === '' || !isJson(message.get('Content-Type'))) return;
    this.#tell(readAttributesJson(body), 'bye');
  }

  #tell(reading: ReturnType<typeof readAttributesJson>, by: 'info' | 'bye'): void {
    const { handlers } = this.#parts;
    if (reading.ok) handlers.onReturned(reading.attributes, by);
    else handlers.onReturnRefused(reading.problem, by);
  }
}

function isJson(contentType: string | undefined): boolean {
  return /^\s*application\/json\s*(?:;|$)/i.test(contentType ?? '');
}
