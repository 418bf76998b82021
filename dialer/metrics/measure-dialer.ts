/**
 * Connects one dialer with a meter: its news and the gateway's events as they come. Only what the
 * store keeps as counts in rows is read at a scrape; nothing is ever counted there.
 */
import { TRUNK_CLOSURE_CAUSES } from '../../machines/gateway-events.ts';
import type { Meter, SetReading } from '../../machines/meter.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { DialerNews, NewsOf } from '../dialer-news.ts';
import type { Dialer } from '../main.ts';
import { DIALER_METRICS as metrics } from './dialer-metrics.ts';
import { EngagementLabels, type EngagementLabel } from './engagement-labels.ts';
import { readEngagements } from './engagement-readings.ts';
import { RepresentativeMeasure } from './measure-representatives.ts';
import { PACING_METRICS as pacing } from './pacing-metrics.ts';
import {
  PACING_READINGS,
  readPacing,
  readStopRules,
  STOP_RULE_READINGS,
} from './pacing-readings.ts';

export interface MeasuredDialer {
  readonly dialer: Pick<
    Dialer,
    | 'database'
    | 'desk'
    | 'leaseLost'
    | 'live'
    | 'recovered'
    | 'standing'
    | 'subscribe'
    | 'trunkClosures'
  >;
  readonly telephony: Pick<TelephonyPort, 'subscribe'>;
  readonly meter: Meter;
  readonly log: DialerLog;
  readonly nowMs: () => number;
  /** Engagements that get a label of their own. */
  readonly engagementsMax: number;
}

const ABANDONED_BY: Readonly<Record<string, string>> = {
  abandoned_by_system: 'system',
  abandoned_by_customer: 'customer',
};

export interface DialerMeasurement {
  /** Resolves when all that was heard has been counted. */
  settled(): Promise<void>;
  stop(): void;
}

export function measureDialer(measured: MeasuredDialer): DialerMeasurement {
  const { dialer, telephony, meter, nowMs } = measured;
  meter.register(metrics);
  meter.register(pacing);
  meter.add(metrics.leaseLosses, {}, 0);
  meter.add(metrics.quarantined, { why: 'broken' }, 0);
  meter.add(metrics.quarantined, { why: 'crashes' }, dialer.recovered?.tasksQuarantined ?? 0);
  let holdsLease = true;
  void dialer.leaseLost.then(() => {
    holdsLease = false;
    meter.add(metrics.leaseLosses, {});
  });
  const labels = new EngagementLabels(dialer.database, measured.engagementsMax);
  const news = new NewsMetrics(measured, labels);
  meter.onScrape({
    name: 'dialer',
    metrics: [metrics.chains, metrics.leaseHeld, metrics.trunksClosed],
    read: (set) => {
      set(metrics.chains, {}, dialer.live);
      set(metrics.leaseHeld, {}, holdsLease ? 1 : 0);
      for (const cause of TRUNK_CLOSURE_CAUSES) {
        const closed = dialer.trunkClosures.filter((closure) => closure.cause === cause);
        set(metrics.trunksClosed, { cause }, closed.length);
      }
    },
  });
  meter.onScrape({
    name: 'engagements',
    metrics: [
      ...[metrics.tasks, metrics.engagements, metrics.inFlight, metrics.inFlightMax],
      pacing.suspended,
    ],
    read: (set: SetReading) => readEngagements(dialer.database, labels, set),
  });
  meter.onScrape({
    name: 'pacing',
    metrics: PACING_READINGS,
    read: (set: SetReading) => readPacing(dialer.standing, labels, set),
  });
  meter.onScrape({
    name: 'stop rules',
    metrics: STOP_RULE_READINGS,
    read: (set: SetReading) =>
      readStopRules(dialer.standing, dialer.database, labels, nowMs(), set),
  });
  const representatives = new RepresentativeMeasure(dialer, meter, nowMs);
  const ends = [
    dialer.subscribe((told) => news.hear(told)),
    telephony.subscribe((event) => {
      hearTelephony(event, measured);
      representatives.hear(event);
    }),
    () => representatives.stop(),
  ];
  return {
    settled: () => news.settled(),
    stop: () => {
      for (const end of ends) end();
    },
  };
}

class NewsMetrics {
  readonly #measured: MeasuredDialer;
  readonly #labels: EngagementLabels;
  readonly #counting = new Set<Promise<void>>();

  constructor(measured: MeasuredDialer, labels: EngagementLabels) {
    this.#measured = measured;
    this.#labels = labels;
  }

