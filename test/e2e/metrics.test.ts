/**
 * Goal: a real Prometheus finds every documented metric in a dialer at work, with the values that
 * follow from the lab's number plan; readiness tells what is broken, and when it is not any more;
 * and no log line, at any level, holds a number or a secret.
 */
import { join } from 'node:path';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import Libsql from 'libsql';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { logOptions } from '../../cli/command-log.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { sdkTraceSink } from '../../dialer/traces/sdk-trace-sink.ts';
import { metricsIn, queriesOf, readDashboards } from '../support/dashboards.ts';
import { METRIC_SECTIONS } from '../support/metrics-document.ts';
import { ObservedService } from '../support/observed-service.ts';
import { PrometheusServer, promtoolComplaints } from '../support/prometheus-server.ts';

t.setTimeout(120_000);

/** Last two digits, by what the number plan has them do. */
const DIALLED = {
  answered: ['00', '01', '20'],
  busy486: ['30'],
  unavailable480: ['35', '50'],
  vacant404: ['45'],
  congested503: ['55'],
  declined603: ['58', '62'],
};
const NUMBERS = Object.values(DIALLED)
  .flat()
  .map((digits) => `+12065550${digits.padStart(3, '1')}`);

const lines: string[] = [];
const file = join(t.testdir(), 'observed.db');
const database = await openSqlite({ file, nowMs: () => Date.now() });
t.teardown(() => database.close());
const log = pino(logOptions('trace'), { write: (line: string) => lines.push(line) });
const spans = new InMemorySpanExporter();
const traces = await sdkTraceSink([new SimpleSpanProcessor(spans)], { instanceId: 'observed' });
const service = await ObservedService.start(t, { database, log, traces });
const prometheus = await PrometheusServer.start(new URL(service.url).host);
t.teardown(() => prometheus.stop());

async function scrape(): Promise<string> {
  const response = await fetch(`${service.url}/metrics`);
  return response.text();
}

await t.test('Prometheus has every metric, and the values that were dialled', async (t) => {
  await service.dialAll('Winter reminders', NUMBERS);
  await service.observability.settled();
  await service.lab.stop(); // nothing more happens
  await prometheus.scraped();

  t.equal(promtoolComplaints(await scrape()), '', 'promtool check metrics finds nothing');
  const types = await prometheus.metadata();
  const documented = METRIC_SECTIONS.flatMap(({ table }) => Object.values(table));
  // Of the bus there is something to measure only in processes that it joins.
  const known = new Set(types.keys());
  for (const { name, type } of documented.filter(({ name }) => !name.startsWith('bus_'))) {
    t.equal(types.get(name), type, `${name} was scraped as a ${type}`);
    types.delete(name);
  }
  t.same([...types.keys()], [], 'and none that is not documented');

  for (const dashboard of readDashboards()) {
    for (const query of queriesOf(dashboard)) {
      await t.resolves(prometheus.query(query), `${dashboard.file}: Prometheus reads ${query}`);
      for (const name of metricsIn(query)) {
        t.ok(known.has(name) || name.startsWith('bus_'), `${name} is scraped`);
      }
    }
  }

  const sessions = NUMBERS.length;
  const { answered, busy486, unavailable480, congested503, declined603 } = DIALLED;
  const effective = [answered, busy486, unavailable480, declined603].flat().length;
  const ineffective = congested503.length;
  const expected: readonly (readonly [expression: string, value: number])[] = [
    ['gateway_trunk_sessions_recent{trunk="lab"}', sessions],
    ['gateway_trunk_ser_ratio{trunk="lab"}', answered.length / sessions],
    ['gateway_trunk_asr_ratio{trunk="lab"}', answered.length / sessions],
    ['gateway_trunk_seer_ratio{trunk="lab"}', effective / sessions],
    ['gateway_trunk_isa_ratio{trunk="lab"}', ineffective / sessions],
    ['gateway_trunk_ner_ratio{trunk="lab"}', (sessions - ineffective) / sessions],
    ['gateway_invites_total{trunk="lab"}', sessions],
    ['gateway_sip_final_responses_total{code="480"}', unavailable480.length],
    ['sum(gateway_sip_final_responses_total{class="6xx"})', declined603.length],
    ['sum(gateway_sip_session_request_delay_seconds_count)', sessions],
    ['gateway_setup_seconds_count', answered.length],
    ['sum(dialer_attempts_started_total{engagement="Winter reminders"})', sessions],
    ['sum(dialer_attempts_total{mode="copilot",trunk="lab"})', sessions],
    ['dialer_attempts_total{result="InvalidAddress"}', 1],
    ['sum(dialer_attempts_total{result="Busy"})', busy486.length + 1 + declined603.length - 1],
    ['dialer_live_answers_total', 2],
    ['dialer_abandoned_total{by="customer"}', 1],
    ['dialer_tasks{state="final"}', sessions],
    ['sum(dialer_tasks{state!="final"})', 0],
    ['dialer_calls_in_flight_max', 20],
    ['dialer_lease_held', 1],
    ['gateway_ai_agent_legs_total{outcome="connected"}', 2],
    ['gateway_switch_up{half="drachtio"}', 1],
    ['switch_control_clients', 1],
    ['switch_rtp_ports{state="taken"} == bool on() sum(gateway_endpoints{state!="inCalls"})', 1],
    ['http_request_duration_seconds_count{route="/metrics",code="200"} > bool 0', 1],
    ['dialer_store_commit_seconds_count > bool 5', 1],
    ['process_resident_memory_bytes > bool 1e7', 1],
    ['min(health_check_passing{check=~"store|drachtio|freeswitch|lease"})', 1],
    ['dialer_pacing_calls_target{engagement="Winter reminders",mode="copilot"}', 20],
    ['sum(dialer_tasks_quarantined_total)', 0],
    ['sum(dialer_representatives)', 0],
  ];
  for (const [expression, value] of expected) {
    t.equal(await prometheus.value(expression), value, `${expression} = ${value}`);
  }
  const labels = await prometheus.query('{job="ringfence"}');
  t.notMatch(
    JSON.stringify(labels),
    /2065550|2025550|[0-9a-f]{8}-[0-9a-f]{4}-7/,
    'no number, no id',
  );
  await service.lab.restart();
});

