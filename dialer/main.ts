/** The running dialer: everything wired, from the store to the gateway. */
import type { AgentVerdict } from '../machines/agent-verdict.ts';
import { TelephonyActors } from '../machines/telephony-actor.ts';
import { AttemptJournal } from './actors/attempt-journal.ts';
import { makeOrderKeeper, makePromoter } from './actors/background-work.ts';
import { ChainRegistry } from './actors/chain-registry.ts';
import {
  CancelWork,
  type CancelEngagementTasksRequest,
  type CancelledCounts,
  type CancelTaskRequest,
} from './actors/cancel-work.ts';
import { chainStore, type ChainStoreParts } from './actors/chain-store.ts';
import type { DialerParts } from './actors/dialer-parts.ts';
import { EngagementRuntimes } from './actors/engagement-runtimes.ts';
import { Escalations } from './actors/escalations.ts';
import { LeaseKeeper, takeLease, type LeaseOptions } from './actors/lease-keeper.ts';
import type { OrderKeeper } from './actors/order-keeper.ts';
import type { Promoter } from './actors/promoter.ts';
import { putAside } from './actors/put-aside.ts';
import { recover, type RecoveryReport } from './actors/recovery.ts';
import { ATTEMPT_MACHINES, chainMaker } from './actors/start-attempt.ts';
import { routeTelephony, type TelephonyListeners } from './actors/route-telephony.ts';
import { TrunkBudgets } from './actors/trunk-budget.ts';
import type { DialerOptions } from './dialer-options.ts';
import { NewsFeed, type NewsListener } from './dialer-news.ts';
import type { DialerStanding } from './dialer-standing.ts';
import {
  resumeEngagement,
  suspendEngagement,
  type ResumeRequest,
  type SuspendRequest,
} from './engagements/suspend-engagement.ts';
import type { Lease } from './store/leases.ts';
import type { OpenDatabase } from './store/open-database.ts';
import type { CancelOutcome } from './tasks/cancel-task.ts';
import { PacingLog } from './pacing-log/pacing-log.ts';
import { ClosureKeeper } from './trunks/closure-keeper.ts';
import type { StoredClosure } from './trunks/trunk-closures.ts';
import { playPrompts } from './tasks/plan-after-answer.ts';
import { makeDesk } from './representatives/make-desk.ts';
import type { RepresentativeDesk } from './representatives/representative-desk.ts';
import type { RepresentativeShares } from './representatives/representative-shares.ts';
import type { PreviewOffers } from './preview/preview-offers.ts';
import { OptOutKeeper } from './opt-outs/opt-out-keeper.ts';
import { SHIPPED } from './rule-packs/rule-packs.ts';
import { within } from './within.ts';
import { WorkInHand } from './work-in-hand.ts';

/** One queue group for now: every engagement is worked by whoever holds this lease. */
export const QUEUE_GROUP = 'queue-group:all';

const PACING_LOG_MS = 14 * 86_400_000;

export class Dialer {
  readonly #options: DialerOptions;
  readonly #parts: DialerParts;
  readonly #registry: ChainRegistry;
  readonly #journal: AttemptJournal;
  readonly #closures: ClosureKeeper;
  readonly #optOuts: OptOutKeeper;
  readonly #promoter: Promoter;
  readonly #runtimes: EngagementRuntimes;
  readonly #cancelWork: CancelWork;
  readonly #pacingLog: PacingLog;
  readonly #orders: OrderKeeper;
  readonly #telephony: TelephonyActors;
  readonly #budgets: TrunkBudgets;
  readonly #keeper: LeaseKeeper;
  /** Representatives: who is there, and for whom they are reserved. */
  readonly desk: RepresentativeDesk;
  readonly #shares: RepresentativeShares;
  readonly #escalations: Escalations;
  readonly #unsubscribe: () => void;
  #isStopping = false;
  #recovered: RecoveryReport | undefined;
  #stopped: Promise<void> | undefined;
  #lost: (error: unknown) => void = () => undefined;

