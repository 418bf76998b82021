/**
 * A queue of representatives, a carrier and one or more engagements on one virtual clock. The
 * pacers are the dialer's own; the world's truth (distributions, fates) shares no code with their
 * models. The same scenario and seed give the same run, event for event.
 */
import { VirtualClock } from '../machines/virtual-clock.ts';
import type { PacerEvent } from '../dialer/pacing/pacer-events.ts';
import type { EngagementInScenario, Scenario } from './scenario.schema.ts';
import { SeededRandom } from './seeded-random.ts';
import { dialerPacer, type PacerFactory, type SimulatedPacer } from './simulated-pacer.ts';
import { VirtualCarrier } from './virtual-carrier.ts';
import { VirtualRepresentatives } from './virtual-representatives.ts';
import { WorldReport, type SimulationResult } from './world-report.ts';

/** A list of tasks that ends, in the time of the world: 0 is its beginning. */
export interface SimulatedWork {
  isOpen(atMs: number): boolean;
  hasReady(atMs: number): boolean;
  /** When something may start at the earliest; undefined: never, by what is known now. */
  nextStartMs(atMs: number): number | undefined;
  /** False when nothing may be dialled after all. */
  take(call: string, atMs: number): boolean;
  ended(call: string, result: string, atMs: number): void;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly pacer?: PacerFactory;
  /** Dialled to its end instead of for so many hours; of a world with one engagement. */
  readonly work?: SimulatedWork;
  /** With `work`: no more calls than these, and no starts after so much time with somebody to dial. */
  readonly callsMax?: number;
  readonly workedMsMax?: number;
  /** Hears every event and decision, in order. */
  readonly trace?: (line: object) => void;
  /** Called now and then with the share of virtual time that is over. */
  readonly onDecision?: (cpuMs: number) => void;
}

interface Engagement {
  readonly name: string;
  readonly rank: number;
  readonly fromMs: number;
  readonly pacer: SimulatedPacer;
  left: number;
}

interface Waiting {
  readonly call: string;
  readonly timer: number;
}

/** With nobody to dial, how often it is asked whether a talk has ended, ms. */
const TALKS_RECHECK_MS = 10_000;
const RANKS = { critical: 0, high: 1, normal: 2 } as const;

export function simulate(scenario: Scenario, options: SimulationOptions): SimulationResult {
  return new SimulatedWorld(scenario, options).run();
}

