/** Goal: what is measured is what is documented, counted as the standards say, and says nobody's number. */
import { readFile } from 'node:fs/promises';
import Fastify from 'fastify';
import { pino } from 'pino';
import { format } from 'prettier';
import t from 'tap';
import { consoleToLog, logOptions } from '../../cli/command-log.ts';
import { healthHttp } from '../../dialer/http/health.routes.ts';
import { metricsHttp, requestMetrics } from '../../dialer/http/metrics.routes.ts';
import { leaseWatch } from '../../dialer/health/lease-check.ts';
import { Readiness } from '../../dialer/health/readiness.ts';
import { telephonyChecks, type TelephonyHealth } from '../../dialer/health/telephony-checks.ts';
import { EngagementLabels } from '../../dialer/metrics/engagement-labels.ts';
import { measureHealth } from '../../dialer/metrics/health-metrics.ts';
import { PACING_METRICS } from '../../dialer/metrics/pacing-metrics.ts';
import { PACING_READINGS, readPacing } from '../../dialer/metrics/pacing-readings.ts';
import { PrometheusMeter } from '../../dialer/metrics/prometheus-meter.ts';
import { RepresentativeTime } from '../../dialer/metrics/representative-time.ts';
import type { PacingStanding } from '../../dialer/pacing/pacing-standing.ts';
import { ANSWER_METRICS } from '../../gateway/metrics/answer-metrics.ts';
import { AttemptMetrics } from '../../gateway/metrics/attempt-metrics.ts';
import { GATEWAY_METRICS } from '../../gateway/metrics/gateway-metrics.ts';
import { IncomingMeasure } from '../../gateway/metrics/incoming-metrics.ts';
import { TrunkRatios } from '../../gateway/metrics/trunk-ratios.ts';
import { counter, gauge } from '../../machines/meter.port.ts';
import { redact, redactText } from '../../machines/redaction.ts';
import type { AttemptEvent, EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import { METRIC_SECTIONS, METRICS_DOCUMENT, metricsDocument } from '../support/metrics-document.ts';
import { silentLog } from '../support/silent-log.ts';

const ALL = METRIC_SECTIONS.flatMap(({ table }) => Object.values(table));

t.test('docs/metrics.md is what the tables say', async (t) => {
  const written = await readFile(METRICS_DOCUMENT, 'utf8').catch(() => '');
  const options = { parser: 'markdown', printWidth: 100, singleQuote: true } as const;
  t.equal(written, await format(metricsDocument(), options), 'run npm run docs');
});

t.test('every metric has a base unit, a type by its name and labels that are no ids', (t) => {
  t.equal(new Set(ALL.map(({ name }) => name)).size, ALL.length, 'no name twice');
  for (const { name, type, labels, buckets, help } of ALL) {
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    t.match(name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/);
    t.notMatch(name, /_(?:ms|millis|minutes|kb|mb|percent)(?:_|$)/, `${name}: base units`);
    t.notMatch(labels.join(' '), /\b\w*_?id\b|number|phone|call|contact|uri/, `${name}: labels`);
    t.match(help, /^[A-Z0-9].*\.$/, `${name}: one sentence`);
    t.same(
      buckets === undefined ? [] : [...buckets].sort((a, b) => a - b),
      buckets ?? [],
      `${name}: buckets rise`,
    );
  }
  t.end();
});

t.test('every table registers, twice in one process, and two meters share nothing', async (t) => {
  const meters = [new PrometheusMeter({ log: silentLog }), new PrometheusMeter({ log: silentLog })];
  for (const meter of meters) {
    for (const { table, title } of METRIC_SECTIONS) {
      if (title === 'Process') continue; // the meter has registered its own
      meter.register(table);
    }
  }
  meters[0]?.add(GATEWAY_METRICS.cancels, {}, 3);
  const [first = '', second = ''] = await Promise.all(meters.map((meter) => meter.scrape()));
  t.match(first, '\ngateway_cancels_total 3\n');
  t.match(second, '\ngateway_cancels_total 0\n');
});

t.test('a source that fails or hangs leaves out its own metrics, and is counted', async (t) => {
  const meter = new PrometheusMeter({ log: silentLog, readLimitMs: 20 });
  const table = {
    good: gauge('some_good_ratio', 'Good.'),
    bad: gauge('some_bad_ratio', 'Bad.', ['kind']),
    stuck: counter('some_stuck_total', 'Stuck.', ['kind']),
  };
  meter.register(table);
  let fails = false;
  meter.onScrape({ name: 'good', metrics: [table.good], read: (set) => set(table.good, {}, 1) });
  meter.onScrape({
    name: 'bad',
    metrics: [table.bad],
    read: (set) => {
      set(table.bad, { kind: 'a' }, 1);
      if (fails) throw new Error('no');
    },
  });
  meter.onScrape({
    name: 'stuck',
    metrics: [table.stuck],
    read: async (set) => {
      if (fails) await new Promise(() => undefined);
      set(table.stuck, { kind: 'a' }, 7);
    },
  });
  const well = await meter.scrape();
  t.match(well, 'some_bad_ratio{kind="a"} 1');
  t.match(await meter.scrape(), 'some_stuck_total{kind="a"} 7', 'read anew, not added up');
  fails = true;
  const ill = await meter.scrape();
  t.match(ill, 'some_good_ratio 1');
  t.notMatch(ill, 'kind="a"');
  t.match(ill, 'metrics_read_failures_total{source="bad"} 1');
  t.match(ill, 'metrics_read_failures_total{source="stuck"} 1');
});

t.test('SER, SEER, ISA, ASR and NER of a trunk, computed by hand', (t) => {
  const ratios = new TrunkRatios();
  t.same(ratios.values(0), { sessions: 0, ser: NaN, seer: NaN, isa: NaN, asr: NaN, ner: NaN });
  // 20 sessions: 8 answered, 2 redirected, 4 of the called side, 3 ineffective, 3 others.
  const codes = [...Array<number>(8).fill(200), 302, 301, 480, 486, 600, 603, 408, 503, 504];
  for (const statusCode of [...codes, 404, 487, 403]) ratios.count({ statusCode }, 1_000);
  const { sessions, ser, seer, isa, asr, ner } = ratios.values(2_000);
  t.equal(sessions, 20);
  t.equal(ser, 8 / 18, '200 / (INVITE − 3xx)');
  t.equal(seer, 12 / 18, '(200 + 480 + 486 + 600 + 603) / (INVITE − 3xx)');
  t.equal(isa, 3 / 20, '(408 + 500 + 503 + 504) / INVITE');
  t.equal(asr, 8 / 20, '200 / INVITE');
  t.equal(ner, 17 / 20, '1 − ISA');
  ratios.count({ statusCode: 500 }, 250_000);
  t.equal(ratios.values(300_900).sessions, 21, 'all of five minutes');
  t.equal(ratios.values(301_000).sessions, 1, 'and no more');
  t.ok(Number.isNaN(ratios.values(900_000).ner), 'nothing dialled says nothing');
  t.end();
});

type Body = { [E in AttemptEvent as E['type']]: Omit<E, 'fence' | 'seq'> }[AttemptEvent['type']];

function attemptEvent(body: Body): AttemptEvent {
  return { fence: 1, seq: 1, ...body };
}

const ENDED: Omit<EventOf<'attempt.ended'>, 'attemptId' | 'atMs' | 'fence' | 'seq' | 'sip'> = {
  ...{ type: 'attempt.ended', endedBy: 'far', cancelReason: null, answered: false, invites: 1 },
  ...{ ringMs: null, talkMs: null, q850: [], reasonHeaders: [] },
};

t.test(
  'attempts are measured by what their events say, and forgotten with their end',
  async (t) => {
    const meter = new PrometheusMeter({ log: silentLog });
    meter.register(GATEWAY_METRICS);
    const attempts = new AttemptMetrics(meter, () => 10_000);
    const hear = (...bodies: Body[]): void => {
      for (const body of bodies) attempts.hear(attemptEvent(body));
    };
    const sent = (attemptId: string): Body => ({
      ...{ type: 'attempt.sent', attemptId, callId: 'c', trunk: 'north', invites: 1, atMs: 1_000 },
    });
    const status = (
      statusCode: number | null,
      origin: 'network' | 'stack' | 'none' = 'network',
    ) => ({
      sip: { statusCode, reasonPhrase: null, origin },
    });
    hear(
      sent('a'),
      { type: 'attempt.alerting', attemptId: 'a', statusCode: 180, afterSentMs: 800, atMs: 1_800 },
      { type: 'attempt.alerting', attemptId: 'a', statusCode: 183, afterSentMs: 900, atMs: 1_900 },
      {
        type: 'attempt.answered',
        attemptId: 'a',
        dialogId: 'd',
        channelId: 'c',
        afterSentMs: 5_800,
        atMs: 6_800,
      },
      {
        ...ENDED,
        ...status(200),
        attemptId: 'a',
        answered: true,
        ringMs: 5_000,
        talkMs: 19_000,
        invites: 2,
        atMs: 26_000,
      },
      sent('b'),
      { ...ENDED, ...status(408, 'stack'), attemptId: 'b', endedBy: 'trunk', atMs: 33_000 },
      sent('c'),
      { ...ENDED, ...status(null, 'none'), attemptId: 'c', endedBy: 'switch', atMs: 2_000 },
      sent('d'),
      { ...ENDED, ...status(799), attemptId: 'd', atMs: 2_000 },
      { ...ENDED, ...status(null, 'none'), attemptId: 'never sent', invites: 0, atMs: 2_000 },
      { type: 'attempt.refused', attemptId: 'late', code: 'TOO_LATE', detail: '', atMs: 1 },
    );
    t.equal(attempts.open, 0);
    const text = await meter.scrape();
    for (const line of [
      'gateway_attempts_total{trunk="north",outcome="answered"} 1',
      'gateway_attempts_total{trunk="north",outcome="failed"} 3',
      'gateway_attempts_withdrawn_total 1',
      'gateway_dials_refused_total{code="TOO_LATE"} 1',
      'gateway_invites_total{trunk="north"} 5',
      'gateway_sip_final_responses_total{trunk="north",origin="stack",class="4xx",code="408"} 1',
      'gateway_sip_final_responses_total{trunk="north",origin="network",class="other",code="other"} 1',
      'gateway_sip_session_request_delay_seconds_sum{trunk="north",outcome="successful"} 0.8',
      'gateway_sip_session_request_delay_seconds_sum{trunk="north",outcome="failed"} 33',
      'gateway_setup_seconds_sum{trunk="north"} 5.8',
      'gateway_talk_seconds_bucket{le="20",trunk="north",ended_by="far"} 1',
      'gateway_ring_seconds_sum{trunk="north",answered="yes"} 5',
    ]) {
      t.ok(text.split('\n').includes(line), line);
    }
    const [[trunk, ratios] = []] = [...attempts.ratios()];
    t.equal(trunk, 'north');
    t.equal(ratios?.sessions, 3, 'an INVITE lost with the switch judges no trunk');
    t.equal(ratios?.ner, 2 / 3);
  },
);

t.test('an engagement’s label is its name without numbers, and there is an end of labels', (t) => {
  const labels = new EngagementLabels({ db: null as never }, 2);
  t.equal(labels.nameOf('1', 'Reminders'), 'Reminders');
  const masked = labels.nameOf('2', 'Call back +12065550123 or 2065550199');
  t.notMatch(masked, /5550|\d{5}/);
  t.equal(labels.nameOf('3', 'Third'), 'other');
  t.equal(labels.nameOf('1', 'Renamed'), 'Reminders', 'a series does not change its name');
  t.end();
});

const STANDING: PacingStanding = {
  ...{ engagementId: '1', isDialing: true, callsTarget: 5, decision: null, throttleFactor: 1 },
  windows: [{ window: '30 days', live: 100, abandoned: 1, ratioMax: 0.03 }],
  ...{ stopRule: null, presences: [], offers: undefined },
  representatives: { free: 1, held: 2, elsewhere: 0 },
};

t.test('engagements that share a label: counts are added up, the worst of the rest', async (t) => {
  const meter = new PrometheusMeter({ log: silentLog });
  meter.register(PACING_METRICS);
  const labels = {
    of: () => Promise.resolve({ engagement: 'other', mode: 'copilot', trunk: 'north' }),
  } as unknown as EngagementLabels;
  const window = { window: '30 days', live: 200, abandoned: 8, ratioMax: 0.05 };
  const second = { ...STANDING, engagementId: '2', throttleFactor: 0.5, windows: [window] };
  const standing = { pacing: [STANDING, second], competition: [], escalationsOpen: 3 };
  meter.onScrape({
    name: 'pacing',
    metrics: PACING_READINGS,
    read: (set) => readPacing(standing, labels, set),
  });
  const scraped = (await meter.scrape()).split('\n');
  for (const line of [
    'dialer_pacing_calls_target{engagement="other",mode="copilot"} 10',
    'dialer_engagement_representatives{engagement="other",state="held"} 4',
    'dialer_abandonment_live_answers{engagement="other",window="30 days"} 300',
    'dialer_abandonment_ratio{engagement="other",window="30 days"} 0.04',
    'dialer_abandonment_limit_ratio{engagement="other",window="30 days"} 0.03',
    'dialer_abandonment_budget_remaining{engagement="other",window="30 days"} 2',
    'dialer_throttle_factor_ratio{engagement="other"} 0.5',
    'dialer_escalations_open 3',
  ]) {
    t.ok(scraped.includes(line), line);
  }
});

t.test('calls that come to us, and recordings, by what became of them', async (t) => {
  const meter = new PrometheusMeter({ log: silentLog });
  meter.register(ANSWER_METRICS);
  const incoming = new IncomingMeasure(meter);
  const own = { gatewayId: 'g1', seq: 1, atMs: 1_000 };
  const call = { ...own, inboundId: 'i', callerNumber: null, calledNumber: '+12025550100' };
  const dialIn = { ...own, dialInId: 'd', representativeId: 'r' };
  const ofAttempt = { attemptId: 'a', fence: 1, seq: 1, atMs: 1_000, recordingId: 'x' };
  const events: readonly TelephonyEvent[] = [
    { ...call, type: 'inbound.call' },
    { ...call, type: 'inbound.optOut', digit: '9', source: 'rtp' },
    { ...own, type: 'inbound.ended', inboundId: 'i', endedBy: 'caller', heldMs: 9_000 },
    { ...dialIn, type: 'representative.dialedIn' },
    { ...dialIn, type: 'representative.dialInRefused', reason: 'wrongPin' },
    { ...ofAttempt, type: 'recording.started' },
    { ...ofAttempt, type: 'recording.failed', detail: 'no space' },
  ];
  for (const event of events) incoming.hear(event);
  const scraped = (await meter.scrape()).split('\n');
  for (const line of [
    'gateway_inbound_calls_total{ended_by="caller"} 1',
    'gateway_opt_outs_total{source="rtp"} 1',
    'gateway_dial_ins_total{outcome="admitted"} 1',
    'gateway_dial_ins_total{outcome="wrongPin"} 1',
    'gateway_recordings_total{outcome="started"} 1',
    'gateway_recordings_total{outcome="failed"} 1',
  ]) {
    t.ok(scraped.includes(line), line);
  }
});

t.test('what representatives do, second by second', (t) => {
  let nowMs = 0;
  const seconds = new Map<string, number>();
  const idle: number[] = [];
  const wrapUps: number[] = [];
  const time = new RepresentativeTime(
    {
      inState: (state, more) => seconds.set(state, (seconds.get(state) ?? 0) + more),
      idle: (one) => idle.push(one),
      wrapUp: (one) => wrapUps.push(one),
    },
    () => nowMs,
    (presence) => presence === 'available',
  );
  const after = (ms: number, then: () => void): void => {
    nowMs += ms;
    then();
  };
  time.present('ada', 'offline', 'free');
  after(10_000, () => time.present('ada', 'lunch', 'free'));
  after(10_000, () => time.present('ada', 'available', 'free'));
  after(3_000, () => time.entered('ada', 'invited'));
  after(1_000, () => time.entered('ada', 'joining'));
  after(4_000, () => time.entered('ada', 'reserved'));
  after(2_000, () => time.entered('ada', 'connected'));
  after(60_000, () => time.entered('ada', 'wrapUp'));
  after(15_000, () => time.entered('ada', 'free'));
  after(5_000, () => time.present('ada', 'offline', 'free'));
  after(90_000, () => t.equal(time.states().get('offline'), 1));
  time.entered('nobody', 'connected');
  t.same(idle, [10], 'from signing on, through invitation and lobby, to the person');
  t.same(wrapUps, [15]);
  t.same(Object.fromEntries(seconds), {
    ...{ away: 10, free: 8, invited: 1, joining: 4, reserved: 2, connected: 60, wrapUp: 15 },
  });
  t.end();
});

t.test('numbers and secrets are taken out of whatever is logged', (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['dialled +12065550123 twice', /12065550123/],
    ['INVITE sip:12065550123@10.0.0.1 SIP/2.0', /12065550123/],
    ['<sip:+12065550123@carrier;user=phone>', /2065550123/],
    ['tel:+1-206-555-0123', /555-?0123/],
    ['at +1 (206) 555-0123', /555-0123/],
    ['plain 12065550123.', /12065550123/],
    ['postgres://dialer:hunter22@db/ringfence', /hunter22/],
    ['Authorization: Bearer abcdef0123456789', /abcdef0123456789/],
    ['X-Ringfence-Context: https://x/ai/1;token=s3cr3tTOKEN', /s3cr3tTOKEN/],
    ['password="hunter22"', /hunter22/],
  ];
  for (const [text, secret] of cases) t.notMatch(redactText(text), secret, text);
  const id = '0199b2c4-7d3e-7abc-8def-012345678901';
  t.equal(
    redactText(`attempt ${id} on 127.0.0.1:5060 at 2026-11-21`),
    `attempt ${id} on 127.0.0.1:5060 at 2026-11-21`,
  );
  const error = new Error('for +12065550123', { cause: { apiKey: 'rf_live_secret' } });
  const shown = JSON.stringify(
    redact({
      ...{
        destination: '5550123',
        to: 2065550123,
        contextToken: 'tok',
        nested: [{ password: 'pw' }],
      },
      ...{
        error,
        statusCode: 200,
        headers: { authorization: 'Basic dXNlcjpwYXNz' },
        attemptId: id,
      },
      ...{ big: Buffer.from('+12065550123'), list: new Set(['sip:2065550123@x']) },
    }),
  );
  t.notMatch(shown, /5550123|rf_live|"tok"|"pw"|dXNl/);
  t.match(shown, id);
  t.match(shown, '"statusCode":200');
  t.match(shown, '…23', 'the last digits tell calls apart');
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  t.doesNotThrow(() => JSON.stringify(redact(loop)));
  t.end();
});

