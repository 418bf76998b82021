/**
 * Whether this process can do its work now, found out by trying: each check says in words what it
 * found. A check that does not answer in time has failed.
 */
export interface Finding {
  readonly ok: boolean;
  /** For people; without numbers and secrets. */
  readonly detail: string;
}

export interface HealthCheck {
  readonly name: string;
  /** A rejection is a failure, with its message as the detail. */
  readonly look: () => Finding | Promise<Finding>;
}

export interface CheckReport extends Finding {
  readonly name: string;
}

export interface ReadinessReport {
  readonly ready: boolean;
  /** In the order in which they were added. */
  readonly checks: readonly CheckReport[];
}

export interface ReadinessOptions {
  readonly nowMs: () => number;
  /** A check that takes longer has failed. ms */
  readonly limitMs: number;
  /** A report is told again until it is this old: probes may come often, and one of them writes. ms */
  readonly keptMs: number;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #checks: HealthCheck[] = [];
  #last: { readonly atMs: number; readonly report: Promise<ReadinessReport> } | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  add(...checks: readonly HealthCheck[]): void {
    this.#checks.push(...checks);
    this.#last = undefined;
  }

  report(): Promise<ReadinessReport> {
    const { nowMs, keptMs } = this.#options;
    const last = this.#last;
    if (last !== undefined && nowMs() < last.atMs + keptMs) return last.report;
    const report = this.#look();
    this.#last = { atMs: nowMs(), report };
    return report;
  }

  async #look(): Promise<ReadinessReport> {
    const checks = await Promise.all(this.#checks.map((check) => this.#lookAt(check)));
    return { ready: checks.every(({ ok }) => ok), checks };
  }

  async #lookAt({ name, look }: HealthCheck): Promise<CheckReport> {
    const { limitMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<Finding>((resolve) => {
      const late = { ok: false, detail: `no answer within ${limitMs} ms` };
      timer = setTimeout(() => resolve(late), limitMs);
    });
    const found = (async () => look())().catch((error: unknown) => failed(error));
    const finding = await Promise.race([found, limit]);
    clearTimeout(timer);
    return { name, ...finding };
  }
}

export function failed(error: unknown): Finding {
  return { ok: false, detail: error instanceof Error ? error.message : String(error) };
}
