/**
 * For each alert: series by which it fires, and those by which it just does not. A value stands for a
 * gauge that does not change; a counter is given as what it grows by in a minute.
 */

export interface AlertCase {
  readonly alert: string;
  /** When it is looked at, minutes after the first sample. */
  readonly atMinute: number;
  readonly fires: readonly Series[];
  readonly below: readonly Series[];
  /** Of the alert, beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Series {
  readonly series: string;
  /** For so many minutes, in the notation of promtool: `1x60`, `0+3x60`. */
  readonly values: (minutes: number) => string;
}

const gauge = (series: string, value: number): Series => ({
  series,
  values: (minutes) => `${value}x${minutes}`,
});
const counter = (series: string, perMinute: number): Series => ({
  series,
  values: (minutes) => `0+${perMinute}x${minutes}`,
});
const fails = (series: string, minute: number): Series => ({
  series,
  values: (minutes) => `1x${minute - 1} 0x${minutes - minute}`,
});
/** Of so many a minute, so many are at most at each bound. */
function histogram(
  name: string,
  labels: string,
  perMinute: number,
  atMost: Readonly<Record<string, number>>,
): Series[] {
  const of = (le: string): string => `${name}_bucket{${labels}${labels && ','}le="${le}"}`;
  return [
    ...Object.entries(atMost).map(([le, count]) => counter(of(le), count)),
    counter(of('+Inf'), perMinute),
    counter(`${name}_count${labels && `{${labels}}`}`, perMinute),
  ];
}
/** Nothing until this minute, then one. */
const once = (series: string, minute: number): Series => ({
  series,
  values: (minutes) => `0x${minute - 1} 1x${minutes - minute}`,
});

const E = 'engagement="winter"';
const WINDOW = `${E},window="us"`;
const WINTER = { engagement: 'winter' };
const NORTH = { trunk: 'north' };
const TRUNK = 'trunk="north"';

/** Charged with 1.22 %; what is unclear, and what AI agents say, is beside the point. */
function amdAudits(heard: { upper: number; human: number; machine: number }): Series[] {
  const audits = (source: string, what: string, count: number): Series =>
    gauge(`dialer_amd_audits{source="${source}",heard="${what}"}`, count);
  return [
    gauge('dialer_amd_audit_fp_ratio{source="auditor",bound="upper"}', heard.upper),
    gauge('dialer_amd_audit_fp_ratio{source="aiAgent",bound="upper"}', 0.9),
    gauge('dialer_amd_fp_charged_ratio', 0.0122),
    audits('auditor', 'human', heard.human),
    audits('auditor', 'machine', heard.machine),
    audits('auditor', 'unclear', 900),
    audits('aiAgent', 'machine', 900),
  ];
}

function abandonment(ratio: number, live: number): Series[] {
  return [
    gauge(`dialer_abandonment_ratio{${WINDOW}}`, ratio),
    gauge(`dialer_abandonment_limit_ratio{${WINDOW}}`, 0.03),
    gauge(`dialer_abandonment_live_answers{${WINDOW}}`, live),
  ];
}

function abandoned(perMinute: number, live: number): Series[] {
  return [
    counter(`dialer_abandoned_total{${E},mode="predictive",by="system"}`, perMinute),
    counter(`dialer_live_answers_total{${E},mode="predictive"}`, live),
    gauge(`dialer_abandonment_limit_ratio{${WINDOW}}`, 0.03),
  ];
}

/** A minute; told by two processes, which count the same. */
function outcomes(blocked: number, attempted: number): Series[] {
  return ['a', 'b'].flatMap((instance) => {
    const of = `instance="${instance}",journey="winter"`;
    return [
      counter(`journey_outcomes_total{${of},outcome="blocked"}`, blocked),
      counter(`journey_outcomes_total{${of},outcome="attempted"}`, attempted),
    ];
  });
}

function waits(ratio: number, live: number): Series[] {
  return [
    gauge(`dialer_exceeded_wait_ratio{${E}}`, ratio),
    gauge(`dialer_exceeded_wait_limit_ratio{${E}}`, 0.05),
    gauge(`dialer_exceeded_wait_live_answers{${E}}`, live),
  ];
}

function starved(started: number): Series[] {
  return [
    gauge(`dialer_competition_representatives{${E},state="idle"}`, 2),
    gauge(`dialer_competition_pending{${E},priority="normal"}`, 50),
    counter(`dialer_attempts_started_total{${E},mode="progressive",trunk="north"}`, started),
  ];
}

