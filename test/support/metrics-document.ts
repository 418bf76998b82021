/** docs/metrics.md from the tables that register the metrics, so that the two cannot disagree. */
import { AMD_AUDIT_METRICS } from '../../dialer/metrics/amd-audit-metrics.ts';
import { AUDIT_METRICS } from '../../dialer/metrics/audit-metrics.ts';
import { DIALER_METRICS } from '../../dialer/metrics/dialer-metrics.ts';
import { HEALTH_METRICS } from '../../dialer/metrics/health-metrics.ts';
import { JOURNEY_METRICS } from '../../dialer/metrics/journey-metrics.ts';
import { METER_METRICS } from '../../dialer/metrics/meter-metrics.ts';
import { PACING_METRICS } from '../../dialer/metrics/pacing-metrics.ts';
import { PROCESS_METRICS } from '../../dialer/metrics/process-metrics.ts';
import { REPRESENTATIVE_METRICS } from '../../dialer/metrics/representative-metrics.ts';
import { STORE_METRICS } from '../../dialer/metrics/store-metrics.ts';
import { HTTP_METRICS } from '../../dialer/http/metrics.routes.ts';
import { ANSWER_METRICS } from '../../gateway/metrics/answer-metrics.ts';
import { GATEWAY_METRICS } from '../../gateway/metrics/gateway-metrics.ts';
import { INCOMING_METRICS } from '../../gateway/metrics/incoming-metrics.ts';
import { SWITCH_METRICS } from '../../gateway/metrics/switch-metrics.ts';
import { TRUNK_RATIO_METRICS } from '../../gateway/metrics/trunk-ratio-metrics.ts';
import { BUS_METRICS } from '../../telephony-bus/bus-metrics.ts';
import type { MetricDefinition, MetricTable } from '../../machines/meter.port.ts';

export const METRICS_DOCUMENT = new URL('../../docs/metrics.md', import.meta.url);

interface Section {
  readonly title: string;
  readonly words: string;
  readonly table: MetricTable;
}

export const METRIC_SECTIONS: readonly Section[] = [
  {
    title: 'Dialer',
    words: 'What is dialled, and what came of it.',
    table: DIALER_METRICS,
  },
  {
    title: 'Pacing',
    words:
      'What pacers decide, and what bounds them. Engagements that share a label share its series: counts ' +
      'are added up, and of ratios, limits and budgets the worst is told. docs/pacing.md has the words.',
    table: PACING_METRICS,
  },
  {
    title: 'Audit',
    words: 'Whether calls kept the rules, looked at once more after the fact (docs/operations.md).',
    table: AUDIT_METRICS,
  },
  {
    title: 'Audits of detection',
    words:
      'Of machine verdicts drawn within the last 30 days, of all business units (docs/operations.md). Read ' +
      'from the store: over instances take `max`, not `sum`. `source` is auditor or aiAgent.',
    table: AMD_AUDIT_METRICS,
  },
  {
    title: 'Representatives',
    words: 'What representatives do, and for how long.',
    table: REPRESENTATIVE_METRICS,
  },
  {
    title: 'Journeys',
    words:
      'Of all people but those of tests. Read from the store: they survive a restart, and every process ' +
      'that shares the store tells the same, so over instances take `max`, not `sum`. `journey` is the ' +
      'name of the journey, with numbers in it masked, for the first `metrics.journeysMax` of them; ' +
      'those after share `other`. docs/journeys/analytics.md has the words.',
    table: JOURNEY_METRICS,
  },
  { title: 'Store', words: 'Where everything is kept.', table: STORE_METRICS },
  { title: 'Gateway', words: 'Calls as SIP and media see them.', table: GATEWAY_METRICS },
  {
    title: 'Answers',
    words: 'Who answered, what was done about it in time, and how well they were heard.',
    table: ANSWER_METRICS,
  },
  {
    title: 'Incoming calls and recordings',
    words: 'Who calls us, and what is kept of conversations.',
    table: INCOMING_METRICS,
  },
  {
    title: 'Trunks by the standards',
    words:
      'Over the last five minutes, `NaN` when nothing was dialled. A session attempt is one logical ' +
      'dial: an INVITE repeated with credentials is not another one, a call that we cancelled counts ' +
      'with its 487, and an INVITE lost with our own switch is not counted.',
    table: TRUNK_RATIO_METRICS,
  },
  {
    title: 'Embedded switch',
    words: 'Absent with drachtio-server and FreeSWITCH, which have metrics of their own.',
    table: SWITCH_METRICS,
  },
  {
    title: 'Bus',
    words: 'Between dialers and gateways in different processes; absent with both in one.',
    table: BUS_METRICS,
  },
  { title: 'Health', words: 'What /health/ready says.', table: HEALTH_METRICS },
  { title: 'HTTP', words: 'Requests to this service.', table: HTTP_METRICS },
  {
    title: 'Process',
    words: 'Under the names that Prometheus clients have in common.',
    table: { ...PROCESS_METRICS, ...METER_METRICS },
  },
];

