/** Asks every trunk at intervals whether it is there, and tells when that changes. */
import type { GatewayClock } from '../clock.ts';
import type { Trunk } from './trunk.ts';
import { checkTrunk, type TrunkCheckParts, type TrunkVerdict } from './trunk-check.ts';

export interface TrunkMonitorParts {
  readonly trunks: ReadonlyMap<string, Trunk>;
  readonly check: TrunkCheckParts;
  readonly clock: GatewayClock;
  /** Between two rounds; 0 turns the monitor off. The first round comes after one interval. */
  readonly intervalMs: number;
  readonly onNews: (trunk: Trunk) => void;
}

const KNOWN_DEAD: readonly TrunkVerdict['verdict'][] = ['connection_refused', 'unknown_host'];

export class TrunkMonitor {
  readonly #parts: TrunkMonitorParts;
  #timer: unknown;

  constructor(parts: TrunkMonitorParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, intervalMs } = this.#parts;
    if (intervalMs <= 0) return;
    this.#timer = clock.setTimeout(() => {
      void Promise.all([...this.#parts.trunks.values()].map((trunk) => this.check(trunk)));
      this.start();
    }, intervalMs);
  }

  stop(): void {
    this.#parts.clock.clearTimeout(this.#timer);
  }

  /** A trunk out of reach of a switch that is down itself is not news about the trunk. */
  async check(trunk: Trunk): Promise<TrunkVerdict> {
    const verdict = await checkTrunk(trunk, this.#parts.check);
    if (verdict.verdict === 'switch_down') return verdict;
    const state = verdict.reachable && verdict.verdict !== 'overloaded' ? 'up' : 'down';
    const isNews = trunk.learn(state, verdict.detail, KNOWN_DEAD.includes(verdict.verdict));
    if (isNews) this.#parts.onNews(trunk);
    return verdict;
  }
}