function list(ready: number, ...more: Series[]): Series[] {
  return [
    gauge(`dialer_engagement_representatives{${E},state="free"}`, 1),
    gauge(`dialer_engagement_representatives{${E},state="held"}`, 0),
    gauge(`dialer_tasks{${E},state="ready"}`, ready),
    gauge(`dialer_tasks{${E},state="waiting"}`, 100),
    gauge(`dialer_pacing_calls_target{${E},mode="progressive"}`, 0),
    ...more,
  ];
}

function unattended(mine: number): Series[] {
  return [
    gauge(`dialer_competition_pending{${E},priority="normal"}`, 50),
    gauge(`dialer_tasks{${E},state="ready"}`, 50),
    gauge(`dialer_engagement_representatives{${E},state="elsewhere"}`, mine),
    gauge(`dialer_engagement_representatives{${E},state="free"}`, 0),
  ];
}

const trunkState = (state: string, value: number): Series[] => [
  gauge(`gateway_trunk_state{${TRUNK},state="${state}"}`, value),
];

/** One trunk that was answered `before` times of ten a minute for a day, and now `after` times. */
function answers(before: number, after: number): Series[] {
  const shift = (one: number, other: number) => () =>
    `0+${one}x1500 ${one * 1_500 + other}+${other}x60`;
  const finals = 'gateway_sip_final_responses_total';
  return [
    {
      series: `${finals}{${TRUNK},class="2xx",code="200",origin="network"}`,
      values: shift(before, after),
    },
    {
      series: `${finals}{${TRUNK},class="4xx",code="480",origin="network"}`,
      values: shift(10 - before, 10 - after),
    },
  ];
}

const rtpPorts = (free: number, taken: number, resting: number): Series[] => [
  gauge('switch_rtp_ports{state="free"}', free),
  gauge('switch_rtp_ports{state="taken"}', taken),
  gauge('switch_rtp_ports{state="resting"}', resting),
];

const released = (lost: number, over: number): Series[] => [
  counter('dialer_representatives_released_total{reason="lobbyLost"}', lost),
  counter('dialer_representatives_released_total{reason="callOver"}', over),
];

