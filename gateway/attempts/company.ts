/**
 * Whom a customer is with, and who is about to take over: one at a time, but for the moment in which an
 * AI agent hands the customer to a representative. The agent talks on while the representative hears the
 * cue, and is let go once the bridge has moved.
 */
import { AgentSession } from '../ai-agents/agent-session.ts';
import type { AttemptConnect } from '../../machines/telephony-commands.ts';
import { partnerFor, type Partner, type PartnerEnd, type PartnerParts } from './partner.ts';

export interface CompanyParts {
  readonly partner: Omit<PartnerParts, 'onConnected' | 'onOver'>;
  readonly onConnected: () => void;
  /** Nobody is with the customer any more, nor about to be. */
  readonly onAlone: (end: PartnerEnd) => void;
}

export class Company {
  readonly #parts: CompanyParts;
  #present: Partner | undefined;
  #next: Partner | undefined;
  /** Of those who have handed over. */
  readonly #released: Promise<void>[] = [];

  constructor(parts: CompanyParts) {
    this.#parts = parts;
  }

  /** Who came last, gone or not. */
  get partner(): Partner | undefined {
    return this.#present;
  }

  get isConnected(): boolean {
    return this.#present?.isConnected === true;
  }

  /** Undefined when there never was anybody. */
  get isGone(): boolean | undefined {
    return this.#present?.isOver();
  }

  /** Who was connected before the answer, and tells us from now on. */
  inherit(partner: Partner | undefined): void {
    this.#present = partner;
  }

  /** False when somebody has the customer who cannot hand over, or the target is none that is offered. */
  connect(command: AttemptConnect): boolean {
    const isTaken = this.isGone === false;
    if (isTaken && (this.#next !== undefined || !canHandOver(this.#present, command))) return false;
    const partner = partnerFor(command, {
      ...this.#parts.partner,
      onConnected: () => this.#onConnected(partner),
      onOver: (end) => this.#onOver(partner, end),
    });
    if (partner === undefined) return false;
    if (isTaken) this.#next = partner;
    else this.#present = partner;
    partner.start();
    return true;
  }

  end(by: Parameters<Partner['end']>[0]): void {
    this.#next?.end(by);
    this.#present?.end(by);
  }

  /** Settles when nothing of anybody's leg is left on the wire. */
  async released(): Promise<void> {
    await Promise.all([...this.#released, this.#present?.released]);
  }

  #onConnected(partner: Partner | undefined): void {
    const agent = this.#present;
    if (partner !== undefined && partner === this.#next) {
      this.#next = undefined;
      this.#present = partner;
      if (agent instanceof AgentSession) {
        this.#released.push(agent.released);
        agent.handedOver();
      }
    }
    this.#parts.onConnected();
  }

  #onOver(partner: Partner | undefined, end: PartnerEnd): void {
    if (partner !== undefined && partner === this.#next) {
      this.#next = undefined;
      // The agent has the customer still, and may go on.
      if (this.isGone === false) return;
    } else if (this.#next !== undefined) {
      if (this.#present !== undefined) this.#released.push(this.#present.released);
      this.#present = this.#next;
      this.#next = undefined;
      return;
    }
    this.#parts.onAlone(end);
  }
}

function canHandOver(partner: Partner | undefined, { target }: AttemptConnect): boolean {
  return target.kind === 'lobby' && partner instanceof AgentSession && partner.isConnected;
}
