/**
 * The calls of one progressive or predictive engagement, and the representatives whom they are for: what
 * its pacer is asked, and who gets whoever answers. Counts come from the desk and from the gateway's
 * events; nothing here is a budget that a crash would reset.
 */
import type { CallAttemptOrder } from '../../machines/call-attempt.events.ts';
import type { PacedDemand } from '../../machines/paced-pacer.events.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { DialerClock } from '../clock.ts';
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacerPast } from '../call-history/pacer-past.ts';
import { PacerCore } from '../pacing/pacer-core.ts';
import type { WindowStanding } from '../pacing/abandonment-budget.ts';
import type { PacerDecision } from '../pacing/pacer-events.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import type { Sharer } from '../representatives/representative-shares.ts';
import { throttled } from '../throttle/throttle-step.ts';
import { pacerConfigOf, sharerOf } from './paced-engagement.ts';
import { freeSeats, gatewayOfMost, type Seat } from './seats.ts';

export interface PacedCallsParts {
  readonly desk: RepresentativeDesk;
  readonly clock: DialerClock;
  readonly facts: () => EngagementFacts;
  readonly rulePacks: RulePacks;
  /** What was spent and learnt before. */
  readonly past: PacerPast;
  readonly isDialing: () => boolean;
  /** Share of what it would dial that a throttle leaves; 1: all of it. */
  readonly factor: () => number;
  /** To the chain that works the attempt, if it still does. */
  readonly tell: (
    call: { readonly taskId: string; readonly attemptId: string },
    order: Exclude<CallAttemptOrder, { type: 'dialer.cancel' }>,
  ) => void;
  /** Taken back: nobody is there for whoever answers. */
  readonly recall: (taskId: string, attemptId: string) => void;
  readonly onDecision: (decision: PacerDecision) => void;
  /** The pacer had better ask again, once representatives have been shared out. */
  readonly onNews: () => void;
  /** They have been: it may dial for those whom it was left. */
  readonly onDealt: () => void;
}

interface Call {
  readonly attemptId: string;
  readonly taskId: string;
  /** Which has it: whoever takes it has their leg there. */
  readonly gatewayId: string;
  /** For whom it is dialled, or who was found for it. */
  representativeId: string | null;
  /** A person waits, since then: the longest first. Null: nobody waits. */
  waitingSinceMs: number | null;
  isAnswered: boolean;
  /** Detection has taken whoever answered for a machine. */
  isMachine: boolean;
}

/** What it weighed last, and what came of it. */
export interface PacedStanding {
  readonly callsTarget: number;
  readonly decision: PacerDecision | null;
  readonly windows: readonly WindowStanding[];
}

export interface Place {
  readonly gatewayId: string;
  readonly startsMax: number;
}

/** Between two calls of one engagement a representative is nobody's for a moment: no sign-off. */
const BETWEEN_MS = 2_000;

export class PacedCalls {
  readonly #parts: PacedCallsParts;
  readonly #core: PacerCore;
  readonly #calls = new Map<string, Call>();
  readonly #known = new Set<string>();
  #recalling: readonly string[] = [];
  #last: Omit<PacedStanding, 'windows'> = { callsTarget: 0, decision: null };

  constructor(parts: PacedCallsParts) {
    this.#parts = parts;
    const { facts, rulePacks, clock, past } = parts;
    this.#core = new PacerCore({ ...pacerConfigOf(facts(), rulePacks, clock.now()), ...past });
  }

  /** For the pacer: how many calls to start now, and which to take back. */
  readonly demand = (): PacedDemand => {
    const nowMs = this.#parts.clock.now();
    this.#lookAtRepresentatives(nowMs);
    const decision = this.#core.tick(nowMs);
    this.#parts.onDecision(decision);
    this.#recalling = decision.cancel;
    const wanted = this.#isBound ? Math.min(decision.start, this.seats.length) : decision.start;
    const starts = this.#throttled(wanted);
    this.#last = { callsTarget: this.#calls.size + starts, decision };
    return { starts, recall: decision.cancel };
  };

  /** Without a decision while it may not dial: the last one says nothing of now. */
  get standing(): PacedStanding {
    const windows = this.#core.windows(this.#parts.clock.now());
    const last = this.#parts.isDialing() ? this.#last : { callsTarget: 0, decision: null };
    return { ...last, windows };
  }

  /** The engagement's settings have changed: what was learnt and what was spent stay. */
  reconfigure(): void {
    const { facts, rulePacks, clock } = this.#parts;
    this.#core.reconfigure(pacerConfigOf(facts(), rulePacks, clock.now()));
  }

