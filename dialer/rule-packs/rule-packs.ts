/**
 * Which legal rules an engagement is paced by, and how they stand in time: the windows that its pacer
 * keeps to, and how far back their counts go.
 */
import { DateTime } from 'luxon';
import type { AbandonmentConfig, RulePack } from '../../config/abandonment.schema.ts';
import { SHIPPED_RULE_PACKS } from '../../config/shipped-rule-packs.ts';
import type { AbandonmentLimit, WindowPeriod } from '../pacing/abandonment-window.ts';

const HOUR_MS = 3_600_000;
/** Months that a pacer knows the beginnings of without being set up anew. */
const MONTHS_AHEAD = 60;

/** Of an engagement: when it was made, and what it names. */
export interface PackedEngagement {
  readonly createdAtMs: number;
  readonly rulePacks: readonly string[] | undefined;
}

export class RulePacks {
  readonly #byName: ReadonlyMap<string, RulePack>;
  readonly #applied: readonly string[];
  readonly amdFalsePositiveRatio: number;

  constructor({
    applied,
    rulePacks,
    amdFalsePositiveRatio,
  }: Omit<AbandonmentConfig, 'amdAuditShare'>) {
    this.#byName = new Map([...SHIPPED_RULE_PACKS, ...rulePacks].map((pack) => [pack.name, pack]));
    this.#applied = applied;
    this.amdFalsePositiveRatio = amdFalsePositiveRatio;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /**
   * Those that it names, else those that the configuration applies. A name that the configuration has
   * lost since is no licence: what is applied by default holds in its place.
   */
  of(named: readonly string[] | undefined): readonly RulePack[] {
    const known = (named ?? this.#applied).filter((name) => this.#byName.has(name));
    const isWhole = named === undefined || known.length === named.length;
    const names = new Set(isWhole ? known : [...known, ...this.#applied]);
    return [...names].flatMap((name) => this.#byName.get(name) ?? []);
  }

  /** `ratioMax`: what the operator allows, where that is less. */
  limits(
    { createdAtMs, rulePacks }: PackedEngagement,
    nowMs: number,
    ratioMax: number,
  ): readonly AbandonmentLimit[] {
    return this.of(rulePacks).map((pack) => ({
      name: pack.name,
      period: periodOf(pack, createdAtMs, nowMs),
      ratioMax: Math.min(pack.ratioMax, ratioMax),
      numerator: pack.numerator,
      denominator: pack.denominator,
    }));
  }

  /**
   * Since when the windows count that are open now, of whichever rules: an engagement may come under
   * any of them by an edit. Epoch ms.
   */
  countedSinceMs(createdAtMs: number, nowMs: number): number {
    const starts = [...this.#byName.values()].map((pack) =>
      startedAtMs(periodOf(pack, createdAtMs, nowMs), nowMs),
    );
    return Math.min(nowMs, ...starts);
  }
}

/** As an installation has them that configures nothing. */
export const SHIPPED = new RulePacks({ applied: ['us'], rulePacks: [], amdFalsePositiveRatio: 0 });

function periodOf(
  { period, periodHours, timeZone }: RulePack,
  startAtMs: number,
  nowMs: number,
): WindowPeriod {
  const lengthMs = periodHours * HOUR_MS;
  switch (period) {
    case 'tumbling':
      return { kind: 'tumbling', lengthMs, startAtMs };
    case 'rolling':
      return { kind: 'rolling', lengthMs };
    case 'calendarMonth': {
      const month = DateTime.fromMillis(nowMs, { zone: timeZone }).startOf('month');
      const startsAtMs = Array.from({ length: MONTHS_AHEAD }, (_, n) =>
        month.plus({ months: n }).toMillis(),
      );
      return { kind: 'calendar', startsAtMs };
    }
  }
}

function startedAtMs(period: WindowPeriod, nowMs: number): number {
  switch (period.kind) {
    case 'tumbling':
      return nowMs - ((nowMs - period.startAtMs) % period.lengthMs);
    case 'rolling':
      return nowMs - period.lengthMs;
    case 'calendar':
      return period.startsAtMs[0] ?? nowMs;
  }
}
