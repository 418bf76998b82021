/**
 * The SIP leg towards an AI agent: how it is called and let go, and what it says in SIP besides its
 * audio (attributes in INFO and BYE, REFER).
 */
import { readAttributesJson, type Attributes } from '../../machines/returned-attributes.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { SecondLeg } from '../sip/second-leg.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { SipMessage, SipRequest, SipResponse } from '../sip/srf.port.ts';
import { failureOfBye } from './agent-farewell.ts';
import { AgentReferral } from './agent-referral.ts';

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
  readonly #leg: SecondLeg;
  readonly #referral: AgentReferral;

  constructor(parts: AgentLegParts) {
    this.#parts = parts;
    const { handlers } = parts;
    this.#leg = new SecondLeg({
      ...parts,
      handlers: {
        onAnswered: () => handlers.onAnswered(),
        onRefused: (statusCode, detail) => handlers.onRefused(statusCode, detail),
        onLost: () => handlers.onLost(),
        onBye: (bye, bySwitch) => this.#onBye(bye, bySwitch),
        onMediaProblem: (problem) => handlers.onMediaProblem(problem),
        onDigit: () => undefined, // the bridge passes the agent's digits on by itself
        onInfo: (info, response) => this.#onInfo(info, response),
        onRefer: (refer, response) => this.#onRefer(refer, response),
        onEnding: () => this.#referral.end(),
        // It may bring what the agent has to return to a customer who hung up.
        onByeAnswered: (response) => this.#takeAttributes(response),
      },
    });
    this.#referral = new AgentReferral(this.#leg, parts.services.clock);
  }

  /** Settles when the agent's SDP has been applied. */
  get mediaReady(): Promise<unknown> {
    return this.#leg.mediaReady;
  }

  /** Settles when nothing of it is left on the wire. */
  get released(): Promise<void> {
    return this.#leg.released;
  }

  start(): void {
    this.#leg.start();
  }

  /** CANCEL or BYE, whatever it takes; nothing when it has ended. */
  end(): void {
    this.#leg.end();
  }

  /** A human has been joined: what it asked for, if it did. */
  escalationServed(): void {
    this.#referral.served();
  }

  #onBye(bye: SipRequest, bySwitch: boolean): void {
    this.#takeAttributes(bye);
    this.#parts.handlers.onLeft(bySwitch ? 'the switch ended the leg' : failureOfBye(bye));
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
