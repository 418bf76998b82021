/**
 * One running engagement: its pacer, the claims that the pacer asks for, and the hours of its queue.
 * Everything it knows can be read again from the store; it holds no budget of its own.
 */
import { isDeepStrictEqual } from 'node:util';
import { DialerError } from '../../machines/errors.ts';
import {
  queueFactOf,
  suspensionOf,
  type EngagementFacts,
} from '../engagements/engagement-facts.ts';
import { inFlightMaxOf } from '../engagements/in-flight-max.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import type { RepresentativeShares } from '../representatives/representative-shares.ts';
import type { Suspension } from '../engagements/suspend-engagement.ts';
import type { NewsOf } from '../dialer-news.ts';
import type { PacerPast } from '../call-history/pacer-past.ts';
import { takenBack } from '../tasks/attempt-end.ts';
import { ClaimInDoubt } from '../tasks/claim-in-doubt.ts';
import { claimStarts, type ClaimContext, type ClaimedStart } from '../tasks/claim-starts.ts';
import type { Chain, ChainRegistry } from './chain-registry.ts';
import { callPlanOf, claimContextOf, claimRequestOf } from './claim-context.ts';
import type { DialerParts } from './dialer-parts.ts';
import { makePacer, type Claimed, type Pacer } from './make-pacer.ts';
import { PacedCalls, type Place } from './paced-calls.ts';
import { pacingStanding } from './pacing-standing.ts';
import { recordEnd } from './record-end.ts';
import { startInLobby } from './seats.ts';
import { settleClaim } from './settle-claim.ts';
import { chainStartOf } from './start-attempt.ts';
import type { ChainStart } from '../../machines/contact-chain.events.ts';
import { makePreviewOffers, previewSharer } from '../preview/preview-engagement.ts';
import type { PacingStanding } from '../pacing/pacing-standing.ts';
import type { PreviewOffers } from '../preview/preview-offers.ts';
import { ThrottleKeeper } from '../throttle/throttle-keeper.ts';
import { throttled } from '../throttle/throttle-step.ts';
import type { TrunkBudget } from './trunk-budget.ts';

export interface RuntimeParts extends DialerParts {
  readonly startChain: (chain: Chain, start: ChainStart) => void;
  readonly budgetOf: (trunk: string) => TrunkBudget;
  readonly desk: RepresentativeDesk;
  readonly shares: RepresentativeShares;
  readonly tellAttempt: ChainRegistry['tellAttempt'];
  readonly cancelChain: ChainRegistry['cancel'];
  /** The store is looked at for what somebody beside us has changed. */
  readonly onRecheck: () => Promise<void>;
}

const NO_PAST: PacerPast = { past: [], believed: {} };
const NOTHING: Claimed = { started: 0, moreReady: false };
/** Timers run at most this long before the time is looked at again: Node's own limit is 24.8 days. */
const SLEEP_MAX_MS = 86_400_000;

export class EngagementRuntime {
  readonly #parts: RuntimeParts;
  readonly #pacer: Pacer;
  /** Of a mode that is paced by representatives. */
  readonly #paced: PacedCalls | undefined;
  /** Of a preview engagement: the contacts that representatives are shown. */
  readonly preview: PreviewOffers | undefined;
  readonly #throttle: ThrottleKeeper;
  #facts: EngagementFacts;
  #isStopped = false;
  #isOpen: boolean;
  #queueTimer: unknown;
  #budgetTimer: unknown;
  /** Tasks that were cancelled while a claim is under way, which may have taken them. */
  #cancelledInClaim: Set<string> | undefined;

  /** `live`: chains of it that are in work already, found by recovery. `past`: of a paced one. */
  constructor(parts: RuntimeParts, facts: EngagementFacts, live: number, past = NO_PAST) {
    this.#parts = parts;
    this.#facts = facts;
    this.#isOpen = queueFactOf(facts, parts.clock.now()).kind !== 'closed';
    this.#throttle = this.#makeThrottle();
    const { kind } = facts.config.mode;
    this.#paced = kind === 'copilot' || kind === 'preview' ? undefined : this.#makePaced(past);
    this.preview = kind === 'preview' ? this.#makePreview() : undefined;
    this.#pacer = makePacer({
      ...{ facts, live, isOpen: this.#isOpen, clock: parts.clock, limits: parts.limits },
      demand: this.#paced?.demand,
      work: parts.work,
      claim: (starts) => this.#claim(starts),
      recall: (attempts) => this.#paced?.recall(attempts),
      offer: this.preview && ((representatives) => this.#offer(representatives)),
      askForShare: () => parts.shares.wake(),
      onFailure: (error) => this.#failed(error),
    });
  }

