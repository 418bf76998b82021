/**
 * One AI agent for one customer: an endpoint of its own beside the customer's, the INVITE, the bridge,
 * and whatever ends it. Told in events; `onOver` when the agent is gone and the customer is not.
 * Each way out passes `#close`, which acts once.
 */
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { AiAgentFailure, ConnectFailure } from '../../machines/connect-events.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { AttemptEventBody, EventOutlet } from '../attempts/event-outlet.ts';
import type { PartnerEnd } from '../attempts/partner.ts';
import { elapsedMs } from '../clock.ts';
import type { Acquired } from '../media/endpoint-pool.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { offerFor } from '../media/sdp-offer.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import { AgentAudio } from './agent-audio.ts';
import { agentInvite, type AgentInvite } from './agent-invite.ts';
import { AgentLeg } from './agent-leg.ts';

const FIRST_AUDIO_TIMEOUT_MS = 10_000;
const AUDIO_TIMEOUT_MS = 15_000;

export interface AgentSessionParts {
  readonly attemptId: string;
  readonly connectId: string;
  readonly target: AiAgentTarget;
  readonly services: AttemptServices;
  readonly ladder: SipLadder;
  /** Of the customer's trunk, in its order: nothing is transcoded where the agent agrees. */
  readonly codecs: TrunkConfig['codecs'];
  readonly customer: {
    readonly endpoint: MediaEndpoint;
    readonly mediaReady: () => Promise<unknown>;
    readonly answeredAtMs: number;
    /** By the gateway's clock; undefined while it is not known. */
    readonly greetingEndedAtMs: () => number | undefined;
  };
  readonly emit: EventOutlet['emit'];
  /** Just before it is told. */
  readonly onConnected: () => void;
  readonly onOver: (end: PartnerEnd) => void;
}

type EndedBy = EventOf<'attempt.bridgeEnded'>['endedBy'];
type UsableInvite = Extract<AgentInvite, { ok: true }>;

interface Failure {
  readonly reason: AiAgentFailure;
  readonly connect: ConnectFailure;
  readonly statusCode?: number | null;
  readonly detail: string;
}

export class AgentSession {
  readonly #parts: AgentSessionParts;
  #withdraw: (() => void) | undefined;
  #endpoint: MediaEndpoint | undefined;
  #leg: AgentLeg | undefined;
  #audio: AgentAudio | undefined;
  #connectedAtMs: number | undefined;
  #timer: unknown;
  #escalated = false;
  #over = false;

  constructor(parts: AgentSessionParts) {
    this.#parts = parts;
  }

  get connectId(): string {
    return this.#parts.connectId;
  }

  get isConnected(): boolean {
    return this.#connectedAtMs !== undefined && !this.#over;
  }

  /** A function, since it changes while something is awaited or told. */
  isOver(): boolean {
    return this.#over;
  }

  /** Settles when nothing of the agent's leg is left on the wire. */
  get released(): Promise<void> {
    return this.#leg?.released ?? Promise.resolve();
  }

