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

export interface SimulationOptions {
  readonly seed: number;
  readonly pacer?: PacerFactory;
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
  #calls = 0;

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#report = new WorldReport(scenario);
    const { seed } = options;
    const shared = { clock: this.#clock, scenario };
    const talk = new SeededRandom(seed, 'talk');
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
    const tick = (): void => {
      this.#tick();
      this.#clock.setTimeout(tick, this.#scenario.tickMs);
    };
    this.#clock.setTimeout(tick, 0);
    this.#clock.advanceTo(this.#scenario.hours * 3_600_000, Number.POSITIVE_INFINITY);
    return this.#report.result(this.#representatives.utilization());
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
      if (!this.#carrier.hasRoom()) break;
      this.#start(engagement);
    }
  }

  #start(engagement: Engagement): void {
    this.#calls += 1;
    engagement.left -= 1;
    const call = `call-${this.#calls}`;
    this.#ownerOf.set(call, engagement);
    this.#report.dialed(this.#clock.now());
    this.#tell({ event: 'attempt.started', attempt: call });
    this.#carrier.start(call);
  }

  #onAnswered(call: string): void {
    this.#tell({ event: 'attempt.answered', attempt: call });
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
    this.#tell({ event: 'attempt.ended', attempt: call, result: 'Connected' });
    this.#ownerOf.delete(call);
  }

  #abandon(call: string): void {
    const at = this.#waiting.findIndex((waiting) => waiting.call === call);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#report.abandoned(this.#clock.now());
    this.#carrier.release(call);
    this.#tell({ event: 'attempt.abandoned', attempt: call });
    this.#tell({ event: 'attempt.ended', attempt: call, result: 'Abandoned' });
    this.#ownerOf.delete(call);
  }

  #onEnded(call: string, result: string, wronged: boolean): void {
    this.#report.ended(this.#clock.now(), result, wronged);
    this.#tell({ event: 'attempt.ended', attempt: call, result });
    this.#ownerOf.delete(call);
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