  #throttled(wanted: number): number {
    const factor = this.#parts.factor();
    if (factor >= 1 || wanted < 1) return wanted;
    const inFlight = this.#calls.size;
    return Math.max(0, throttled(inFlight + wanted, factor) - inFlight);
  }

  get sharer(): Sharer {
    const { facts, isDialing } = this.#parts;
    const onDealt = (): void => this.dealt();
    const ringing = [...this.#calls.values()].filter(({ isAnswered }) => !isAnswered).length;
    return {
      ...sharerOf(facts()),
      isDialing: isDialing(),
      ringing: ringing + this.#waiting.length,
      onDealt,
    };
  }

  get isRepLed(): boolean {
    return this.#parts.facts().config.engagementType === 'repLed';
  }

  /** Those for whom a call can be dialled now. */
  get seats(): readonly Seat[] {
    return freeSeats(this.#parts.desk.held(this.#engagementId));
  }

  /** Each call is dialled for one representative, who takes whoever answers it. */
  get #isBound(): boolean {
    return this.isRepLed && this.#parts.facts().config.mode.kind === 'progressive';
  }

  /**
   * Which gateway is to dial next, and for how many at the most: where most of those are for whom a call
   * may be dialled. Undefined: there is nobody.
   */
  place(canDial: (gatewayId: string) => boolean): Place | undefined {
    if (!this.isRepLed) return undefined;
    const legs = this.#isBound ? this.seats : this.#legs;
    const gatewayId = gatewayOfMost(legs, canDial);
    if (gatewayId === undefined) return undefined;
    const here = legs.filter((leg) => leg.gatewayId === gatewayId).length;
    return { gatewayId, startsMax: this.#isBound ? here : Number.POSITIVE_INFINITY };
  }

  /** Where the next start is to be made; undefined: it may not, since nobody is there for it. */
  takeSeat(
    attemptId: string,
    gatewayId: string,
  ): { readonly lobbyId: string; readonly isBound: boolean } | undefined {
    if (!this.#isBound) {
      const leg = this.#legs.find((one) => one.gatewayId === gatewayId);
      return leg && { lobbyId: leg.lobbyId, isBound: false };
    }
    const seat = this.#seatAt(gatewayId, attemptId);
    return seat && { lobbyId: seat.lobbyId, isBound: true };
  }

  /** `isAnswered`: found by recovery, and somebody is on the line already. */
  started(taskId: string, attemptId: string, gatewayId: string, isAnswered = false): void {
    const representativeId = this.#parts.desk.whoHas(attemptId) ?? null;
    const call = { attemptId, taskId, gatewayId, representativeId };
    this.#calls.set(attemptId, { ...call, waitingSinceMs: null, isAnswered, isMachine: false });
    this.#core.note(this.#parts.clock.now(), { event: 'attempt.started', attempt: attemptId });
  }

  /** For the recall that the pacer has just asked for. */
  recall(attempts: readonly string[] = this.#recalling): void {
    for (const attemptId of attempts) {
      const call = this.#calls.get(attemptId);
      if (call !== undefined) this.#parts.recall(call.taskId, attemptId);
    }
  }

  onAttempt(event: AttemptEvent): void {
    const call = this.#calls.get(event.attemptId);
    if (call === undefined) return;
    const nowMs = this.#parts.clock.now();
    const attempt = call.attemptId;
    switch (event.type) {
      case 'attempt.alerting':
      case 'attempt.earlyMedia':
        this.#core.note(nowMs, { event: 'attempt.alerting', attempt });
        return;
      case 'attempt.answered':
        call.isAnswered = true;
        this.#core.note(nowMs, { event: 'attempt.detecting', attempt });
        return;
      case 'attempt.classified':
        if (event.verdict === 'human' || event.verdict === 'unknown')
          this.#personIsThere(call, nowMs);
        else call.isMachine = event.verdict === 'machine';
        return;
      case 'aiAgent.escalated':
        this.#core.note(nowMs, { event: 'attempt.escalated', attempt });
        return;
      case 'attempt.connected':
        this.#connected(call, event.target, nowMs);
        return;
      case 'attempt.connectFailed':
        if (event.reason !== 'failsafe') return;
        call.waitingSinceMs = null;
        this.#core.note(nowMs, { event: 'attempt.abandoned', attempt });
        return;
      case 'attempt.ended':
      case 'attempt.refused':
        this.#left(call, nowMs);
        return;
      default:
        return;
    }
  }

  /**
   * Of most calls the gateway has told the end by now. Of one that it has forgotten, or whose end an
   * earlier process had heard, nobody tells it: it would count as ringing for ever.
   */
  chainLeft(taskId: string): void {
    const nowMs = this.#parts.clock.now();
    for (const call of this.#calls.values()) {
      if (call.taskId === taskId) this.#left(call, nowMs);
    }
  }

  /** What a representative of this engagement does from now on. */
  onEntered({ representativeId, work, attemptId, reason }: Entered): void {
    if (work === 'reserved') this.#serve();
    const call = attemptId === null ? undefined : this.#calls.get(attemptId);
    // Lost while a call was in flight for them: it is taken back, or its person waits for another.
    if (work === 'free' && reason !== 'callOver' && call?.representativeId === representativeId) {
      call.representativeId = null;
      this.#parts.tell(call, { type: 'dialer.recall' });
      if (call.isAnswered) this.#personIsThere(call, this.#parts.clock.now());
    }
    this.#parts.onNews();
  }

  /** Of all who are held, whatever they do. */
  get #legs(): readonly { readonly lobbyId: string; readonly gatewayId: string }[] {
    return this.#parts.desk
      .held(this.#engagementId)
      .flatMap(({ lobbyId, gatewayId }) =>
        lobbyId === null || gatewayId === null ? [] : [{ lobbyId, gatewayId }],
      );
  }

  /** Somebody's whose leg is there: the call is theirs from now on. */
  #seatAt(gatewayId: string, attemptId: string): Seat | undefined {
    const here = this.seats.filter((seat) => seat.gatewayId === gatewayId);
    return here.find(({ representativeId }) =>
      this.#parts.desk.assign(representativeId, attemptId),
    );
  }

  get #engagementId(): string {
    return this.#parts.facts().engagement.id;
  }

  /** Whoever has waited longest goes first. */
  get #waiting(): readonly Call[] {
    return [...this.#calls.values()]
      .filter(({ waitingSinceMs }) => waitingSinceMs !== null)
      .sort((one, other) => (one.waitingSinceMs ?? 0) - (other.waitingSinceMs ?? 0));
  }

  /** Those whom the engagement was left may be somebody's whom nobody was there for. */
  dealt(): void {
    this.#serve();
    this.#parts.onDealt();
  }

  #personIsThere(call: Call, nowMs: number): void {
    if (!this.isRepLed) return;
    this.#core.note(nowMs, { event: 'attempt.answered', attempt: call.attemptId });
    // Dialled for one representative: the machine connects them by itself.
    if (call.representativeId !== null) return;
    call.waitingSinceMs ??= nowMs;
    this.#serve();
  }

  /** Gives those who wait for a person the representatives who wait for one. */
  #serve(): void {
    const { tell } = this.#parts;
    for (const call of this.#waiting) {
      const seat = this.#seatAt(call.gatewayId, call.attemptId);
      if (seat === undefined) continue;
      call.representativeId = seat.representativeId;
      call.waitingSinceMs = null;
      tell(call, { type: 'dialer.connectLobby', lobbyId: seat.lobbyId });
    }
  }

  #connected(call: Call, target: 'lobby' | 'aiAgent', nowMs: number): void {
    const attempt = call.attemptId;
    call.waitingSinceMs = null;
    if (target === 'aiAgent') {
      this.#core.note(nowMs, { event: 'attempt.answered', attempt });
      return;
    }
    const rep = this.#parts.desk.whoHas(attempt) ?? call.representativeId;
    if (rep !== null) this.#core.note(nowMs, { event: 'attempt.connected', attempt, rep });
  }

  #left(call: Call, nowMs: number): void {
    this.#calls.delete(call.attemptId);
    const result = call.isMachine ? { result: 'AnsweringMachine' } : {};
    this.#core.note(nowMs, { event: 'attempt.ended', attempt: call.attemptId, ...result });
    this.#parts.onNews();
  }

  /**
   * The pacer counts whom it may use. Rep-led: who is reserved for this engagement, with or without a
   * call that rings for them. AI-led: whoever qualifies and is nobody's.
   */
  #lookAtRepresentatives(nowMs: number): void {
    const { desk, facts } = this.#parts;
    const { demand } = sharerOf(facts());
    const seen = new Set<string>();
    for (const { id, work, isMine, freeSinceMs } of desk.qualified(demand, this.#engagementId)) {
      const isUsable = this.isRepLed ? isMine && work === 'reserved' : work === 'free';
      const isBetween = this.isRepLed && work === 'free' && nowMs - freeSinceMs < BETWEEN_MS;
      if (isBetween && this.#known.has(id)) {
        seen.add(id);
        continue;
      }
      if (this.isRepLed && !isMine) continue;
      seen.add(id);
      this.#known.add(id);
      if (isUsable) this.#core.note(nowMs, { event: 'rep.ready', rep: id });
      else if (work === 'wrapUp') this.#core.note(nowMs, { event: 'rep.wrapUp', rep: id });
      else if (work === 'connected' || !this.isRepLed) {
        this.#core.note(nowMs, { event: 'rep.busy', rep: id });
      }
    }
    for (const id of this.#known) {
      if (seen.has(id)) continue;
      this.#known.delete(id);
      this.#core.note(nowMs, { event: 'rep.gone', rep: id });
    }
  }
}