  start(): void {
    const { target, services } = this.#parts;
    const { setupTimeoutMs } = target;
    const invite = agentInvite(target);
    if (!invite.ok) {
      this.#fail({ reason: 'setup', connect: 'target_refused', detail: invite.problem });
      return;
    }
    this.#timer = services.clock.setTimeout(() => {
      const detail = `not connected within ${setupTimeoutMs} ms`;
      this.#fail({ reason: 'setup', connect: 'target_timeout', detail });
    }, setupTimeoutMs);
    const withdraw = services.pool.acquire(setupTimeoutMs, (acquired) => {
      this.#withdraw = undefined;
      this.#onEndpoint(acquired, invite);
    });
    if (this.#endpoint === undefined && !this.#over) this.#withdraw = withdraw;
  }

  /** The attempt ends, for whatever reason: the agent gets BYE or CANCEL. */
  end(by: EndedBy): void {
    if (this.#over) return;
    this.#close();
    if (this.#connectedAtMs !== undefined) this.#parts.emit(this.#bridgeEnded(by));
  }

  /** A representative has the customer now: the agent hears so, and gets BYE. */
  handedOver(): void {
    if (this.#over) return;
    this.#leg?.escalationServed();
    this.#close();
    this.#parts.emit(this.#bridgeEnded('dialer'));
  }

  #onEndpoint(acquired: Acquired<MediaEndpoint>, invite: UsableInvite): void {
    const { services, codecs } = this.#parts;
    if (acquired.kind === 'none') {
      this.#fail({ reason: 'setup', connect: 'media', detail: acquired.problem });
      return;
    }
    const { endpoint } = acquired;
    if (this.#over) {
      services.pool.giveBack(endpoint);
      return;
    }
    this.#endpoint = endpoint;
    endpoint.gone.onFire((problem) => {
      this.#switchLost('media', `the agent's media channel: ${problem}`);
    });
    const offer = offerFor(endpoint.localSdp, codecs);
    if (offer === undefined) {
      const detail = `the media server offers none of ${codecs.join(', ')}`;
      this.#fail({ reason: 'setup', connect: 'media', detail });
    } else if (!this.isOver()) this.#call(endpoint, offer, invite);
  }

  #call(endpoint: MediaEndpoint, offer: string, { uri, headers }: UsableInvite): void {
    const { services, ladder, emit, attemptId } = this.#parts;
    const { log } = services;
    this.#leg = new AgentLeg({
      ...{ services, endpoint, ladder, uri, headers, offer },
      handlers: {
        onAnswered: () => void this.#join(endpoint),
        onRefused: (statusCode, detail) =>
          this.#fail({ reason: 'setup', connect: 'target_refused', statusCode, detail }),
        onLost: () => this.#switchLost('target_gone', 'drachtio was lost'),
        onLeft: (failure) => this.#onLeft(failure),
        onMediaProblem: (detail) => this.#fail({ reason: 'media', connect: 'media', detail }),
        onReturned: (attributes, by) =>
          emit({ type: 'aiAgent.returned', by, attributes: { ...attributes } }),
        onReturnRefused: (problem, by) =>
          log.warn({ attemptId, by, problem }, 'attributes of the agent not taken'),
        onEscalated: (referTo) => {
          this.#escalated = true;
          emit({ type: 'aiAgent.escalated', by: 'refer', referTo, attributes: {} });
        },
      },
    });
    this.#leg.start();
  }

  async #join(endpoint: MediaEndpoint): Promise<void> {
    const { customer } = this.#parts;
    await Promise.all([this.#leg?.mediaReady, customer.mediaReady()]);
    if (this.isOver()) return;
    const outcome = await customer.endpoint.bridgeWith(endpoint);
    if (this.isOver()) return;
    if (outcome.kind === 'done') {
      this.#onConnected(endpoint);
      return;
    }
    const detail = outcome.kind === 'timeout' ? 'no answer to uuid_bridge' : outcome.problem;
    this.#fail({ reason: 'media', connect: 'media', detail });
  }

  #onConnected(endpoint: MediaEndpoint): void {
    const { connectId, customer, services, target, emit } = this.#parts;
    const { clock, counters } = services;
    clock.clearTimeout(this.#timer);
    this.#connectedAtMs = clock.now();
    counters.agentsConnected += 1;
    this.#parts.onConnected();
    const greetingEndedAtMs = customer.greetingEndedAtMs();
    emit({
      type: 'attempt.connected',
      connectId,
      target: 'aiAgent',
      afterAnswerMs: elapsedMs(customer.answeredAtMs, this.#connectedAtMs),
      afterGreetingEndMs:
        greetingEndedAtMs === undefined
          ? null
          : Math.round(this.#connectedAtMs - greetingEndedAtMs),
    });
    if (this.isOver()) return;
    const limits = {
      firstAudioTimeoutMs: target.firstAudioTimeoutMs ?? FIRST_AUDIO_TIMEOUT_MS,
      audioTimeoutMs: target.audioTimeoutMs ?? AUDIO_TIMEOUT_MS,
    };
    this.#audio = new AgentAudio(endpoint, clock, limits, {
      onFirstPacket: (afterConnectMs) =>
        emit({ type: 'aiAgent.firstUtterance', afterConnectMs, basis: 'packet' }),
      onSilent: (detail) => this.#fail({ reason: 'media', connect: 'media', detail }),
    });
    this.#audio.start();
  }

  #onLeft(failure: string | undefined): void {
    if (this.#over) return;
    if (failure !== undefined || this.#connectedAtMs === undefined) {
      const detail = failure ?? 'the agent hung up before it was connected';
      this.#fail({ reason: 'lost', connect: 'target_gone', detail });
      return;
    }
    this.#close();
    this.#parts.emit(this.#bridgeEnded('target'));
    this.#parts.onOver(this.#escalated ? 'broken' : 'left');
  }

  /**
   * Half of the switch is gone, and mostly the customer's leg with it: no failure of the agent's, whose
   * engagement might be stopped for it, and told alike whichever leg is found lost first.
   */
  #switchLost(connect: ConnectFailure, detail: string): void {
    if (this.#over) return;
    const { emit, services, attemptId, onOver } = this.#parts;
    this.#close();
    services.log.warn({ attemptId, detail }, 'AI agent lost with the switch');
    emit(
      this.#connectedAtMs === undefined
        ? this.#connectFailed(connect, detail)
        : this.#bridgeEnded('switch'),
    );
    onOver('broken');
  }

  #fail({ reason, connect, statusCode = null, detail }: Failure): void {
    if (this.#over) return;
    const { emit, services, attemptId, onOver } = this.#parts;
    this.#close();
    services.counters.agentsFailed += 1;
    services.log.warn({ attemptId, reason, detail }, 'AI agent failed');
    emit(
      { type: 'aiAgent.failed', reason, statusCode, detail },
      this.#connectedAtMs === undefined
        ? this.#connectFailed(connect, detail)
        : this.#bridgeEnded('target'),
    );
    onOver('broken');
  }

  #connectFailed(reason: ConnectFailure, detail: string): AttemptEventBody {
    return { type: 'attempt.connectFailed', connectId: this.connectId, reason, detail };
  }

  #bridgeEnded(endedBy: EndedBy): AttemptEventBody {
    const { connectId, services } = this.#parts;
    const bridgedMs = elapsedMs(this.#connectedAtMs ?? 0, services.clock.now());
    return { type: 'attempt.bridgeEnded', connectId, endedBy, bridgedMs };
  }

  #close(): void {
    this.#over = true;
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#audio?.stop();
    this.#withdraw?.();
    this.#leg?.end();
    this.#endpoint?.release();
  }
}