t.test('what a library writes to the console becomes a log entry, redacted', (t) => {
  const lines: string[] = [];
  const log = pino(logOptions('warn'), { write: (line: string) => lines.push(line) });
  const asBefore = consoleToLog(log);
  console.error('received INVITE from +12065550123', { password: 'x' });
  asBefore();
  const entry = JSON.parse(lines[0] ?? '{}') as Record<string, unknown>;
  t.match(entry, { level: 'warn', from: 'console', msg: /^received INVITE from \+1…23/ });
  const failure = { error: new Error('INVITE to +12065550123', { cause: 'token=abcdef' }) };
  log.error(failure, 'call of 12065550123 failed');
  t.notMatch(lines[1], /5550123|abcdef/);
  t.match(JSON.parse(lines[1] ?? '{}'), { error: { type: 'Error', stack: /observability/ } });
  t.equal(lines.length, 2);
  t.end();
});

const UP: TelephonyHealth = {
  drachtio: { isUp: true, detail: '' },
  freeswitch: { isUp: true, detail: '' },
  trunks: [{ name: 'north', state: 'up', detail: 'reachable' }],
};

t.test('ready only while every check passes, with the failing ones in words', async (t) => {
  let telephony = UP;
  let storeFails: 'no' | 'throws' | 'hangs' = 'no';
  let nowMs = 0;
  let probes = 0;
  const readiness = new Readiness({ nowMs: () => nowMs, limitMs: 20, keptMs: 1_000 });
  const lease = leaseWatch();
  let lose = (): void => undefined;
  readiness.add(
    {
      name: 'store',
      look: () => {
        probes += 1;
        if (storeFails === 'throws') throw new Error('attempt to write a readonly database');
        if (storeFails === 'hangs') return new Promise(() => undefined);
        return { ok: true, detail: 'wrote' };
      },
    },
    ...telephonyChecks(() => telephony),
    lease.check,
  );
  const app = Fastify();
  void app.register(healthHttp({ readiness }));
  const ask = async (): Promise<{ code: number; failing: string[] }> => {
    nowMs += 1_000;
    const response = await app.inject('/health/ready');
    const { failing = [] } = response.json<{ failing?: string[] }>();
    return { code: response.statusCode, failing };
  };
  t.match(await ask(), { code: 503, failing: [/^lease: another dialer holds .* waiting/] });
  lease.held({ leaseLost: new Promise<void>((resolve) => (lose = resolve)) });
  t.same(await ask(), { code: 200, failing: [] });
  telephony = { ...UP, drachtio: { isUp: false, detail: 'connection refused' } };
  t.match(await ask(), { code: 503, failing: ['drachtio: not connected: connection refused'] });
  telephony = { ...UP, trunks: [{ name: 'north', state: 'down', detail: 'no answer' }] };
  t.match(await ask(), { code: 503, failing: ['trunks: north is down: no answer'] });
  telephony = { ...UP, trunks: [...telephony.trunks, ...UP.trunks] };
  t.match(await ask(), { code: 200 }, 'one trunk that works is enough');
  telephony = { ...UP, trunks: [] };
  t.match(await ask(), { code: 200 });
  storeFails = 'throws';
  t.match(await ask(), { code: 503, failing: [/^store: attempt to write a readonly database$/] });
  storeFails = 'hangs';
  t.match(await ask(), { code: 503, failing: ['store: no answer within 20 ms'] });
  storeFails = 'no';
  t.match(await ask(), { code: 200 });
  const before = probes;
  for (let asked = 0; asked < 20; asked += 1) await app.inject('/health/ready');
  t.equal(probes, before, 'many probes within a second write once');
  lose();
  await Promise.resolve();
  t.match(await ask(), {
    code: 503,
    failing: ['lease: the queue group was lost to another dialer'],
  });
  t.match((await app.inject('/health/live')).json(), { status: 'ok' }, 'not ready is not dead');
  const meter = new PrometheusMeter({ log: silentLog });
  measureHealth(readiness, meter);
  const scraped = await meter.scrape();
  t.match(scraped, 'health_check_passing{check="lease"} 0');
  t.match(scraped, 'health_check_passing{check="store"} 1');
});