  /** Resolves with the reason when the lease is lost: nothing is dialled any more. Else never. */
  readonly leaseLost: Promise<unknown>;

  constructor(options: DialerOptions, lease: Lease) {
    this.#options = options;
    this.#parts = this.#makeParts(lease);
    this.leaseLost = new Promise((resolve) => (this.#lost = resolve));
    const { clock, log, work } = this.#parts;
    this.#journal = this.#makeJournal();
    this.#closures = this.#makeClosureKeeper();
    this.#optOuts = new OptOutKeeper({ ...this.#parts, ...options.limits });
    // Before the machines: an event is taken down before anything is made of it.
    this.#unsubscribe = options.telephony.subscribe((event) => {
      routeTelephony(event, this.#heardBy());
    });
    this.#telephony = new TelephonyActors(options.telephony, () => clock.now());
    this.#registry = this.#makeRegistry();
    this.#budgets = new TrunkBudgets(options.trunks);
    const { telephony, representatives } = options;
    ({ desk: this.desk, shares: this.#shares } = makeDesk(this.#parts, telephony, representatives));
    this.#runtimes = new EngagementRuntimes({
      ...this.#parts,
      budgetOf: (trunk) => this.#budgets.of(trunk),
      ...{ desk: this.desk, shares: this.#shares },
      tellAttempt: (attemptId, order) => this.#registry.tellAttempt(attemptId, order),
      cancelChain: (taskId, reason) => this.#registry.cancel(taskId, reason),
      startChain: (chain, start) => this.#registry.start(chain, start),
      onRecheck: async () => {
        this.#orders.wake();
        await this.#cancelWork.recheck();
      },
    });
    this.#escalations = new Escalations({
      ...{ database: options.database, desk: this.desk, clock, work, log },
      storeRetryMs: options.limits.storeRetryMs,
      callOf: (attemptId) => this.#registry.callOf(attemptId),
      factsOf: (engagementId) => this.#runtimes.get(engagementId)?.facts,
      tellAttempt: (attemptId, order) => this.#registry.tellAttempt(attemptId, order),
    });
    this.desk.subscribe((entered) => {
      this.#runtimes.onEntered(entered);
      this.#escalations.onEntered(entered);
    });
    const { database } = options;
    const { registry, runtimes } = this.#chainParts();
    this.#cancelWork = new CancelWork({ database, clock, registry, runtimes });
    this.#pacingLog = this.#makePacingLog();
    this.#promoter = makePromoter(this.#parts, (engagementIds) => {
      for (const id of engagementIds) this.#runtimes.get(id)?.tasksReady();
    });
    this.#orders = makeOrderKeeper(this.#parts, (id) => this.#runtimes.changed(id));
    this.#keeper = new LeaseKeeper(lease, {
      ...leaseOptionsOf(options),
      work,
      onLost: (error) => this.#parts.onLeaseLost(error),
    });
    log.debug({ epoch: lease.epoch }, 'the dialer owns its queue group');
  }

  /** What `begin` found of an earlier process. */
  get recovered(): RecoveryReport | undefined {
    return this.#recovered;
  }

  /** Settles what an earlier process left, then dials. */
  async begin(): Promise<RecoveryReport> {
    const { parts, runtimes, registry } = this.#chainParts();
    const occupy = (trunk: string): void => this.#budgets.of(trunk).occupy();
    await this.#closures.begin(this.#options.gatewayIds?.() ?? []);
    // Before anything is asked about: whoever is on one of those calls is nobody else's.
    await this.desk.takeOver();
    this.#options.onOwned?.();
    const report = await recover({ ...parts, runtimes, registry, occupy, desk: this.desk });
    this.#recovered = report;
    await this.desk.begin();
    await this.#escalations.recover();
    this.#promoter.wake();
    await this.#runtimes.begin();
    this.#orders.wake();
    this.#pacingLog.begin();
    return report;
  }

  /** Why calls were started, and no more, is in the store as of now. */
  pacingWritten(): Promise<void> {
    return this.#pacingLog.written();
  }

  get database(): OpenDatabase {
    return this.#options.database;
  }

  /** How pacing, competition and escalations stand at this moment. */
  get standing(): DialerStanding {
    const competition = this.#shares.standings;
    const escalationsOpen = this.#escalations.count;
    return { pacing: this.#runtimes.standings, competition, escalationsOpen };
  }

  /** Chains in work. */
  get live(): number {
    return this.#registry.size;
  }

  subscribe(listener: NewsListener): () => void {
    return this.#parts.news.subscribe(listener);
  }

  /** The contacts of the engagement that shows this representative one; undefined: none does. */
  previewOf(representativeId: string): PreviewOffers | undefined {
    return this.#runtimes.previewOf(representativeId);
  }

  /** The AI agent of a call asks for a person, by another way than its SIP leg. */
  escalated(attemptId: string): void {
    this.#escalations.escalated(attemptId);
  }

  /** The AI agent of a call says who answered, by another way than its SIP leg. */
  agentSaid(attemptId: string, said: AgentVerdict): void {
    this.#registry.tellAttempt(attemptId, { type: 'dialer.agentVerdict', ...said });
  }

  /** The representative's call is over, for both. False when they are on none. */
  endCall(representativeId: string): boolean {
    const person = this.desk.get(representativeId);
    if (person?.work !== 'connected' || person.attemptId === null) return false;
    const chain = this.#registry.chainOf(person.attemptId);
    return chain !== undefined && this.#registry.cancel(chain.taskId, 'cancelled');
  }

  /** Trunks that take no calls now, as far as it is known here. */
  get trunkClosures(): readonly StoredClosure[] {
    return this.#closures.closures;
  }

  /** An operator has closed a trunk or opened it, in a caller's transaction; these did not answer. */
  trunksChanged(unheard: readonly string[]): Promise<void> {
    return this.#closures.changed(unheard);
  }

  /** False when it was not running. */
  async suspend(request: Omit<SuspendRequest, 'nowMs'>): Promise<boolean> {
    const nowMs = this.#parts.clock.now();
    const suspended = await suspendEngagement(this.database, { ...request, nowMs });
    if (suspended !== undefined) this.#runtimes.get(suspended.id)?.suspended(request.suspension);
    return suspended !== undefined;
  }

  /** False when it was not suspended. */
  async resume(request: Omit<ResumeRequest, 'nowMs'>): Promise<boolean> {
    const nowMs = this.#parts.clock.now();
    const resumed = await resumeEngagement(this.database, { ...request, nowMs });
    if (resumed !== undefined) await this.#runtimes.changed(resumed.id);
    return resumed !== undefined;
  }

  /** With `ending` a call is being ended: the task ends as Cancelled with it. Safe to repeat. */
  cancelTask(request: CancelTaskRequest): Promise<CancelOutcome> {
    return this.#cancelWork.task(request);
  }

  /** All of them, also those that are written meanwhile; nothing keeps new ones from coming later. */
  cancelEngagementTasks(request: CancelEngagementTasksRequest): Promise<CancelledCounts> {
    return this.#cancelWork.engagement(request);
  }

  /** An engagement was made, or its rows were changed by a caller beside us. */
  async engagementChanged(engagementId: string): Promise<void> {
    await this.#runtimes.changed(engagementId);
    this.#orders.wake();
  }

  /** Tasks were written: ready ones may be started, and a waiting one may be due soon. */
  tasksWritten(engagementId: string): void {
    this.#runtimes.get(engagementId)?.tasksReady();
    this.#promoter.wake();
  }

  /** Resolves when nothing is being written or read; what waits for time or for a call still waits. */
  async settled(): Promise<void> {
    const { work } = this.#parts;
    do {
      await work.settled();
      await this.#promoter.settled();
      await this.#journal.settled();
      await this.desk.settled();
    } while (work.count > 0);
  }

  /**
   * Starts nothing more, lets live calls end for `graceMs`, then hangs up, and leaves once all of it
   * is on disk. What could not be ended within `limitMs` after that is recovered by the next start.
   */
  stop({ graceMs, limitMs }: { graceMs: number; limitMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(graceMs, limitMs);
    return this.#stopped;
  }

  async #stop(graceMs: number, limitMs: number): Promise<void> {
    this.#isStopping = true;
    const { clock, log } = this.#parts;
    this.#runtimes.stop();
    this.desk.leave();
    await this.#promoter.stop();
    if (!(await within(clock, graceMs, this.#idle()))) {
      this.#registry.cancelAll('shutdown');
      const isIdle = await within(clock, limitMs, this.#idle());
      if (!isIdle) log.warn({ live: this.#registry.size }, 'calls are left to the next start');
    }
    this.#registry.abandonAll();
    const written = [this.#journal.settled(), this.desk.settled(), this.#pacingLog.stop()];
    await within(clock, limitMs, Promise.all(written));
    await this.#keeper.release().catch((error: unknown) => {
      log.warn({ error }, 'the lease could not be given back: it lapses by itself');
    });
    this.#close();
  }

  /** No chain in work, and no claim under way that could start one. */
  async #idle(): Promise<void> {
    do {
      await this.#parts.work.settled();
      await this.#registry.idle();
    } while (this.#parts.work.count > 0);
  }

  #close(): void {
    this.#pacingLog.drop();
    this.#orders.stop();
    this.#keeper.drop();
    this.#telephony.close();
    this.#shares.stop();
    this.desk.stop();
    this.#unsubscribe();
    this.#optOuts.stop();
    this.#closures.stop();
    this.#journal.close();
  }

  /** Another process owns the tasks now: whatever we still did would be done twice. */
  #leaseIsLost(error: unknown): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#parts.log.error({ error }, 'the queue group was lost to another dialer');
    this.#runtimes.stop();
    void this.#promoter.stop();
    this.#registry.abandonAll();
    this.#close();
    this.#stopped = Promise.resolve();
    this.#lost(error);
  }

  #makeParts(lease: Lease): DialerParts {
    const { database, ids, clock, log, limits, times, id, gatewayId, gatewayFor } = this.#options;
    return {
      ...{ database, ids, clock, log, gatewayId, limits, times, lease },
      rulePacks: this.#options.rulePacks ?? SHIPPED,
      amdAuditShare: this.#options.amdAuditShare ?? 0,
      gatewayFor: (trunk, preferred) => gatewayFor?.(trunk, preferred) ?? gatewayId,
      news: new NewsFeed(),
      work: new WorkInHand((error) => log.error({ error }, 'work failed that must not fail')),
      actor: `dialer:${id}`,
      planAfterAnswer: this.#options.planAfterAnswer ?? playPrompts,
      isStopping: () => this.#isStopping,
      onLeaseLost: (error) => this.#leaseIsLost(error),
      onWaiting: () => this.#promoter.wake(),
    };
  }

  #heardBy(): TelephonyListeners {
    return {
      ...{ log: this.#parts.log, ids: this.#parts.ids, clock: this.#parts.clock },
      ...{ journal: this.#journal, optOuts: this.#optOuts, registry: this.#registry },
      closures: this.#closures,
      worksElsewhere: (trunk) => this.#worksSomewhere(trunk),
      ...{ desk: this.desk, runtimes: this.#runtimes, escalations: this.#escalations },
      budgets: this.#budgets,
    };
  }

  /** At one of several gateways; of a single one only it can say. */
  #worksSomewhere(trunk: string): boolean {
    return this.#options.gatewayFor?.(trunk) !== undefined;
  }

  #makeClosureKeeper(): ClosureKeeper {
    const { telephony, trunks } = this.#options;
    return new ClosureKeeper({
      ...this.#parts,
      storeRetryMs: this.#parts.limits.storeRetryMs,
      telephony,
      trunks: trunks.map(({ name }) => name),
      onClosed: (trunk) => {
        if (!this.#worksSomewhere(trunk)) this.#budgets.of(trunk).close();
      },
    });
  }

  #makePacingLog(): PacingLog {
    return new PacingLog({
      ...this.#parts,
      businessUnitOf: (id) => this.#runtimes.get(id)?.facts.engagement.business_unit_id,
      retentionMs: this.#options.pacingLogMs ?? PACING_LOG_MS,
    });
  }

  #makeJournal(): AttemptJournal {
    const { database, clock, limits, log } = this.#parts;
    return new AttemptJournal({
      database,
      openAttempt: (attemptId) => this.#registry.openAttempt(attemptId),
      closedAttempt: (attemptId) => this.#registry.closedAttempt(attemptId),
      actor: `machine:${ATTEMPT_MACHINES}`,
      wait: (ms) => new Promise((resolve) => clock.setTimeout(resolve, ms)),
      retryMs: limits.storeRetryMs,
      onFailure: (error) => log.warn({ error }, 'events could not be written yet'),
    });
  }

  #makeRegistry(): ChainRegistry {
    const { clock, limits, news } = this.#parts;
    const store = chainStore(() => this.#chainParts().parts);
    const makeChain = chainMaker({ telephony: this.#telephony.logic, store, clock });
    return new ChainRegistry({
      makeChain,
      storeRetryMs: limits.storeRetryMs,
      onLeft: (chain, left) => {
        const { businessUnitId, engagementId, taskId, trunk } = chain;
        this.#runtimes.of(engagementId).callEnded(trunk, taskId);
        news.tell({ type: 'task.left', businessUnitId, engagementId, taskId, left });
      },
      onBroken: (chain, error) => {
        this.#parts.work.run(async () => {
          const { attemptId } = chain;
          await putAside(this.#parts, this.#options.telephony, chain, error);
          if (attemptId !== null) this.desk.attemptOver(attemptId);
          this.#runtimes.get(chain.engagementId)?.callEnded(chain.trunk, chain.taskId);
          const { businessUnitId, engagementId, taskId } = chain;
          news.tell({ type: 'task.left', businessUnitId, engagementId, taskId, left: 'broken' });
        });
      },
    });
  }

  #chainParts(): {
    parts: ChainStoreParts;
    runtimes: EngagementRuntimes;
    registry: ChainRegistry;
  } {
    const registry = this.#registry;
    const runtimes = this.#runtimes;
    const parts: ChainStoreParts = {
      ...this.#parts,
      registry,
      journal: this.#journal,
      optOuts: this.#optOuts,
      runtimeOf: (engagementId) => runtimes.of(engagementId),
      budgetOf: (trunk) => this.#budgets.of(trunk),
      onAttemptOver: (attemptId) => this.desk.attemptOver(attemptId),
    };
    return { parts, runtimes, registry };
  }
}

/** Takes the queue group, settles what an earlier process left, and dials. */
export async function startDialer(options: DialerOptions): Promise<Dialer> {
  const lease = await takeLease(leaseOptionsOf(options));
  const dialer = new Dialer(options, lease);
  try {
    const report = await dialer.begin();
    options.log.info({ ...report, epoch: lease.epoch }, 'the dialer is running');
    return dialer;
  } catch (error) {
    await dialer.stop({ graceMs: 0, limitMs: 0 });
    throw error;
  }
}

function leaseOptionsOf({ database, clock, log, id, lease }: DialerOptions): LeaseOptions {
  return { database, clock, log, name: QUEUE_GROUP, owner: id, ...lease };
}
