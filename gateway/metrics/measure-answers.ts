/** Takes down who answered, what they were played, and how well they were heard. */
import type { Meter } from '../../machines/meter.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { CallQuality } from '../media/call-quality.ts';
import { ANSWER_METRICS as metrics } from './answer-metrics.ts';

export class AnswerMeasure {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
    meter.register(metrics);
  }

  hear(event: TelephonyEvent): void {
    const meter = this.#meter;
    switch (event.type) {
      case 'attempt.classified': {
        const { verdict, afterAnswerMs } = event;
        meter.add(metrics.classified, { verdict });
        meter.observe(metrics.verdict, { verdict }, afterAnswerMs / 1_000);
        break;
      }
      case 'attempt.earlyMedia':
        if (event.verdict !== null) meter.add(metrics.earlyMedia, { verdict: event.verdict });
        break;
      case 'attempt.connected': {
        const { target, afterGreetingEndMs } = event;
        if (afterGreetingEndMs === null) break;
        meter.observe(metrics.connectDelay, { target }, Math.max(0, afterGreetingEndMs) / 1_000);
        break;
      }
      case 'attempt.connectFailed':
        meter.add(metrics.connectsFailed, { reason: event.reason });
        break;
      case 'attempt.played':
        meter.add(metrics.plays, { status: event.status });
        break;
      case 'attempt.optOut':
        meter.add(metrics.optOuts, { source: event.source });
        break;
      default:
    }
  }

  quality(trunk: string, { lossRatio, jitterMs }: CallQuality): void {
    this.#meter.observe(metrics.rtpLoss, { trunk }, lossRatio);
    this.#meter.observe(metrics.rtpJitter, { trunk }, jitterMs / 1_000);
  }
}
