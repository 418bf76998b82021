/** Keeps one AI-led engagement's share of its cap: looks once a minute, and changes it by one step. */
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { ThrottleSettings } from '../engagements/throttle.schema.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import { appendEvents } from '../store/event-log.ts';
import { readThrottle } from './read-throttle.ts';
import { THROTTLE_INTERVAL_MS, throttleStep, type ThrottleStep } from './throttle-step.ts';

export interface ThrottleKeeperParts {
  readonly database: OpenDatabase;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  readonly actor: string;
  readonly engagement: { readonly id: string; readonly businessUnitId: string };
  /** Asked at every look: it may be edited. Undefined: nothing is throttled. */
  readonly settings: () => ThrottleSettings | undefined;
  readonly onStep: (step: ThrottleStep) => void;
}

export class ThrottleKeeper {
  readonly #parts: ThrottleKeeperParts;
  #factor = 1;
  #timer: unknown;
  #isStopped = false;

  constructor(parts: ThrottleKeeperParts) {
    this.#parts = parts;
  }

  /** Share of the configured cap that may be used. */
  get factor(): number {
    return this.#factor;
  }

  /** Also when the settings have changed: without a rule there is nothing to look at. */
  start(): void {
    const { clock, settings } = this.#parts;
    clock.clearTimeout(this.#timer);
    if ((settings()?.rules ?? []).length === 0) this.#factor = 1;
    else this.#timer = clock.setTimeout(() => this.#look(), THROTTLE_INTERVAL_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#parts.clock.clearTimeout(this.#timer);
  }

  #look(): void {
    const { work, log, engagement } = this.#parts;
    work.run(async () => {
      try {
        await this.#step();
      } catch (error) {
        // The share stays as it is until the store can be read again.
        log.warn({ engagementId: engagement.id, error }, 'a throttle could not be measured');
      }
      if (!this.#isStopped) this.start();
    });
  }

  async #step(): Promise<void> {
    const { database, clock, actor, engagement, settings, onStep } = this.#parts;
    const throttle = settings();
    if (throttle === undefined) return;
    const nowMs = clock.now();
    const readings = await readThrottle(database.db, engagement.id, throttle, nowMs);
    const before = this.#factor;
    const step = throttleStep(before, readings, throttle);
    this.#factor = step.factor;
    if (step.direction === 'same' || this.#isStopped) return;
    await database.db.transaction().execute(async (tx) => {
      // The engagement's row is what its stream is numbered by.
      await tx
        .updateTable('engagements')
        .set({ updated_at_ms: nowMs })
        .where('id', '=', engagement.id)
        .execute();
      await appendEvents(tx, engagement.businessUnitId, nowMs, [
        {
          streamId: `engagement:${engagement.id}`,
          type: 'engagement.throttled',
          actor,
          before: { factor: before },
          after: { factor: step.factor },
          payload: { direction: step.direction, readings },
        },
      ]);
    });
    onStep(step);
  }
}
