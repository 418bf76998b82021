/** The simulated carrier and the people behind it: what becomes of each call, drawn when it starts. */
import type { VirtualClock } from '../machines/virtual-clock.ts';
import type { Scenario } from './scenario.schema.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface CallNews {
  alerting(call: string): void;
  /** Somebody or something picked up; a verdict follows. Only with detection. */
  detecting(call: string): void;
  /** A person, as far as anybody can tell. */
  answered(call: string): void;
  /** `wronged`: a person whom detection called a machine. */
  ended(call: string, result: string, wronged: boolean): void;
}

type Fate = 'person' | 'machine' | 'busy' | 'invalid' | 'failed' | 'nobody';

const RESULT_AT_ONCE = {
  busy: 'LineBusy',
  invalid: 'InvalidAddress',
  failed: 'CallFailed',
} as const;

const ALERTING_MS = 300;

export class VirtualCarrier {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #scenario: Scenario;
  readonly #news: CallNews;
  /** Timers of calls that may be taken back. */
  readonly #ringing = new Map<string, number>();
  readonly #channels = new Set<string>();
  #tokens: number;
  #refilledAtMs = 0;

  constructor(
    world: { clock: VirtualClock; random: SeededRandom; scenario: Scenario },
    news: CallNews,
  ) {
    this.#clock = world.clock;
    this.#random = world.random;
    this.#scenario = world.scenario;
    this.#news = news;
    this.#tokens = Math.max(1, world.scenario.trunk.callsPerSecond);
  }

  /** Whether the trunk would take one more call now. */
  hasRoom(): boolean {
    const { channels, callsPerSecond } = this.#scenario.trunk;
    const nowMs = this.#clock.now();
    const refill = ((nowMs - this.#refilledAtMs) / 1_000) * callsPerSecond;
    this.#tokens = Math.min(Math.max(1, callsPerSecond), this.#tokens + refill);
    this.#refilledAtMs = nowMs;
    return this.#tokens >= 1 && this.#channels.size < channels;
  }

  start(call: string): void {
    this.#tokens -= 1;
    this.#channels.add(call);
    // Drawn in any case, so that an outage does not shift the fate of later calls.
    const [fate, ringMs] = this.#fate();
    const minute = this.#clock.now() / 60_000;
    const isOut = this.#scenario.outages.some((o) => o.fromMinute <= minute && minute < o.toMinute);
    if (isOut) return this.#later(call, 50, () => this.#end(call, 'SystemError'));
    if (fate === 'busy' || fate === 'invalid' || fate === 'failed') {
      return this.#later(call, ringMs, () => this.#end(call, RESULT_AT_ONCE[fate]));
    }
    this.#clock.setTimeout(
      () => {
        if (this.#ringing.has(call)) this.#news.alerting(call);
      },
      Math.min(ALERTING_MS, ringMs),
    );
    if (fate === 'nobody' || ringMs >= this.#scenario.noAnswerMs) {
      return this.#later(call, this.#scenario.noAnswerMs, () => this.#end(call, 'NoAnswer'));
    }
    this.#later(call, ringMs, () => this.#pickUp(call, fate));
  }

  /** CANCEL. A call that was answered meanwhile stays answered. */
  cancel(call: string): void {
    const timer = this.#ringing.get(call);
    if (timer === undefined) return;
    this.#clock.clearTimeout(timer);
    this.#end(call, 'Cancelled');
  }

  /** The call is over: its channel is free. */
  release(call: string): void {
    this.#channels.delete(call);
  }

  #pickUp(call: string, fate: 'person' | 'machine'): void {
    this.#ringing.delete(call);
    const { decisionMs, falsePositiveRate } = this.#scenario.amd;
    const isWronged = fate === 'person' && this.#random.uniform() < falsePositiveRate;
    const verdict = (): void => {
      if (fate === 'person' && !isWronged) return this.#news.answered(call);
      this.#end(call, 'AnsweringMachineHangup', isWronged);
    };
    if (decisionMs <= 0) return verdict();
    this.#news.detecting(call);
    this.#clock.setTimeout(verdict, decisionMs);
  }

  #later(call: string, delayMs: number, then: () => void): void {
    this.#ringing.set(call, this.#clock.setTimeout(then, delayMs));
  }

  #end(call: string, result: string, wronged = false): void {
    this.#ringing.delete(call);
    this.#channels.delete(call);
    this.#news.ended(call, result, wronged);
  }

  #fate(): [Fate, number] {
    const { answerProbability, machineShare, ringToAnswer } = this.#scenario;
    const { busyShare, invalidShare, failedShare } = this.#scenario;
    const minute = this.#clock.now() / 60_000;
    const draw = this.#random.uniform();
    const ringMs = this.#random.logNormal(ringToAnswer.meanMs, ringToAnswer.cv);
    const person = valueAt(answerProbability, minute);
    const machine = person + valueAt(machineShare, minute);
    if (draw < person) return ['person', ringMs];
    if (draw < machine) return ['machine', ringMs];
    const soonMs = Math.min(2_000, ringMs / 8);
    if (draw < machine + busyShare) return ['busy', soonMs];
    if (draw < machine + busyShare + invalidShare) return ['invalid', soonMs];
    if (draw < machine + busyShare + invalidShare + failedShare) return ['failed', soonMs];
    return ['nobody', 0];
  }
}

function valueAt(course: Scenario['answerProbability'], minute: number): number {
  if (typeof course === 'number') return course;
  return course.findLast(({ fromMinute }) => fromMinute <= minute)?.value ?? course[0]?.value ?? 0;
}