t.test('no log line holds a number or a secret, at trace level', async (t) => {
  const all = lines.join('');
  t.ok(lines.length > NUMBERS.length * 5, `${lines.length} lines were written`);
  t.match(all, '"attempt.dial"', 'commands are logged');
  t.match(all, '"attempt.ended"', 'so are events');
  for (const number of [...NUMBERS, '+12025550100']) {
    t.notMatch(all, number.slice(1), `${number.slice(-2)} is nowhere in full`);
    t.notMatch(all, number.slice(2), `nor without its country`);
  }
  t.notMatch(all, 'secret-of-a-test');
  const tokens = await database.db.selectFrom('ai_sessions').select('token_hash').execute();
  t.ok(tokens.length > 0, 'AI agents had tokens');
  t.notMatch(all, /token=(?!\[redacted\])/i);
  t.notMatch(all, /"contextToken":"(?!\[redacted\])/);
  const [attempt] = await database.db.selectFrom('attempts').select('id').limit(1).execute();
  const ended = lines.find((line) => line.includes(attempt?.id ?? '') && line.includes('ended'));
  const traceId = attempt?.id.replaceAll('-', '');
  t.match(JSON.parse(ended ?? '{}'), { trace_id: traceId }, 'lines join their trace');
});

t.test('each attempt is one trace, under its own id, phase by phase', async (t) => {
  const attempts = await database.db
    .selectFrom('attempts')
    .select(['id', 'call_id', 'result'])
    .execute();
  const all = spans.getFinishedSpans();
  t.equal(all.filter(({ name }) => name === 'attempt').length, NUMBERS.length);
  t.notMatch(JSON.stringify(all.map(({ attributes, events }) => [attributes, events])), /2065550/);
  for (const { id, call_id: callId, result } of attempts) {
    const own = all.filter((span) => span.spanContext().traceId === id.replaceAll('-', ''));
    const root = own.find(({ parentSpanContext }) => parentSpanContext === undefined);
    t.match(root?.attributes, { 'ringfence.sip.call_id': callId, 'ringfence.result': result });
    const phases = own.filter((span) => span !== root);
    t.ok(
      phases.every(({ parentSpanContext }) => {
        return parentSpanContext?.spanId === root?.spanContext().spanId;
      }),
      'phases are below their attempt',
    );
    const names = phases.map(({ name }) => name).join(' ');
    const expected =
      result === 'LiveAnswer'
        ? /^claim dial setup alerting answered connected(?: answered)? record$/
        : /^claim dial setup (?:alerting )?(?:answered )?record$/;
    t.match(names, expected);
  }
});

async function ready(): Promise<{ status: number; failing: string }> {
  const response = await fetch(`${service.url}/health/ready`);
  const { failing } = (await response.json()) as { failing: string[] };
  return { status: response.status, failing: failing.join('\n') };
}

/** A probe's view: asked again and again until it says what is awaited. */
async function untilReady(t: Test, status: number, failing: RegExp, what: string): Promise<void> {
  const endAtMs = performance.now() + 20_000;
  for (;;) {
    const answer = await ready();
    const isAsAwaited = answer.status === status && failing.test(answer.failing);
    if (!isAsAwaited && performance.now() < endAtMs) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    t.ok(isAsAwaited, `${what}: ${answer.status} ${answer.failing}`);
    return;
  }
}

t.test('readiness says what is broken, and that it works again', async (t) => {
  await untilReady(t, 200, /^$/, 'all is well');

  await service.signalling.stop();
  await untilReady(t, 503, /^drachtio: not connected: .+/, 'drachtio’s half stopped');
  await service.signalling.restart();
  await untilReady(t, 200, /^$/, 'and is back');

  await service.media.stop();
  await untilReady(t, 503, /^freeswitch: not connected: .+/, 'FreeSWITCH’s half stopped');
  await service.media.restart();
  await untilReady(t, 200, /^$/, 'and is back');

  await service.lab.stop();
  await untilReady(t, 503, /^trunks: lab is down: .+/, 'the only trunk is down');
  await service.lab.restart();
  await untilReady(t, 200, /^$/, 'and is back');

  const intruder = new Libsql(file);
  intruder.exec('begin immediate');
  await untilReady(t, 503, /^store: .+/, 'somebody else holds the database');
  intruder.exec('rollback');
  intruder.close();
  await untilReady(t, 200, /^$/, 'and lets go of it');

  await database.db
    .updateTable('leases')
    .set((eb) => ({ owner: 'another', epoch: eb('epoch', '+', 1) }))
    .where('name', 'like', 'queue-group:%')
    .execute();
  await untilReady(t, 503, /^lease: the queue group was lost/, 'another dialer took over');
  const live = await fetch(`${service.url}/health/live`);
  t.equal(live.status, 200, 'it lives all the same');
});