export const ALERT_CASES: readonly AlertCase[] = [
  {
    ...{ alert: 'RingfenceDown', atMinute: 5, labels: { job: 'ringfence' } },
    fires: [gauge('up{job="ringfence"}', 0)],
    below: [gauge('up{job="ringfence"}', 1)],
  },
  {
    ...{ alert: 'RingfenceStoreDown', atMinute: 5, labels: { check: 'store' } },
    fires: [gauge('health_check_passing{check="store"}', 0)],
    below: [
      gauge('health_check_passing{check="store"}', 1),
      gauge('health_check_passing{check="lease"}', 0),
    ],
  },
  {
    ...{ alert: 'RingfenceStoreSlow', atMinute: 15, labels: {} },
    fires: histogram('dialer_store_commit_seconds', '', 1_000, { '0.25': 989, '0.5': 1_000 }),
    below: histogram('dialer_store_commit_seconds', '', 1_000, { '0.25': 990, '0.5': 1_000 }),
  },
  {
    ...{ alert: 'RingfenceSwitchDown', atMinute: 5, labels: { half: 'freeswitch' } },
    fires: [gauge('gateway_switch_up{half="freeswitch"}', 0)],
    below: [fails('gateway_switch_up{half="freeswitch"}', 5)],
  },
  {
    ...{ alert: 'RingfenceLeaseLost', atMinute: 20, labels: {} },
    fires: [once('dialer_lease_losses_total', 15)],
    below: [once('dialer_lease_losses_total', 5)],
  },
  {
    ...{ alert: 'RingfenceQuarantineGrows', atMinute: 90, labels: { why: 'broken' } },
    fires: [once('dialer_tasks_quarantined_total{why="broken"}', 60)],
    below: [gauge('dialer_tasks_quarantined_total{why="broken"}', 3)],
  },
  {
    ...{ alert: 'RingfenceEventsLate', atMinute: 15, labels: {} },
    fires: histogram('dialer_event_lag_seconds', '', 1_000, { '5': 989, '10': 1_000 }),
    below: histogram('dialer_event_lag_seconds', '', 1_000, { '5': 990, '10': 1_000 }),
  },
  {
    ...{ alert: 'RingfenceMainThreadBusy', atMinute: 10, labels: { statistic: 'p99' } },
    fires: [gauge('nodejs_eventloop_delay_seconds{statistic="p99"}', 0.11)],
    below: [gauge('nodejs_eventloop_delay_seconds{statistic="p99"}', 0.1)],
  },
  {
    ...{ alert: 'RingfenceMemoryGrows', atMinute: 460, labels: {} },
    fires: [counter('process_resident_memory_bytes', 5_001 * 60)],
    below: [counter('process_resident_memory_bytes', 4_999 * 60)],
  },
  {
    ...{ alert: 'RingfenceMetricsMissing', atMinute: 30, labels: { source: 'engagements' } },
    fires: [once('metrics_read_failures_total{source="engagements"}', 20)],
    below: [gauge('metrics_read_failures_total{source="engagements"}', 7)],
  },
  {
    ...{ alert: 'RingfenceBusDown', atMinute: 5, labels: {} },
    fires: [gauge('bus_up', 0)],
    below: [fails('bus_up', 5)],
  },
  {
    ...{ alert: 'RingfenceBusLag', atMinute: 5, labels: {} },
    fires: [gauge('bus_events_lag', 1_001)],
    below: [gauge('bus_events_lag', 1_000)],
  },
  {
    ...{ alert: 'RingfenceGatewayLost', atMinute: 20, labels: {} },
    fires: [once('bus_gateways_lost_total', 18)],
    below: [once('bus_gateways_lost_total', 10)],
  },
  {
    ...{ alert: 'RingfenceCallsInDoubt', atMinute: 15, labels: {} },
    fires: [counter('bus_commands_unanswered_total', 7)],
    below: [counter('bus_commands_unanswered_total', 6)],
  },
  {
    ...{ alert: 'RingfenceBusForeignWriter', atMinute: 90, labels: { why: 'invalid' } },
    fires: [once('bus_messages_dropped_total{why="invalid"}', 60)],
    below: [once('bus_messages_dropped_total{why="duplicate"}', 60)],
  },
  {
    ...{ alert: 'RingfenceAbandonmentOver', atMinute: 10 },
    labels: { ...WINTER, window: 'us' },
    fires: abandonment(0.0301, 100),
    below: abandonment(0.03, 100),
  },
  {
    ...{ alert: 'RingfenceAbandonmentOver', atMinute: 10 },
    labels: { ...WINTER, window: 'us' },
    fires: abandonment(0.04, 100),
    below: abandonment(0.04, 99),
  },
  {
    ...{ alert: 'RingfenceAbandonmentNear', atMinute: 10 },
    labels: { ...WINTER, window: 'us' },
    fires: abandonment(0.0251, 100),
    below: abandonment(0.0249, 100),
  },
  {
    ...{ alert: 'RingfenceAbandonmentNear', atMinute: 10 },
    labels: { ...WINTER, window: 'us' },
    fires: abandonment(0.03, 100),
    below: abandonment(0.0301, 100),
  },
  {
    ...{ alert: 'RingfenceAbandonmentBurnsFast', atMinute: 90, labels: WINTER },
    fires: abandoned(44, 100),
    below: abandoned(43, 100),
  },
  {
    ...{ alert: 'RingfenceAbandonmentBurnsSlowly', atMinute: 500, labels: WINTER },
    fires: abandoned(10, 100),
    below: abandoned(9, 100),
  },
  {
    ...{ alert: 'RingfenceStoppedByWaits', atMinute: 5 },
    labels: { ...WINTER, type: 'exceededCustomerWaitThreshold' },
    fires: [gauge(`dialer_engagement_suspended{${E},type="exceededCustomerWaitThreshold"}`, 1)],
    below: [gauge(`dialer_engagement_suspended{${E},type="adminAction"}`, 1)],
  },
  {
    ...{ alert: 'RingfenceStoppedByAgentFailures', atMinute: 5 },
    labels: { ...WINTER, type: 'botFailure' },
    fires: [gauge(`dialer_engagement_suspended{${E},type="botFailure"}`, 1)],
    below: [gauge(`dialer_engagement_suspended{${E},type="apiAction"}`, 1)],
  },
  {
    ...{ alert: 'RingfenceWaitsNearStop', atMinute: 10, labels: WINTER },
    fires: waits(0.041, 20),
    below: waits(0.04, 20),
  },
  {
    ...{ alert: 'RingfenceWaitsNearStop', atMinute: 10, labels: WINTER },
    fires: waits(0.05, 20),
    below: waits(0.05, 19),
  },
  {
    ...{ alert: 'RingfencePacerStarved', atMinute: 20, labels: WINTER },
    fires: starved(0),
    below: starved(1),
  },
  {
    ...{ alert: 'RingfenceListStarved', atMinute: 30, labels: WINTER },
    fires: list(0),
    below: list(1),
  },
  {
    ...{ alert: 'RingfenceListStarved', atMinute: 30, labels: WINTER },
    fires: list(0),
    below: list(0, gauge(`dialer_engagement_suspended{${E},type="adminAction"}`, 1)),
  },
  {
    ...{ alert: 'RingfenceNoRepresentatives', atMinute: 15, labels: WINTER },
    fires: unattended(0),
    below: unattended(1),
  },
  {
    ...{ alert: 'RingfenceRepresentativesIdle', atMinute: 40, labels: {} },
    fires: histogram('dialer_representative_idle_seconds', '', 100, { '30': 89, '45': 100 }),
    below: histogram('dialer_representative_idle_seconds', '', 100, { '30': 90, '45': 100 }),
  },
  {
    ...{ alert: 'RingfenceRepresentativesLost', atMinute: 30, labels: {} },
    fires: released(2, 17),
    below: released(2, 18),
  },
  {
    ...{ alert: 'RingfenceConnectDelay', atMinute: 15, labels: { target: 'lobby' } },
    fires: histogram('dialer_connect_delay_seconds', 'target="lobby"', 100, { '2': 94, '3': 100 }),
    below: histogram('dialer_connect_delay_seconds', 'target="lobby"', 100, { '2': 95, '3': 100 }),
  },
  {
    ...{ alert: 'RingfenceTrunkDown', atMinute: 5, labels: { ...NORTH, state: 'down' } },
    fires: trunkState('down', 1),
    below: [...trunkState('down', 0), ...trunkState('up', 1)],
  },
  {
    ...{ alert: 'RingfenceTrunkAuthFailed', atMinute: 5 },
    labels: { ...NORTH, state: 'authFailed' },
    fires: trunkState('authFailed', 1),
    below: [...trunkState('authFailed', 0), ...trunkState('down', 1)],
  },
  {
    ...{ alert: 'RingfenceTrunkSuspended', atMinute: 5, labels: { ...NORTH, state: 'suspended' } },
    fires: trunkState('suspended', 1),
    below: [...trunkState('suspended', 0), ...trunkState('down', 1)],
  },
  ...(
    [
      [0.949, 30, 0.95, 30],
      [0.5, 30, 0.5, 29],
    ] as const
  ).map(([ner, sessions, nerBelow, sessionsBelow]) => ({
    ...{ alert: 'RingfenceTrunkNetwork', atMinute: 10, labels: NORTH },
    fires: [
      gauge(`gateway_trunk_ner_ratio{${TRUNK}}`, ner),
      gauge(`gateway_trunk_sessions_recent{${TRUNK}}`, sessions),
    ],
    below: [
      gauge(`gateway_trunk_ner_ratio{${TRUNK}}`, nerBelow),
      gauge(`gateway_trunk_sessions_recent{${TRUNK}}`, sessionsBelow),
    ],
  })),
  {
    ...{ alert: 'RingfenceTrunkAnswersDrop', atMinute: 1_555, labels: NORTH },
    fires: answers(4, 1),
    below: answers(4, 2),
  },
  {
    ...{ alert: 'RingfenceSetupSlow', atMinute: 15, labels: NORTH },
    fires: histogram('gateway_sip_session_request_delay_seconds', TRUNK, 100, {
      ...{ '6': 94, '8': 100 },
    }),
    below: histogram('gateway_sip_session_request_delay_seconds', TRUNK, 100, {
      ...{ '6': 95, '8': 100 },
    }),
  },
  {
    ...{ alert: 'RingfenceShortCalls', atMinute: 45, labels: NORTH },
    fires: histogram('gateway_talk_seconds', TRUNK, 100, { '20': 31 }),
    below: histogram('gateway_talk_seconds', TRUNK, 100, { '20': 30 }),
  },
  {
    ...{ alert: 'RingfenceRtpLoss', atMinute: 30, labels: NORTH },
    fires: histogram('gateway_rtp_loss_ratio', TRUNK, 100, { '0.05': 94 }),
    below: histogram('gateway_rtp_loss_ratio', TRUNK, 100, { '0.05': 95 }),
  },
  {
    ...{ alert: 'RingfenceRtpJitter', atMinute: 30, labels: NORTH },
    fires: histogram('gateway_rtp_jitter_seconds', TRUNK, 100, { '0.05': 94, '0.1': 100 }),
    below: histogram('gateway_rtp_jitter_seconds', TRUNK, 100, { '0.05': 95, '0.1': 100 }),
  },
  ...(
    [
      [91, 90],
      [100, 90],
    ] as const
  ).map(([inUse, belowUse]) => ({
    ...{ alert: 'RingfenceTrunkFull', atMinute: 20, labels: NORTH },
    fires: [
      gauge(`gateway_trunk_channels_in_use{${TRUNK}}`, inUse),
      gauge(`gateway_trunk_channels_max{${TRUNK}}`, 100),
    ],
    below: [
      gauge(`gateway_trunk_channels_in_use{${TRUNK}}`, belowUse),
      gauge(`gateway_trunk_channels_max{${TRUNK}}`, 100),
    ],
  })),
  {
    ...{ alert: 'RingfenceCallBrokeRule', atMinute: 30, labels: { rule: 'opted_out' } },
    fires: [once('dialer_compliance_violations_total{rule="opted_out"}', 20)],
    below: [gauge('dialer_compliance_violations_total{rule="opted_out"}', 1)],
  },
  {
    ...{ alert: 'RingfenceAuditBehind', atMinute: 10, labels: {} },
    fires: [gauge('dialer_compliance_audit_age_seconds', 301)],
    below: [gauge('dialer_compliance_audit_age_seconds', 300)],
  },
  {
    ...{ alert: 'RingfenceAmdFalsePositives', atMinute: 20, labels: {} },
    fires: amdAudits({ upper: 0.0123, human: 1, machine: 299 }),
    below: amdAudits({ upper: 0.0122, human: 1, machine: 299 }),
  },
  {
    ...{ alert: 'RingfenceAmdFalsePositives', atMinute: 20, labels: {} },
    fires: amdAudits({ upper: 0.2, human: 40, machine: 260 }),
    below: amdAudits({ upper: 0.2, human: 40, machine: 259 }),
  },
  {
    ...{ alert: 'RingfenceRecordingsFail', atMinute: 30, labels: { outcome: 'failed' } },
    fires: [once('gateway_recordings_total{outcome="failed"}', 20)],
    below: [once('gateway_recordings_total{outcome="started"}', 20)],
  },
  {
    ...{ alert: 'RingfenceDialInGuessed', atMinute: 15, labels: {} },
    fires: [
      counter('gateway_dial_ins_total{outcome="wrongPin"}', 2),
      counter('gateway_dial_ins_total{outcome="unknownNumber"}', 1),
    ],
    below: [
      counter('gateway_dial_ins_total{outcome="wrongPin"}', 2),
      counter('gateway_dial_ins_total{outcome="admitted"}', 50),
    ],
  },
  {
    ...{ alert: 'RingfenceRtpPortsShort', atMinute: 10, labels: {} },
    fires: rtpPorts(99, 100, 801),
    below: rtpPorts(100, 100, 800),
  },
  {
    ...{ alert: 'RingfenceByesUnanswered', atMinute: 90, labels: { outcome: 'abandoned' } },
    fires: [once('gateway_byes_total{outcome="abandoned"}', 60)],
    below: [counter('gateway_byes_total{outcome="sent"}', 60)],
  },
  {
    ...{ alert: 'RingfenceJourneysBehind', atMinute: 10, labels: { work: 'timers' } },
    fires: [gauge('journey_work_overdue_seconds{work="timers"}', 61)],
    below: [
      gauge('journey_work_overdue_seconds{work="timers"}', 60),
      gauge('journey_work_overdue_seconds{work="effects"}', 600),
    ],
  },
  {
    ...{ alert: 'RingfenceJourneySendsLate', atMinute: 10, labels: {} },
    fires: [gauge('journey_work_overdue_seconds{work="effects"}', 301)],
    below: [
      gauge('journey_work_overdue_seconds{work="effects"}', 300),
      gauge('journey_work_overdue_seconds{work="timers"}', 600),
    ],
  },
  {
    ...{ alert: 'RingfenceJourneySendsFail', atMinute: 20, labels: {} },
    fires: [gauge('journey_effects_failing', 1)],
    below: [gauge('journey_effects_failing', 0)],
  },
  {
    ...{ alert: 'RingfenceJourneyMostlyBlocked', atMinute: 80, labels: { journey: 'winter' } },
    fires: outcomes(6, 4),
    below: outcomes(5, 5),
  },
  {
    ...{ alert: 'RingfenceJourneyBroken', atMinute: 20, labels: { journey: 'winter' } },
    fires: [once('journey_exited_total{journey="winter",reason="error"}', 10)],
    below: [counter('journey_exited_total{journey="winter",reason="completed"}', 5)],
  },
];
