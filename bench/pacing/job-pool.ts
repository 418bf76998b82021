/** Two threads that take pacing jobs as they become free. */
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../../softswitch/start-worker.ts';
import type { PacingJob, PacingJobDone, Policy } from './pacing-jobs.ts';
import type { Scenario } from '../../simulator/scenario.schema.ts';

export class JobPool {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #queue: PacingJob[] = [];
  readonly #waiting = new Map<number, (done: PacingJobDone) => void>();
  #fail: ((error: Error) => void) | undefined;
  readonly failed: Promise<never>;
  #jobs = 0;

  constructor(threads: number) {
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
    const file = import.meta.url.endsWith('.ts') ? './pacing.worker.ts' : './pacing.worker.js';
    this.#workers = Array.from({ length: threads }, () => {
      const worker = startWorker(new URL(file, import.meta.url), {});
      worker.on('message', (done: PacingJobDone) => this.#onDone(worker, done));
      worker.on('error', (error) => this.#fail?.(error));
      return worker;
    });
    this.#idle = [...this.#workers];
  }

  /** The same world and policy with each seed; answers in the order of the seeds. */
  async runAll(
    scenario: Scenario,
    policy: Policy,
    seeds: readonly number[],
  ): Promise<PacingJobDone[]> {
    const all = Promise.all(seeds.map((seed) => this.#run({ scenario, policy, seed })));
    return Promise.race([all, this.failed]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #run(job: Omit<PacingJob, 'id'>): Promise<PacingJobDone> {
    this.#jobs += 1;
    const id = this.#jobs;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#queue.push({ ...job, id });
      this.#next();
    });
  }

  #next(): void {
    const worker = this.#queue.length > 0 ? this.#idle.shift() : undefined;
    const job = worker === undefined ? undefined : this.#queue.shift();
    if (job !== undefined) worker?.postMessage(job);
  }

  #onDone(worker: Worker, done: PacingJobDone): void {
    this.#idle.push(worker);
    this.#waiting.get(done.id)?.(done);
    this.#waiting.delete(done.id);
    this.#next();
  }
}
