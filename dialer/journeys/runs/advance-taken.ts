/**
 * Taken runs, told what there is to tell: the interpreter in a loop over the inbox of each, with the
 * facts of one moment. Writes nothing but the numbers that splits by number hand out.
 */
import type { Transaction } from 'kysely';
import { advance } from '../../../journey-core/interpreter/advance.ts';
import type { JourneyEffect } from '../../../journey-core/interpreter/effects.ts';
import type { JourneyEvent } from '../../../journey-core/interpreter/events.ts';
import { asksAnything, type Facts } from '../../../journey-core/interpreter/facts.ts';
import { newRun, type JourneyRun } from '../../../journey-core/interpreter/run.ts';
import type { Database } from '../../store/schema/database.ts';
import type { KnownVersion } from './journey-definitions.ts';
import { factsAskedBy, NO_FACTS, readFactsOf } from './read-facts.ts';
import { takeNumbers } from './take-numbers.ts';
import type { TakenRun } from './take-runs.ts';

type Tx = Transaction<Database>;

export interface RunToAdvance extends TakenRun {
  readonly version: KnownVersion;
}

export interface AdvancedRun extends RunToAdvance {
  readonly run: JourneyRun;
  /** In the order in which they are wanted. */
  readonly effects: readonly JourneyEffect[];
  /** Why it cannot be gone on with: it stays as it was, and so does its inbox. */
  readonly fault: string | null;
}

interface Told {
  readonly event: JourneyEvent;
  readonly atMs: number;
}

export async function advanceTaken(
  tx: Tx,
  taken: readonly RunToAdvance[],
  nowMs: number,
): Promise<readonly AdvancedRun[]> {
  const facts = await readFactsOf(
    tx,
    taken.map(({ row, version: { journey } }) => {
      return {
        ...{ journey, journeyId: row.journey_id, version: row.version },
        ...{ businessUnitId: row.business_unit_id, contactId: row.contact_id },
      };
    }),
    nowMs,
  );
  const walks = taken.map((one, index) => new Walk(one, facts[index], nowMs));
  for (const walk of walks) walk.go();
  for (;;) {
    const waiting = walks.filter(({ wantsNumber }) => wantsNumber !== null);
    if (waiting.length === 0) break;
    const asked = waiting.map(({ one, wantsNumber }) => ({
      row: one.row,
      stepId: wantsNumber?.stepId ?? '',
    }));
    const numbers = await takeNumbers(tx, asked);
    for (const [index, walk] of waiting.entries()) walk.giveNumber(numbers[index] ?? 1);
  }
  return walks.map((walk) => walk.end());
}

/** One run's way through what it was told. */
class Walk {
  readonly one: RunToAdvance;
  wantsNumber: { readonly key: string; readonly stepId: string } | null = null;
  readonly #facts: Facts | undefined;
  readonly #nowMs: number;
  readonly #effects: JourneyEffect[] = [];
  readonly #queue: Told[] = [];
  #run: JourneyRun | undefined;
  #fault: string | null = null;

  constructor(one: RunToAdvance, facts: Facts | undefined, nowMs: number) {
    this.one = one;
    this.#facts = asksAnything(factsAskedBy(one.version.journey)) ? facts : undefined;
    this.#nowMs = nowMs;
    this.#attempt(() => {
      this.#run = JSON.parse(one.row.state) as JourneyRun;
      this.#queue.push(...this.#toTell());
    });
  }

  /** Until it has taken in everything, or has to be given a number. */
  go(): void {
    this.#attempt(() => {
      for (let told = this.#next(); told !== undefined; told = this.#next()) this.#tell(told);
    });
  }

  giveNumber(number: number): void {
    const key = this.wantsNumber?.key ?? '';
    this.wantsNumber = null;
    const event: JourneyEvent = { type: 'numberTaken', key, number };
    this.#attempt(() => this.#tell({ event, atMs: this.#nowMs }));
    this.go();
  }

  end(): AdvancedRun {
    const { one } = this;
    const run = this.#run;
    if (run !== undefined && this.#fault === null) {
      return { ...one, run, effects: this.#effects, fault: null };
    }
    if (this.#isStopped) return stoppedRun(one, this.#nowMs);
    return { ...one, run: runOf(one), effects: [], fault: this.#fault ?? 'it has no state' };
  }

  get #isStopped(): boolean {
    const { row, version } = this.one;
    const isOver = version.state === 'stopped' || version.journeyState === 'stopping';
    return isOver && row.status === 'active';
  }

  /** Of a journey that was stopped nobody goes on, whatever else there is to tell. */
  #toTell(): Told[] {
    const event = { type: 'stop', reason: STOPPED } as const;
    const stop: Told[] = this.#isStopped ? [{ event, atMs: this.#nowMs }] : [];
    const told = this.one.inbox.map(({ event, created_at_ms: atMs }) => {
      return { event: JSON.parse(event) as JourneyEvent, atMs: Math.min(atMs, this.#nowMs) };
    });
    return [...stop, ...told];
  }

  /** What it was told first: of that and its timer the interpreter knows which goes before. */
  #next(): Told | undefined {
    if (this.#fault !== null || this.wantsNumber !== null) return undefined;
    const told = this.#queue.shift();
    if (told !== undefined) return told;
    const atMs = this.#nowMs;
    const waiting = this.#run?.waiting ?? null;
    if (waiting === null) return undefined;
    if ('timerId' in waiting) {
      if (waiting.dueAtMs > atMs) return undefined;
      return { event: { type: 'timerDue', timerId: waiting.timerId }, atMs };
    }
    // Facts go with every event; a run asks for them only when it was told something without.
    return waiting.kind === 'facts' ? { event: { type: 'facts' }, atMs } : undefined;
  }

  #tell({ event, atMs }: Told): void {
    const before = this.#run;
    if (before === undefined) return;
    const { journey } = this.one.version;
    const facts = this.#facts ?? (event.type === 'facts' ? NO_FACTS : undefined);
    const told = facts === undefined ? event : { ...event, facts };
    const { run, effects } = advance(journey, before, told, this.#nowMs, atMs);
    this.#run = run;
    this.#effects.push(...effects);
    if (run.waiting?.kind === 'number') {
      this.wantsNumber = { key: run.waiting.key, stepId: run.stepId ?? '' };
    }
  }

  /** The interpreter does not throw; what is stored may be no run all the same. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault = error instanceof Error ? error.message : String(error);
      this.wantsNumber = null;
    }
  }
}

const STOPPED = 'the journey was stopped';

function runOf({ row }: RunToAdvance): JourneyRun {
  const { id: runId, journey_id: journeyId, version, contact_id: personId } = row;
  return newRun({ runId, journeyId, version, personId });
}

/** Nobody stays inside because of what is wrong with a run. */
function stoppedRun(one: RunToAdvance, atMs: number): AdvancedRun {
  const exit = { reason: 'stopped', detail: STOPPED, stepId: one.row.step_id, atMs } as const;
  const run: JourneyRun = { ...runOf(one), status: 'exited', stepId: exit.stepId, exit };
  return { ...one, run, effects: [{ type: 'recordExit', ...exit }], fault: null };
}