class SimulatedWorld {
  readonly #scenario: Scenario;
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock();
  readonly #representatives: VirtualRepresentatives;
  readonly #carrier: VirtualCarrier;
  readonly #report: WorldReport;
  readonly #engagements: readonly Engagement[];
  readonly #ownerOf = new Map<string, Engagement>();
  readonly #callOf = new Map<string, string>();
  readonly #waiting: Waiting[] = [];
  readonly #agentRandom: SeededRandom;
  readonly #agentShare: SeededRandom;
  #calls = 0;
  #isResting = false;
  #workedMs = 0;
  #measured: SimulationResult | undefined;

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#report = new WorldReport(scenario);
    const { seed } = options;
    const shared = { clock: this.#clock, scenario };
    const talk = new SeededRandom(seed, 'talk');
    this.#agentRandom = new SeededRandom(seed, 'agent');
    this.#agentShare = new SeededRandom(seed, 'escalation');
    this.#representatives = new VirtualRepresentatives(
      { ...shared, random: talk },
      {
        ready: (rep) => this.#onReady(rep),
        wrapUp: (rep) => this.#tellAll({ event: 'rep.wrapUp', rep }),
        gone: (rep) => this.#tellAll({ event: 'rep.gone', rep }),
        talkEnded: (rep) => this.#onTalkEnded(rep),
      },
    );
    this.#carrier = new VirtualCarrier(
      { ...shared, random: new SeededRandom(seed, 'call') },
      {
        alerting: (attempt) => this.#tell({ event: 'attempt.alerting', attempt }),
        detecting: (attempt) => this.#tell({ event: 'attempt.detecting', attempt }),
        answered: (call) => this.#onAnswered(call),
        ended: (call, result, wronged) => this.#onEnded(call, result, wronged),
      },
    );
    this.#engagements = this.#engage(scenario, options.pacer ?? dialerPacer);
  }

  run(): SimulationResult {
    this.#representatives.signIn();
    const { work } = this.#options;
    if (work !== undefined) return this.#runOut(work);
    const tick = (): void => {
      this.#tick();
      this.#clock.setTimeout(tick, this.#scenario.tickMs);
    };
    this.#clock.setTimeout(tick, 0);
    this.#clock.advanceTo(this.#scenario.hours * 3_600_000, Number.POSITIVE_INFINITY);
    return this.#result();
  }

  #result(): SimulationResult {
    const utilization = this.#representatives.utilization();
    return this.#report.result(utilization, this.#clock.now(), this.#workedMs);
  }

  /** Until nothing is left of the list, or all calls that it may have are over. */
  #runOut(work: SimulatedWork): SimulationResult {
    const { tickMs } = this.#scenario;
    const tick = (): void => {
      const afterMs = this.#work(work);
      if (afterMs !== undefined) this.#clock.setTimeout(tick, Math.max(tickMs, afterMs));
    };
    this.#clock.setTimeout(tick, 0);
    for (let next = this.#clock.nextDueMs; next !== undefined; next = this.#clock.nextDueMs) {
      this.#clock.advanceTo(next, Number.POSITIVE_INFINITY);
    }
    return this.#measured ?? this.#result();
  }

  /** One look at the list. Answers in how long to look again, ms; undefined: it is over. */
  #work(work: SimulatedWork): number | undefined {
    const { callsMax = Infinity, workedMsMax = Infinity } = this.#options;
    const { tickMs } = this.#scenario;
    const atMs = this.#clock.now();
    // What is measured ends with the last start: after it the representatives have ever less to do.
    const isEnough = this.#calls >= callsMax || this.#workedMs >= workedMsMax;
    if (isEnough) this.#measured ??= this.#result();
    const mayStart = this.#measured === undefined && work.isOpen(atMs) && work.hasReady(atMs);
    const unserved = this.#ownerOf.size - this.#callOf.size;
    if (mayStart || unserved > 0) {
      if (this.#isResting) this.#representatives.resume();
      this.#isResting = false;
      this.#workedMs += tickMs;
      if (mayStart) for (const engagement of this.#engagements) this.#pace(engagement, atMs);
      return tickMs;
    }
    if (!this.#isResting) this.#representatives.rest();
    this.#isResting = true;
    if (this.#ownerOf.size > 0) return TALKS_RECHECK_MS;
    if (this.#measured !== undefined) return undefined;
    const nextMs = work.nextStartMs(atMs);
    return nextMs === undefined ? undefined : nextMs - atMs;
  }

  #engage(scenario: Scenario, pacer: PacerFactory): readonly Engagement[] {
    const only: EngagementInScenario = { name: 'engagement', priority: 'normal', fromMinute: 0 };
    const all = scenario.engagements.length > 0 ? scenario.engagements : [only];
    return all
      .map(({ name, priority, fromMinute, tasks }) => ({
        name,
        rank: RANKS[priority],
        fromMs: fromMinute * 60_000,
        pacer: pacer(scenario),
        left: tasks ?? Number.POSITIVE_INFINITY,
      }))
      .sort((a, b) => a.rank - b.rank);
  }

  /** Strict priority (spec C.1): a lower class starts only while no higher one has work pending. */
  #tick(): void {
    const atMs = this.#clock.now();
    let pendingRank = Number.POSITIVE_INFINITY;
    for (const engagement of this.#engagements) {
      const isOpen = engagement.left > 0 && engagement.fromMs <= atMs;
      if (isOpen && engagement.rank <= pendingRank) {
        this.#pace(engagement, atMs);
        pendingRank = engagement.rank;
      }
    }
  }

  #pace(engagement: Engagement, atMs: number): void {
    const begunMs = performance.now();
    const decision = engagement.pacer.tick(atMs);
    this.#options.onDecision?.(performance.now() - begunMs);
    this.#report.decided(atMs, decision.binding);
    this.#options.trace?.({
      atMs,
      decision: engagement.name,
      start: decision.start,
      cancel: decision.cancel,
      binding: decision.binding,
      ...decision.explanation,
    });
    for (const call of decision.cancel) this.#carrier.cancel(call);
    for (let i = 0; i < decision.start && engagement.left > 0; i += 1) {
      if (!this.#carrier.hasRoom() || !this.#start(engagement)) break;
    }
  }

  /** False when the list has nothing to dial. */
  #start(engagement: Engagement): boolean {
    const { work, callsMax = Infinity } = this.#options;
    const call = `call-${this.#calls + 1}`;
    if (this.#calls >= callsMax) return false;
    if (work?.take(call, this.#clock.now()) === false) return false;
    this.#calls += 1;
    engagement.left -= 1;
    this.#ownerOf.set(call, engagement);
    this.#report.dialed(this.#clock.now());
    this.#tell({ event: 'attempt.started', attempt: call });
    this.#carrier.start(call);
    return true;
  }

  #onAnswered(call: string): void {
    this.#tell({ event: 'attempt.answered', attempt: call });
    if (this.#scenario.repLed) return this.#wantsRepresentative(call);
    const { talk, escalationProbability } = this.#scenario.agent;
    const talkMs = this.#agentRandom.logNormal(talk.meanMs, talk.cv);
    const escalates = this.#agentShare.uniform() < escalationProbability;
    this.#clock.setTimeout(() => {
      if (!escalates) {
        this.#carrier.release(call);
        return this.#over(call, 'AgentDone');
      }
      this.#tell({ event: 'attempt.escalated', attempt: call });
      this.#wantsRepresentative(call);
    }, talkMs);
  }

  #wantsRepresentative(call: string): void {
    const rep = this.#representatives.take();
    if (rep !== undefined) return this.#connect(call, rep);
    const timer = this.#clock.setTimeout(() => this.#abandon(call), this.#scenario.patienceMs);
    this.#waiting.push({ call, timer });
  }

  #onReady(rep: string): void {
    this.#tellAll({ event: 'rep.ready', rep });
    const first = this.#waiting.shift();
    if (first === undefined) return;
    this.#clock.clearTimeout(first.timer);
    // The one who has been idle longest is the only one idle, or nobody would have waited.
    this.#connect(first.call, this.#representatives.take() ?? rep);
  }

  #connect(call: string, rep: string): void {
    this.#callOf.set(rep, call);
    this.#report.connected(this.#clock.now());
    this.#tell({ event: 'attempt.connected', attempt: call, rep });
  }

  #onTalkEnded(rep: string): void {
    const call = this.#callOf.get(rep);
    if (call === undefined) return;
    this.#callOf.delete(rep);
    this.#carrier.release(call);
    this.#over(call, 'Connected');
  }

  #abandon(call: string): void {
    const at = this.#waiting.findIndex((waiting) => waiting.call === call);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#report.abandoned(this.#clock.now());
    this.#carrier.release(call);
    this.#tell({ event: 'attempt.abandoned', attempt: call });
    this.#over(call, 'Abandoned');
  }

  #onEnded(call: string, result: string, wronged: boolean): void {
    this.#report.ended(this.#clock.now(), result, wronged);
    this.#over(call, result);
  }

  #over(call: string, result: string): void {
    this.#tell({ event: 'attempt.ended', attempt: call, result });
    this.#ownerOf.delete(call);
    this.#options.work?.ended(call, result, this.#clock.now());
  }

  #tellAll(event: PacerEvent): void {
    const atMs = this.#clock.now();
    this.#options.trace?.({ atMs, ...event });
    for (const { pacer } of this.#engagements) pacer.note(atMs, event);
  }

  /** A call is news to its own pacer; the others on the queue hear what it does to the pool. */
  #tell(event: Extract<PacerEvent, { readonly attempt: string }>): void {
    const atMs = this.#clock.now();
    const owner = this.#ownerOf.get(event.attempt);
    this.#options.trace?.({ atMs, engagement: owner?.name, ...event });
    for (const { name, pacer } of this.#engagements) {
      if (name === owner?.name) pacer.note(atMs, event);
      else for (const seen of seenByOthers(event)) pacer.note(atMs, seen);
    }
  }
}

/** Another engagement's losses and gains are not on this one's account. */
function seenByOthers(event: Extract<PacerEvent, { readonly attempt: string }>): PacerEvent[] {
  const { attempt } = event;
  switch (event.event) {
    case 'attempt.connected':
      return [
        { event: 'attempt.ended', attempt },
        { event: 'rep.busy', rep: event.rep },
      ];
    case 'attempt.abandoned':
      return [{ event: 'attempt.ended', attempt }];
    default:
      return [event];
  }
}