t.test('metrics are read here, or elsewhere with the token', async (t) => {
  const meter = new PrometheusMeter({ log: silentLog });
  const app = Fastify();
  void app.register(requestMetrics(meter));
  void app.register(metricsHttp({ meter, bearerToken: 'scraper-token-0123456789' }));
  const get = (remoteAddress: string, headers: Record<string, string> = {}) =>
    app.inject({ url: '/metrics', remoteAddress, headers });
  const local = await get('127.0.0.1');
  t.equal(local.statusCode, 200);
  t.match(local.headers['content-type'], 'text/plain; version=0.0.4');
  t.equal((await get('::1')).statusCode, 200);
  t.equal((await get('::ffff:127.0.0.1')).statusCode, 200);
  const refused = await get('10.1.2.3');
  t.equal(refused.statusCode, 401);
  t.match(refused.json(), { status: 401, code: 'METRICS_UNAUTHORIZED' });
  t.equal((await get('127.0.0.1', { 'x-forwarded-for': '10.1.2.3' })).statusCode, 401, 'by proxy');
  t.equal((await get('10.1.2.3', { authorization: 'Bearer wrong' })).statusCode, 401);
  t.equal((await get('10.1.2.3', { authorization: 'Bearer ' })).statusCode, 401);
  const right = { authorization: 'Bearer scraper-token-0123456789' };
  t.equal((await get('10.1.2.3', right)).statusCode, 200);
  const closed = Fastify();
  void closed.register(metricsHttp({ meter, bearerToken: '' }));
  const nobody = { url: '/metrics', remoteAddress: '10.1.2.3' };
  t.equal(
    (await closed.inject({ ...nobody, headers: { authorization: 'Bearer ' } })).statusCode,
    401,
  );
  const text = await meter.scrape();
  t.match(text, 'http_request_duration_seconds_count{route="/metrics",method="GET",code="401"} 4');
});
