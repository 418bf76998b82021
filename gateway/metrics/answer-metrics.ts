/** What the gateway measures of calls that were answered: who answered, what they heard, how well. */
import { counter, histogram, type MetricTable } from '../../machines/meter.port.ts';

/** Detection takes from half a second to its limit of 7. */
const VERDICT_SECONDS = [0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10];
/** The law allows two seconds (47 CFR §64.1200(a)(7)). */
const CONNECT_SECONDS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5];
const LOSS_RATIOS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
const JITTER_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];

export const ANSWER_METRICS = {
  classified: counter(
    'gateway_answers_classified_total',
    'Who answered: human, machine, fax, sit, silence, unknown (which is treated as human).',
    ['verdict'],
  ),
  verdict: histogram(
    'gateway_answer_verdict_seconds',
    'Answer to the verdict about who answered.',
    ['verdict'],
    VERDICT_SECONDS,
  ),
  earlyMedia: counter(
    'gateway_early_media_recognised_total',
    'What was recognised in early media: ringback, busy, reorder, an announcement, a voicemail.',
    ['verdict'],
  ),
  connectDelay: histogram(
    'gateway_connect_delay_seconds',
    'End of the greeting to both hearing each other; 0 when it was before. Calls whose greeting was not followed are not in it.',
    ['target'],
    CONNECT_SECONDS,
  ),
  connectsFailed: counter(
    'gateway_connects_failed_total',
    'Connects that failed. failsafe: nobody was connected in time, and the message was played.',
    ['reason'],
  ),
  plays: counter(
    'gateway_plays_total',
    'What was played to customers: done, stopped, notFound, failed.',
    ['status'],
  ),
  optOuts: counter(
    'gateway_opt_outs_total',
    'Digits that opted out while a message played, in a call of ours or to us, by the way they came: rtp, info, inband.',
    ['source'],
  ),
  rtpLoss: histogram(
    'gateway_rtp_loss_ratio',
    'Of what the far end sent, as the media server counts it: lost or unusable. One value per call of a second or more.',
    ['trunk'],
    LOSS_RATIOS,
  ),
  rtpJitter: histogram(
    'gateway_rtp_jitter_seconds',
    'Interarrival jitter of what the far end sent: its largest deviation, as the media server counts it. One value per call of a second or more.',
    ['trunk'],
    JITTER_SECONDS,
  ),
} as const satisfies MetricTable;
