/** The ratios by which carriers and their customers judge a trunk, each with its formula. */
import { gauge, ratio, type MetricTable } from '../../machines/meter.port.ts';

export const TRUNK_RATIO_METRICS = {
  sessions: gauge(
    'gateway_trunk_sessions_recent',
    'Session attempts of the last five minutes: what the ratios below are formed over.',
    ['trunk'],
  ),
  ser: ratio(
    'gateway_trunk_ser_ratio',
    'Session Establishment Ratio of the last five minutes (RFC 6076 §4.6).',
    ['trunk'],
    'SER = 200 / (INVITE − 3xx)',
  ),
  seer: ratio(
    'gateway_trunk_seer_ratio',
    'Session Establishment Effectiveness Ratio of the last five minutes (RFC 6076 §4.7).',
    ['trunk'],
    'SEER = (200 + 480 + 486 + 600 + 603) / (INVITE − 3xx)',
  ),
  isa: ratio(
    'gateway_trunk_isa_ratio',
    'Ineffective Session Attempts of the last five minutes (RFC 6076 §4.8).',
    ['trunk'],
    'ISA = (408 + 500 + 503 + 504) / INVITE',
  ),
  asr: ratio(
    'gateway_trunk_asr_ratio',
    'Answer-Seizure Ratio of the last five minutes (ITU-T E.411): says more about the list than about the trunk.',
    ['trunk'],
    'ASR = 200 / INVITE',
  ),
  ner: ratio(
    'gateway_trunk_ner_ratio',
    'Network Effectiveness Ratio of the last five minutes (ITU-T E.425, in the form of GSMA IR.42 for SIP).',
    ['trunk'],
    'NER = 1 − ISA',
  ),
} as const satisfies MetricTable;