const INTRODUCTION = `# Metrics

Generated from the tables that register them by \`npm run docs\`; a test fails when this file is
stale. Served at \`/metrics\` in Prometheus' text format (docs/operations.md says to whom).

Units are base units: seconds, bytes, ratios from 0 to 1. No label is a telephone number or an id.
\`engagement\` is the engagement's name, with numbers in it masked, for the first
\`metrics.engagementsMax\` of them; those after share \`other\`. \`trunk\` is the trunk's configured
name; \`mode\` the dial mode; \`result\` and \`sub_reason\` are those of [outcomes.md](outcomes.md).
Counters begin at 0 with the process, those of journeys with the store. A label that has not occurred has no series yet.
`;

const RATES = `## The four rates that people mix up

Counters are what Prometheus can put together again over any window and any set of trunks; so these
are formed where they are read.

| rate | what it answers | formula |
| --- | --- | --- |
| \`abandonmentRatio\` | legal: of the people who answered, how many nobody spoke to | \`sum(increase(dialer_abandoned_total{by="system"}[30d])) / sum(increase(dialer_live_answers_total[30d]))\` |
| \`abandonedOfAttempted\` | dashboard: of all attempts, how many were abandoned | \`sum(increase(dialer_abandoned_total{by="system"}[1d])) / sum(increase(dialer_attempts_total[1d]))\` |
| \`abandonedOfEscalated\` | throttle: of the calls that were to reach a human, how many were abandoned | \`sum(increase(dialer_abandoned_total{by="system"}[1h])) / sum(increase(dialer_escalated_total[1h]))\` |
| \`exceededWaitOfLive\` | stop rule: of the people who answered, how many waited too long | \`sum(increase(dialer_waits_exceeded_total[1h])) / sum(increase(dialer_live_answers_total[1h]))\` |

The dialer itself keeps to \`dialer_abandonment_ratio\` of each legal window, and stops an engagement by
\`dialer_exceeded_wait_ratio\`: those are formed from what is on disk, and survive a restart.

## What representatives do with their time

| measure | formula |
| --- | --- |
| utilisation: on calls, of the time signed on | \`sum(rate(dialer_representative_seconds_total{state="connected"}[1h])) / sum(rate(dialer_representative_seconds_total{state!="away"}[1h]))\` |
| occupancy: on calls or wrapping up, of the time signed on | \`sum(rate(dialer_representative_seconds_total{state=~"connected\|wrapUp"}[1h])) / sum(rate(dialer_representative_seconds_total{state!="away"}[1h]))\` |
| mean wrap-up | \`sum(rate(dialer_handle_seconds_sum{phase="wrapUp"}[1h])) / sum(rate(dialer_handle_seconds_count{phase="wrapUp"}[1h]))\` |
| invitations that were taken | \`sum(rate(dialer_invitations_total{outcome="accepted"}[1h])) / sum(rate(dialer_invitations_total[1h]))\` |
| representatives lost, an hour | \`sum(increase(dialer_representatives_released_total{reason=~"lobbyLost\|lobbyFailed"}[1h]))\` |

SER, SEER, ISA, ASR and NER over another window, here an hour, for each trunk:

\`\`\`promql
sum by (trunk) (increase(gateway_sip_final_responses_total{class="2xx"}[1h]))
  / sum by (trunk) (increase(gateway_sip_final_responses_total{class!="3xx"}[1h]))           # SER
sum by (trunk) (increase(gateway_sip_final_responses_total{code=~"2..|480|486|600|603"}[1h]))
  / sum by (trunk) (increase(gateway_sip_final_responses_total{class!="3xx"}[1h]))           # SEER
sum by (trunk) (increase(gateway_sip_final_responses_total{code=~"408|500|503|504"}[1h]))
  / sum by (trunk) (increase(gateway_sip_final_responses_total[1h]))                         # ISA
\`\`\`

ASR is SER with every response below the line, NER is 1 − ISA.
`;

export function metricsDocument(): string {
  const sections = METRIC_SECTIONS.map(({ title, words, table }) => {
    return `## ${title}\n\n${words}\n\n${rowsOf(Object.values(table)).join('\n')}\n`;
  });
  return [INTRODUCTION, ...sections, RATES].join('\n');
}

function rowsOf(metrics: readonly MetricDefinition[]): string[] {
  const head = ['| metric | type | labels | what it is |', '| --- | --- | --- | --- |'];
  return [...head, ...metrics.map(rowOf)];
}

function rowOf({ name, type, labels, help, formula, buckets }: MetricDefinition): string {
  const shownLabels = labels.map((label) => `\`${label}\``).join(', ') || '–';
  const more = [
    ...(formula === undefined ? [] : [`\`${formula}\``]),
    ...(buckets === undefined ? [] : [`Buckets: ${buckets.join(', ')}.`]),
  ];
  return `| \`${name}\` | ${type} | ${shownLabels} | ${[help, ...more].join(' ')} |`;
}
