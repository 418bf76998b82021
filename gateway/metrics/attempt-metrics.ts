/** Takes the events of attempts down as metrics. No number and no id ever becomes a label. */
import type { Meter } from '../../machines/meter.port.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import { GATEWAY_METRICS as metrics } from './gateway-metrics.ts';
import { statusCodeLabels } from './status-code-label.ts';
import { TrunkRatios, type TrunkRatioValues } from './trunk-ratios.ts';

/** Of an attempt whose INVITE has left, until it ends. */
interface OpenAttempt {
  readonly trunk: string;
  readonly sentAtMs: number;
  hasStatus: boolean;
}

export class AttemptMetrics {
  readonly #meter: Meter;
  readonly #nowMs: () => number;
  readonly #open = new Map<string, OpenAttempt>();
  readonly #ratios = new Map<string, TrunkRatios>();

  constructor(meter: Meter, nowMs: () => number) {
    this.#meter = meter;
    this.#nowMs = nowMs;
  }

  /** Attempts it still waits for the end of; none while nothing is dialled. */
  get open(): number {
    return this.#open.size;
  }

  *ratios(): Generator<readonly [trunk: string, values: TrunkRatioValues]> {
    for (const [trunk, ratios] of this.#ratios) yield [trunk, ratios.values(this.#nowMs())];
  }

  hear(event: TelephonyEvent): void {
    switch (event.type) {
      case 'attempt.sent':
        this.#open.set(event.attemptId, {
          trunk: event.trunk,
          sentAtMs: event.atMs,
          hasStatus: false,
        });
        break;
      case 'attempt.alerting':
      case 'attempt.earlyMedia':
        this.#status(event.attemptId, event.afterSentMs);
        break;
      case 'attempt.answered':
        this.#answered(event);
        break;
      case 'attempt.refused':
        this.#meter.add(metrics.dialsRefused, { code: event.code });
        break;
      case 'attempt.ended':
        this.#ended(event);
        break;
      case 'attempt.connected':
        if (event.target === 'aiAgent')
          this.#meter.add(metrics.agentLegs, { outcome: 'connected' });
        break;
      case 'attempt.bridgeEnded':
        this.#observe(metrics.bridged, { ended_by: event.endedBy }, event.bridgedMs);
        break;
      case 'aiAgent.failed':
        this.#meter.add(metrics.agentLegs, { outcome: 'failed' });
        this.#meter.add(metrics.agentFailures, { reason: event.reason });
        break;
      case 'aiAgent.escalated':
        this.#meter.add(metrics.agentEscalations, { by: event.by });
        break;
      case 'aiAgent.firstUtterance':
        this.#observe(metrics.agentUtterance, { basis: event.basis }, event.afterConnectMs);
        break;
      default:
    }
  }

  /** The first word about the request ends its delay. */
  #status(attemptId: string, afterSentMs: number): void {
    const open = this.#open.get(attemptId);
    if (open === undefined || open.hasStatus) return;
    open.hasStatus = true;
    const { trunk } = open;
    this.#observe(metrics.requestDelay, { trunk, outcome: 'successful' }, afterSentMs);
  }

  #answered({ attemptId, afterSentMs }: EventOf<'attempt.answered'>): void {
    const open = this.#open.get(attemptId);
    if (open === undefined) return;
    this.#status(attemptId, afterSentMs);
    this.#observe(metrics.setup, { trunk: open.trunk }, afterSentMs);
  }

  #ended(event: EventOf<'attempt.ended'>): void {
    const { attemptId, invites, answered, ringMs, talkMs, endedBy } = event;
    const open = this.#open.get(attemptId);
    this.#open.delete(attemptId);
    if (open === undefined) {
      this.#meter.add(metrics.withdrawn, {});
      return;
    }
    const { trunk } = open;
    const outcome = answered ? 'answered' : ringMs === null ? 'failed' : 'rang';
    this.#meter.add(metrics.attempts, { trunk, outcome });
    this.#meter.add(metrics.invites, { trunk }, invites);
    if (ringMs !== null) {
      this.#observe(metrics.ring, { trunk, answered: answered ? 'yes' : 'no' }, ringMs);
    }
    if (talkMs !== null) this.#observe(metrics.talk, { trunk, ended_by: endedBy }, talkMs);
    this.#final(open, event);
  }

  #final(open: OpenAttempt, { sip, answered, atMs }: EventOf<'attempt.ended'>): void {
    const { statusCode, origin } = sip;
    const { trunk } = open;
    // Nobody knows how an INVITE ended that was lost with the switch: no trunk is judged by it.
    if (statusCode === null) return;
    this.#meter.add(metrics.finals, { trunk, origin, ...statusCodeLabels(statusCode) });
    this.#ratiosOf(trunk).count({ statusCode }, this.#nowMs());
    if (!answered && !open.hasStatus) {
      const delayMs = Math.max(0, atMs - open.sentAtMs);
      this.#observe(metrics.requestDelay, { trunk, outcome: 'failed' }, delayMs);
    }
  }

  #observe<L extends string>(
    metric: Parameters<Meter['observe']>[0] & { labels: readonly L[] },
    labels: Record<L, string>,
    ms: number,
  ): void {
    this.#meter.observe(metric, labels, ms / 1_000);
  }

  #ratiosOf(trunk: string): TrunkRatios {
    const known = this.#ratios.get(trunk);
    if (known !== undefined) return known;
    const ratios = new TrunkRatios();
    this.#ratios.set(trunk, ratios);
    return ratios;
  }
}
