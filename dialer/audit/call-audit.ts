/** Audits calls while the service runs: what is new in the log every few seconds, all of it. */
import type { Meter } from '../../machines/meter.port.ts';
import type { DialerLog } from '../dialer-log.ts';
import { AUDIT_METRICS, measureAudit } from '../metrics/audit-metrics.ts';
import { FOLLOWED_EVENTS } from '../store/event-follower.ts';
import { auditCalls, beginAudit, type AuditOptions } from './audit-calls.ts';

export interface CallAuditOptions extends AuditOptions {
  readonly log: DialerLog;
  /** Default: nobody asks. */
  readonly meter?: Meter;
  /** Between two looks. Default 5,000. */
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

export class CallAudit {
  readonly #options: CallAuditOptions;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;
  /** When it stood at the end of the log last. */
  #doneAtMs: number;

  constructor(options: CallAuditOptions) {
    this.#options = options;
    this.#doneAtMs = options.nowMs();
    const { database, meter, nowMs } = options;
    if (meter === undefined) return;
    measureAudit({ database, meter, ageMs: () => nowMs() - this.#doneAtMs });
  }

  start(): void {
    const { pollMs = POLL_MS } = this.#options;
    this.#timer ??= setInterval(() => this.#look(), pollMs).unref();
    this.#look();
  }

  /** Resolves when nothing is written any more. What was not looked at is by the next process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#turn;
  }

  #look(): void {
    if (this.#isStopped || this.#turn !== undefined) return;
    this.#turn = this.#all()
      .catch((error: unknown) => {
        this.#options.log.warn({ error }, 'calls could not be audited');
      })
      .finally(() => (this.#turn = undefined));
  }

  async #all(): Promise<void> {
    const { log, meter, nowMs, limit = FOLLOWED_EVENTS } = this.#options;
    await beginAudit(this.#options);
    while (!this.#isStopped) {
      const { events, calls, violations } = await auditCalls({ ...this.#options, limit });
      meter?.add(AUDIT_METRICS.calls, {}, calls);
      for (const { rule, detail, attempt_id: attemptId } of violations) {
        log.error({ attemptId, rule, detail }, 'a call broke a rule');
      }
      if (events < limit) {
        this.#doneAtMs = nowMs();
        return;
      }
    }
  }
}
