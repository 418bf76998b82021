/** Calls that come to us, and what is kept of calls. docs/metrics.md is written from these rows. */
import { counter, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import { ANSWER_METRICS } from './answer-metrics.ts';

export const INCOMING_METRICS = {
  calls: counter(
    'gateway_inbound_calls_total',
    'Calls to a number that is shown, which heard the company message, by who ended them: caller, gateway, switch.',
    ['ended_by'],
  ),
  dialIns: counter(
    'gateway_dial_ins_total',
    'Representatives at the dial-in number: admitted, or why not: unknownNumber, wrongPin, locked, notSignedOn, inLobby, notInvited, unavailable.',
    ['outcome'],
  ),
  recordings: counter(
    'gateway_recordings_total',
    'Recordings of conversations: started, ended (the file is whole), failed.',
    ['outcome'],
  ),
  transcriptions: counter(
    'gateway_transcriptions_total',
    'Recordings that were put in writing: transcribed, or failed (one try of it).',
    ['outcome'],
  ),
} as const satisfies MetricTable;

export class IncomingMeasure {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
    meter.register(INCOMING_METRICS);
    // From nothing to one is a failure too.
    meter.add(INCOMING_METRICS.recordings, { outcome: 'failed' }, 0);
    meter.add(INCOMING_METRICS.transcriptions, { outcome: 'failed' }, 0);
  }

  hear(event: TelephonyEvent): void {
    const meter = this.#meter;
    switch (event.type) {
      case 'inbound.ended':
        meter.add(INCOMING_METRICS.calls, { ended_by: event.endedBy });
        break;
      case 'inbound.optOut':
        meter.add(ANSWER_METRICS.optOuts, { source: event.source });
        break;
      case 'representative.dialedIn':
        meter.add(INCOMING_METRICS.dialIns, { outcome: 'admitted' });
        break;
      case 'representative.dialInRefused':
        meter.add(INCOMING_METRICS.dialIns, { outcome: event.reason });
        break;
      case 'recording.started':
        meter.add(INCOMING_METRICS.recordings, { outcome: 'started' });
        break;
      case 'recording.ended':
        meter.add(INCOMING_METRICS.recordings, { outcome: 'ended' });
        break;
      case 'recording.failed':
        meter.add(INCOMING_METRICS.recordings, { outcome: 'failed' });
        break;
      case 'recording.transcribed':
        meter.add(INCOMING_METRICS.transcriptions, { outcome: 'transcribed' });
        break;
      case 'recording.transcriptionFailed':
        meter.add(INCOMING_METRICS.transcriptions, { outcome: 'failed' });
        break;
      default:
    }
  }
}