  async settled(): Promise<void> {
    while (this.#counting.size > 0) await Promise.all(this.#counting);
  }

  hear(news: DialerNews): void {
    const { meter } = this.#measured;
    switch (news.type) {
      case 'attempt.started':
        this.#labelled(news.engagementId, (labels) => meter.add(metrics.started, labels));
        break;
      case 'attempt.recorded':
        this.#labelled(news.engagementId, (labels) => this.#recorded(news, labels));
        break;
      case 'claim.made':
        this.#claimed(news);
        break;
      case 'task.left':
        meter.add(metrics.tasksLeft, { left: news.left });
        if (news.left === 'broken') meter.add(metrics.quarantined, { why: 'broken' });
        break;
      case 'engagement.suspended':
        meter.add(metrics.suspensions, { type: news.suspension.type });
        break;
      case 'pacing.decided':
        this.#labelled(news.engagementId, (labels) => this.#decided(news, labels));
        break;
      case 'engagement.throttled':
        this.#labelled(news.engagementId, ({ engagement }) => {
          meter.add(pacing.throttleSteps, { engagement, direction: news.step.direction });
        });
        break;
      case 'preview.ended':
        this.#labelled(news.engagementId, ({ engagement }) => {
          meter.add(pacing.offersEnded, { engagement, outcome: news.as });
        });
        break;
      case 'engagement.resumed':
    }
  }

  #decided({ decision }: NewsOf<'pacing.decided'>, { engagement, mode }: EngagementLabel): void {
    const { meter } = this.#measured;
    meter.add(pacing.decisions, { engagement, mode, limiter: decision.binding });
    meter.add(pacing.recalls, { engagement, mode }, decision.cancel.length);
  }

  #recorded(
    { result, subReason, waitExceeded }: NewsOf<'attempt.recorded'>,
    labels: EngagementLabel,
  ): void {
    const { meter } = this.#measured;
    const { engagement, mode } = labels;
    if (waitExceeded) meter.add(pacing.waitsExceeded, { engagement, mode });
    meter.add(metrics.attempts, { ...labels, result });
    meter.add(metrics.subReasons, { result, sub_reason: subReason ?? 'none' });
    const by = ABANDONED_BY[subReason ?? ''];
    if (by !== undefined) meter.add(metrics.abandoned, { engagement, mode, by });
    if (result === 'LiveAnswer' || by === 'system') {
      meter.add(metrics.liveAnswers, { engagement, mode });
    }
  }

  #claimed({ limiter, started, tookMs, passedOver }: NewsOf<'claim.made'>): void {
    const { meter } = this.#measured;
    meter.add(metrics.claims, { limiter });
    if (limiter === 'queue' || (limiter === 'trunk' && started === 0)) return;
    meter.observe(metrics.claimSeconds, {}, tookMs / 1_000);
    meter.add(metrics.claimed, { outcome: 'started' }, started);
    for (const { outcome, reason } of passedOver) {
      meter.add(metrics.claimed, { outcome });
      meter.add(metrics.suppressed, { rule: reason });
    }
  }

  /** An engagement's name is asked for once; its first news waits for that. */
  #labelled(engagementId: string, then: (labels: EngagementLabel) => void): void {
    const counting = this.#labels.of(engagementId).then(then, (error: unknown) => {
      this.#measured.log.warn({ engagementId, error }, 'an attempt was not counted');
    });
    this.#counting.add(counting);
    void counting.finally(() => this.#counting.delete(counting));
  }
}

function hearTelephony(event: TelephonyEvent, { meter, nowMs }: MeasuredDialer): void {
  meter.observe(metrics.eventLag, {}, Math.max(0, nowMs() - event.atMs) / 1_000);
  switch (event.type) {
    case 'attempt.connected': {
      const { target, afterAnswerMs, afterGreetingEndMs } = event;
      const delayMs = Math.max(0, afterGreetingEndMs ?? afterAnswerMs);
      meter.observe(metrics.connectDelay, { target }, delayMs / 1_000);
      break;
    }
    case 'attempt.bridgeEnded':
      meter.observe(metrics.handle, { phase: 'bridged' }, event.bridgedMs / 1_000);
      break;
    case 'attempt.ended':
      if (event.talkMs !== null) {
        meter.observe(metrics.handle, { phase: 'talk' }, event.talkMs / 1_000);
      }
      break;
    case 'aiAgent.escalated':
      meter.add(metrics.escalated, {});
      break;
    default:
  }
}
