/**
 * People whom an AI agent passes on: each waits for a representative as anybody in a queue does (spec
 * B.1), and is joined by the first who takes the invitation. In the paced modes it is taken for them.
 */
import type { DialerConnectLobby } from '../../machines/call-attempt.events.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import { demandOf, offerOf } from './paced-engagement.ts';

export interface EscalationsParts {
  readonly database: OpenDatabase;
  readonly desk: RepresentativeDesk;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  /** Of an attempt that is in work here. */
  readonly callOf: (
    attemptId: string,
  ) =>
    | { readonly taskId: string; readonly engagementId: string; readonly gatewayId: string }
    | undefined;
  readonly factsOf: (engagementId: string) => EngagementFacts | undefined;
  readonly tellAttempt: (attemptId: string, order: DialerConnectLobby) => boolean;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
}

interface Escalation {
  readonly attemptId: string;
  readonly taskId: string;
  readonly engagementId: string;
  /** Which has the call: whoever joins it has their leg there. */
  readonly gatewayId: string;
  readonly sinceMs: number;
  /** They have declined it, or did not answer: others are asked first. */
  readonly declined: Set<string>;
  /** Who is invited, or on the way to the lobby. */
  invited: string | null;
  isOffering: boolean;
}

/** Whoever declined is not asked for the same customer sooner than this. */
const ASK_AGAIN_MS = 20_000;

export class Escalations {
  readonly #parts: EscalationsParts;
  readonly #open = new Map<string, Escalation>();

  constructor(parts: EscalationsParts) {
    this.#parts = parts;
    parts.desk.whenPeopleChange(() => this.#serve());
  }

  /** Waiting, invited for, or on the way. */
  get count(): number {
    return this.#open.size;
  }

  /** The agent of a call asks for a person. Asked twice, it is one escalation. */
  escalated(attemptId: string): void {
    const { clock, work } = this.#parts;
    if (this.#begin(attemptId, clock.now(), null) === undefined) return;
    work.run(() => this.#record(attemptId));
    this.#serve();
  }

  /** Those who waited when the process before us ended wait still; some for one who is in the lobby. */
  async recover(): Promise<void> {
    const { database, desk, tellAttempt } = this.#parts;
    const waiting = await database.db
      .selectFrom('attempts')
      .select(['id', 'escalated_at_ms'])
      .where('ended_at_ms', 'is', null)
      .where('escalated_at_ms', 'is not', null)
      .where('joined_at_ms', 'is', null)
      .execute();
    for (const { id, escalated_at_ms: sinceMs } of waiting) {
      const invited = desk.whoHas(id) ?? null;
      if (this.#begin(id, sinceMs ?? 0, invited) === undefined || invited === null) continue;
      const lobbyId = desk.get(invited)?.lobbyId ?? null;
      if (lobbyId !== null) tellAttempt(id, { type: 'dialer.connectLobby', lobbyId });
    }
    this.#serve();
  }

  #begin(attemptId: string, sinceMs: number, invited: string | null): Escalation | undefined {
    const call = this.#parts.callOf(attemptId);
    if (call === undefined || this.#open.has(attemptId)) return undefined;
    const { taskId, engagementId, gatewayId } = call;
    const escalation: Escalation = {
      ...{ attemptId, taskId, engagementId, gatewayId, sinceMs, invited },
      ...{ declined: new Set<string>(), isOffering: false },
    };
    this.#open.set(attemptId, escalation);
    return escalation;
  }

  onAttempt(event: AttemptEvent): void {
    const { attemptId, type } = event;
    if (type === 'aiAgent.escalated') this.escalated(attemptId);
    if (type === 'attempt.connected' && event.target === 'lobby') this.#open.delete(attemptId);
    if (type === 'attempt.ended' || type === 'attempt.refused') this.#left(attemptId);
  }

  onEntered({ representativeId, work, attemptId, lobbyId, reason }: Entered): void {
    const escalation = attemptId === null ? undefined : this.#open.get(attemptId);
    if (escalation?.invited === representativeId) {
      if (work === 'reserved' && lobbyId !== null) {
        this.#parts.tellAttempt(escalation.attemptId, { type: 'dialer.connectLobby', lobbyId });
      }
      if (work === 'free') {
        escalation.invited = null;
        if (reason !== 'withdrawn') this.#declined(escalation, representativeId);
      }
    }
    if (work === 'free') this.#serve();
  }

  /** Asked again after a while, should nobody else take it. */
  #declined({ attemptId, declined }: Escalation, representativeId: string): void {
    const { clock } = this.#parts;
    declined.add(representativeId);
    clock.setTimeout(() => {
      if (!this.#open.has(attemptId)) return;
      declined.delete(representativeId);
      this.#serve();
    }, ASK_AGAIN_MS);
  }

  /** The customer has hung up, or the call was lost: nobody is waited for any more. */
  #left(attemptId: string): void {
    const escalation = this.#open.get(attemptId);
    if (escalation === undefined) return;
    this.#open.delete(attemptId);
    if (escalation.invited !== null) {
      this.#parts.desk.releaseOne(escalation.invited, 'withdrawn');
    }
  }

  /** Once: the gateway's own event has been written down before. */
  async #record(attemptId: string): Promise<void> {
    const { database, clock, log } = this.#parts;
    await database.db
      .updateTable('attempts')
      .set({ escalated_at_ms: clock.now() })
      .where('id', '=', attemptId)
      .where('escalated_at_ms', 'is', null)
      .execute()
      .catch((error: unknown) => log.warn({ attemptId, error }, 'an escalation was not written'));
  }

  /** By priority, then whoever has waited longest. */
  #serve(): void {
    const waiting = [...this.#open.values()]
      .filter(({ invited, isOffering }) => invited === null && !isOffering)
      .sort(
        (one, other) => this.#priority(one) - this.#priority(other) || one.sinceMs - other.sinceMs,
      );
    for (const escalation of waiting) {
      escalation.isOffering = true;
      this.#parts.work.run(() => this.#offer(escalation));
    }
  }

  #priority({ engagementId }: Escalation): number {
    return this.#parts.factsOf(engagementId)?.engagement.priority ?? Number.POSITIVE_INFINITY;
  }

  async #offer(escalation: Escalation): Promise<void> {
    const { desk, factsOf, clock, log, storeRetryMs } = this.#parts;
    const { attemptId, taskId, engagementId, gatewayId, declined } = escalation;
    try {
      const facts = factsOf(engagementId);
      if (facts === undefined) return;
      const offer = {
        ...{ ...offerOf(facts), kind: 'escalation' as const, attemptId, taskId, gatewayId },
        except: declined,
        isAutoAccepted: facts.config.mode.kind !== 'copilot',
      };
      const [invited] = await desk.reserve(demandOf(facts), offer, 1);
      escalation.invited = invited ?? null;
      // Gone while the reservation was written.
      if (invited !== undefined && !this.#open.has(attemptId)) {
        desk.releaseOne(invited, 'withdrawn');
      }
    } catch (error) {
      log.warn({ attemptId, error }, 'a representative could not be reserved, and is again soon');
      clock.setTimeout(() => this.#serve(), storeRetryMs);
    } finally {
      escalation.isOffering = false;
    }
  }
}