  #makeThrottle(): ThrottleKeeper {
    const { database, clock, work, log, actor, news } = this.#parts;
    const { id, business_unit_id: businessUnitId } = this.#facts.engagement;
    return new ThrottleKeeper({
      ...{ database, clock, work, log, actor, engagement: { id, businessUnitId } },
      settings: () => this.#facts.config.throttle,
      onStep: (step) => {
        news.tell({ type: 'engagement.throttled', engagementId: id, step });
        this.#tellCap();
      },
    });
  }

  /** Copilot's cap as it is now; the paced modes ask for their share at every decision. */
  #tellCap(): void {
    const cap = inFlightMaxOf(this.#facts.config.mode);
    const maxConcurrentCalls = throttled(cap, this.#throttle.factor);
    this.#pacer.send({ type: 'engagement.capChanged', maxConcurrentCalls });
  }

  #makePaced(past: PacerPast): PacedCalls {
    const { desk, clock, tellAttempt, cancelChain, news, rulePacks } = this.#parts;
    const engagementId = this.#facts.engagement.id;
    return new PacedCalls({
      ...{ desk, clock, rulePacks, past },
      facts: () => this.#facts,
      isDialing: () => this.#isOpen && !this.#mayNotDial(),
      factor: () => this.#throttle.factor,
      tell: ({ attemptId }, order) => tellAttempt(attemptId, order),
      recall: (taskId) => cancelChain(taskId, 'dialer_recall'),
      onDecision: (decision) => news.tell({ type: 'pacing.decided', engagementId, decision }),
      onNews: () => {
        this.#pacer.send({ type: 'pacer.news' });
        this.#parts.shares.wake();
      },
      onDealt: () => this.#pacer.send({ type: 'pacer.news' }),
    });
  }

  #makePreview(): PreviewOffers {
    const { budgetOf } = this.#parts;
    return makePreviewOffers({
      ...this.#parts,
      facts: () => this.#facts,
      isDialing: () => this.#isOpen && !this.#mayNotDial(),
      grant: () => this.#watchQueue() && this.#grant(1) > 0,
      ungrant: () => budgetOf(this.#facts.workstream.trunk).giveBack(1),
      begin: (claimed, lobbyId, gatewayId) => this.#beginInLobby(claimed, lobbyId, gatewayId),
      takeBack: (claimed) => this.#parts.work.run(() => this.#takeBack([claimed], true)),
    });
  }

  /** Answers how many contacts left the list for it. */
  async #offer(representatives: number): Promise<number> {
    return this.#watchQueue() ? ((await this.preview?.offer(representatives)) ?? 0) : 0;
  }

  /** For the representative who has accepted it, who hears it from the first ring on. */
  #beginInLobby(claimed: ClaimedStart, lobbyId: string, gatewayId: string): void {
    const parts = this.#parts;
    const plan = callPlanOf(parts, this.#facts, gatewayId);
    const start = chainStartOf(claimed, plan, parts.clock.now());
    this.#begin(claimed, startInLobby(start, lobbyId, true));
  }

  /** A call that recovery found: it is served as those that are begun here. */
  recovered(taskId: string, attemptId: string, gatewayId: string, isAnswered: boolean): void {
    this.#paced?.started(taskId, attemptId, gatewayId, isAnswered);
  }

  get facts(): EngagementFacts {
    return this.#facts;
  }

  get standing(): PacingStanding {
    return pacingStanding({
      ...{ facts: this.#facts, paced: this.#paced, preview: this.preview },
      ...{ desk: this.#parts.desk, throttleFactor: this.#throttle.factor },
      isDialing: this.#isOpen && !this.#mayNotDial(),
    });
  }

  start(): void {
    this.#watchQueue();
    this.#pacer.start();
    this.#throttle.start();
    const paced = this.#paced;
    if (paced?.isRepLed === true) {
      this.#parts.shares.join(this.#facts.engagement.id, () => paced.sharer);
    }
    if (this.preview === undefined) return;
    const asks = (representatives: number): void =>
      this.#pacer.send({ type: 'pacer.allotted', representatives });
    this.#parts.shares.join(this.#facts.engagement.id, previewSharer(this.preview, asks));
  }

  /** Of whichever engagement: those that are none of ours change nothing. */
  onAttempt(event: AttemptEvent): void {
    this.#paced?.onAttempt(event);
    this.preview?.onAttempt(event);
  }

  onEntered(entered: Entered): void {
    this.#paced?.onEntered(entered);
    this.preview?.onEntered(entered);
  }

  /** Nothing more starts; what has started goes on. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.clock.clearTimeout(this.#queueTimer);
    this.#parts.clock.clearTimeout(this.#budgetTimer);
    this.#pacer.send({ type: 'pacer.stop' });
    this.preview?.withdrawAll();
    this.#throttle.stop();
    this.#parts.shares.leave(this.#facts.engagement.id);
  }

  /** What the store says of it has changed. */
  update(facts: EngagementFacts): void {
    const before = this.#facts;
    this.#facts = facts;
    if (inFlightMaxOf(facts.config.mode) !== inFlightMaxOf(before.config.mode)) this.#tellCap();
    if (!isDeepStrictEqual(facts.config.throttle, before.config.throttle)) this.#throttle.start();
    if (!isDeepStrictEqual(facts.config, before.config)) this.#paced?.reconfigure();
    this.#watchQueue();
    const suspension = suspensionOf(facts);
    if (suspension !== null) this.suspended(suspension);
    else if (this.isSuspended) this.#resumed();
  }

  /** At once, before the store is read again. Said twice, it is one suspension. */
  suspended(suspension: Suspension): void {
    if (this.isSuspended) return;
    this.#pacer.send({ type: 'engagement.suspended', suspension });
    this.preview?.withdrawAll();
    this.#parts.shares.wake();
    const engagementId = this.#facts.engagement.id;
    this.#parts.news.tell({ type: 'engagement.suspended', engagementId, suspension });
  }

  get isSuspended(): boolean {
    return this.#pacer.isSuspended;
  }

  tasksReady(): void {
    this.#pacer.send({ type: 'tasks.ready' });
    if (this.#paced !== undefined || this.preview !== undefined) this.#parts.shares.wake();
  }

  /** A task in work that no chain works yet: the claim that has taken it gives it back undialled. */
  cancelClaimed(taskId: string): void {
    if (this.preview?.withdraw(taskId) !== true) this.#cancelledInClaim?.add(taskId);
  }

  /** A chain has left: its place and its channel are free. */
  callEnded(trunk: string, taskId: string): void {
    this.#parts.budgetOf(trunk).free(1);
    this.#pacer.send({ type: 'call.ended' });
    this.#paced?.chainLeft(taskId);
    this.preview?.callEnded(taskId);
  }

  /** A chain goes on to its next number, in the place that it has. */
  startedByChain(start: ClaimedStart): void {
    this.#budget.countStart(this.#parts.clock.now());
    this.#tellStart(start);
  }

  #resumed(): void {
    this.#pacer.send({ type: 'engagement.resumed' });
    this.#parts.shares.wake();
    const engagementId = this.#facts.engagement.id;
    this.#parts.news.tell({ type: 'engagement.resumed', engagementId });
  }

  get #budget(): TrunkBudget {
    return this.#parts.budgetOf(this.#facts.workstream.trunk);
  }

  async #claim(wanted: number): Promise<Claimed> {
    const parts = this.#parts;
    const facts = this.#facts;
    if (!this.#watchQueue()) {
      this.#tellClaim({ limiter: 'queue' });
      return NOTHING;
    }
    const budget = this.#budget;
    const place = this.#place();
    const granted = this.#grant(Math.min(wanted, place?.startsMax ?? wanted));
    const isCut = granted < wanted;
    if (granted < 1) {
      this.#tellClaim({ limiter: 'trunk' });
      return NOTHING;
    }
    const context = claimContextOf(parts, facts, place?.gatewayId);
    let made = 0;
    const cancelled = (this.#cancelledInClaim = new Set<string>());
    try {
      const request = claimRequestOf(parts, facts, granted);
      const { starts, looked, changes } = await claimStarts(context, request);
      made = starts.length;
      this.#tellClaim({
        limiter: made < granted ? 'list' : isCut ? 'trunk' : 'cap',
        ...{ started: made, tookMs: parts.clock.now() - context.nowMs },
        passedOver: changes.map(({ kind: outcome, reason }) => ({ outcome, reason })),
      });
      if (changes.some(({ kind }) => kind === 'postponed')) parts.onWaiting();
      const isHalted = this.#mayNotDial();
      const isUnwanted = ({ task }: ClaimedStart): boolean => isHalted || cancelled.has(task.id);
      const [unwanted, wanted] = [
        starts.filter(isUnwanted),
        starts.filter((start) => !isUnwanted(start)),
      ];
      this.#cancelledInClaim = undefined;
      const unseated = wanted.filter((start) => !this.#dial(start, context));
      const back = [...unwanted, ...unseated];
      // Not awaited: the pacer hears of the calls that have begun before it hears of their ends.
      if (back.length > 0) {
        parts.work.run(() => this.#takeBack(back, isHalted || unseated.length > 0));
      }
      return { started: wanted.length - unseated.length, moreReady: looked > 0 };
    } catch (error) {
      if (error instanceof ClaimInDoubt) await settleClaim(parts, facts, error);
      throw error;
    } finally {
      this.#cancelledInClaim = undefined;
      budget.giveBack(granted - made);
    }
  }

  /** Where the representatives are for whom is dialled: nobody can be bridged to them elsewhere. */
  #place(): Place | undefined {
    const { trunk } = this.#facts.workstream;
    return this.#paced?.place((id) => this.#parts.gatewayFor(trunk, id) === id);
  }

  /** Asked again after the claim: a suspension or a stop may have come meanwhile. */
  #mayNotDial(): boolean {
    return this.#isStopped || this.isSuspended || this.#parts.isStopping();
  }

  /** One function, so that a trunk for which is waited long wakes it once. */
  readonly #lookAgain = (): void => {
    if (!this.#isStopped) this.tasksReady();
  };

  #grant(wanted: number): number {
    const { clock } = this.#parts;
    const grant = this.#budget.take(wanted, clock.now());
    if (grant.granted > 0) return grant.granted;
    this.#budget.whenFree(this.#lookAgain);
    if ('atMs' in grant && grant.atMs !== null) {
      clock.clearTimeout(this.#budgetTimer);
      this.#budgetTimer = clock.setTimeout(this.#lookAgain, Math.max(1, grant.atMs - clock.now()));
    }
    return 0;
  }

  /** False when nobody is there any more for whoever would answer: it is not dialled. */
  #dial(claimed: ClaimedStart, { nowMs, gatewayId }: ClaimContext): boolean {
    const plan = callPlanOf(this.#parts, this.#facts, gatewayId);
    const engagementId = this.#facts.engagement.id;
    let start = chainStartOf(claimed, plan, nowMs);
    if (this.#paced?.isRepLed === true) {
      const seat = this.#paced.takeSeat(claimed.attemptId, gatewayId);
      if (seat === undefined) return false;
      start = startInLobby(start, seat.lobbyId, seat.isBound);
      if (seat.isBound) this.#parts.shares.served(engagementId);
    }
    this.#begin(claimed, start);
    return true;
  }

  #begin(claimed: ClaimedStart, start: ChainStart): void {
    const taskId = claimed.task.id;
    const { business_unit_id: businessUnitId, id: engagementId } = this.#facts.engagement;
    this.#paced?.started(taskId, claimed.attemptId, start.attempt.dial.gatewayId);
    this.#tellStart(claimed);
    const { trunk } = this.#facts.workstream;
    this.#parts.startChain({ taskId, businessUnitId, engagementId, trunk }, start);
  }

  async #takeBack(starts: readonly ClaimedStart[], isHalted: boolean): Promise<void> {
    const recalled = this.#parts.isStopping() ? 'shutdown' : 'dialer_recall';
    const reason = isHalted ? recalled : 'cancelled';
    const { config } = this.#facts;
    for (const { attemptId } of starts) {
      await recordEnd(this.#parts, config, takenBack(attemptId, reason));
    }
    this.#budget.free(starts.length);
    this.#parts.onWaiting();
  }

  #tellClaim(claim: Partial<NewsOf<'claim.made'>> & Pick<NewsOf<'claim.made'>, 'limiter'>): void {
    const engagementId = this.#facts.engagement.id;
    const nothing = { started: 0, tookMs: 0, passedOver: [] };
    this.#parts.news.tell({ ...nothing, ...claim, type: 'claim.made', engagementId });
  }

  #tellStart({ attemptId, deliveryId, task }: ClaimedStart): void {
    const { business_unit_id: businessUnitId, id: engagementId } = this.#facts.engagement;
    const ids = { businessUnitId, engagementId, taskId: task.id, attemptId, deliveryId };
    this.#parts.news.tell({ type: 'attempt.started', ...ids });
  }

  /** Tells the pacer whether the queue lets calls start, and looks again when that may change. */
  #watchQueue(): boolean {
    const { clock } = this.#parts;
    const fact = queueFactOf(this.#facts, clock.now());
    clock.clearTimeout(this.#queueTimer);
    const isOpen = fact.kind !== 'closed';
    if (isOpen !== this.#isOpen) {
      this.#isOpen = isOpen;
      this.#pacer.send({ type: isOpen ? 'queue.opened' : 'queue.closed' });
      if (!isOpen) this.preview?.withdrawAll();
    }
    if (isOpen) return true;
    const sleepMs = Math.min(SLEEP_MAX_MS, (fact.opensAtMs ?? Infinity) - clock.now());
    this.#queueTimer = clock.setTimeout(() => {
      if (!this.#isStopped) this.#watchQueue();
    }, sleepMs);
    return false;
  }

  #failed(error: unknown): void {
    const engagementId = this.#facts.engagement.id;
    this.#parts.log.error({ engagementId, error }, 'starts could not be claimed');
    if (error instanceof DialerError && error.code === 'LEASE_LOST') this.#parts.onLeaseLost(error);
  }
}
