/**
 * What is done with whoever answered, from the answer to the end: prompts are played, an AI agent is
 * connected. Should nobody take care of the customer after an agent has gone, `onForsaken` comes: a
 * dialer that died in that moment must not leave a person in silence until the call's limit.
 */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { AttemptConnect, AttemptPlay } from '../../machines/telephony-commands.ts';
import { AgentSession, type AgentSessionParts } from '../ai-agents/agent-session.ts';
import type { EventOutlet } from './event-outlet.ts';
import type { AttemptServices } from './attempt-parts.ts';
import { PlayQueue } from './play-queue.ts';

/** The dialer hears of the agent's end and answers within a round trip; this is many of them. */
const FORSAKEN_AFTER_MS = 5_000;

export interface ConversationParts {
  readonly attemptId: string;
  readonly services: AttemptServices;
  readonly ladder: AgentSessionParts['ladder'];
  readonly codecs: AgentSessionParts['codecs'];
  readonly customer: AgentSessionParts['customer'];
  readonly emit: EventOutlet['emit'];
  readonly onForsaken: () => void;
}

export class Conversation {
  readonly #parts: ConversationParts;
  readonly #plays: PlayQueue;
  #agent: AgentSession | undefined;
  #forsakenTimer: unknown;
  #over = false;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    const { customer, services, emit } = parts;
    const { endpoint, mediaReady } = customer;
    const { prompts, clock } = services;
    this.#plays = new PlayQueue({
      ...{ endpoint, prompts, clock, mediaReady },
      onPlayed: (played) => {
        emit({ type: 'attempt.played', ...played });
        if (this.#agent?.isOver() === true) this.#watchForsaken();
      },
    });
  }

  get isConnected(): boolean {
    return this.#agent?.isConnected === true;
  }

  /** False when it cannot be taken. */
  play(command: AttemptPlay): boolean {
    if (!this.#plays.add(command)) return false;
    this.#attended();
    return true;
  }

  /** False when somebody is being connected already, or the target is none that is offered here. */
  connect({ connectId, target }: AttemptConnect): boolean {
    if (this.#over || target.kind !== 'aiAgent' || this.#agent?.isOver() === false) return false;
    this.#attended();
    const { attemptId, services, ladder, codecs, customer, emit } = this.#parts;
    this.#agent = new AgentSession({
      ...{ attemptId, connectId, target, services, ladder, codecs, customer, emit },
      onOver: () => this.#watchForsaken(),
    });
    this.#agent.start();
    return true;
  }

  /** The attempt ends. Resolves when nothing of the agent's leg is left on the wire. */
  async end(by: AttemptEnded['endedBy']): Promise<void> {
    this.#over = true;
    this.#attended();
    this.#plays.stop();
    this.#agent?.end(by === 'trunk' ? 'far' : by);
    await this.#agent?.released;
  }

  #watchForsaken(): void {
    this.#attended();
    if (this.#over) return;
    const { services, onForsaken } = this.#parts;
    this.#forsakenTimer = services.clock.setTimeout(onForsaken, FORSAKEN_AFTER_MS);
  }

  #attended(): void {
    this.#parts.services.clock.clearTimeout(this.#forsakenTimer);
  }
}
