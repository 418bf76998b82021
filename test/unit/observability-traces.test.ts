/** Goal: an attempt's trace has its id, tells its phases and their lengths, and never stays open. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { SpanStatusCode } from '@opentelemetry/api';
import t from 'tap';
import type { DialerNews } from '../../dialer/dialer-news.ts';
import { AttemptTraces } from '../../dialer/traces/attempt-traces.ts';
import { otlpTraceSink, sdkTraceSink } from '../../dialer/traces/sdk-trace-sink.ts';
import { traceIdOf } from '../../dialer/traces/trace-id.ts';
import { globalTraceSink } from '../../dialer/traces/trace-sink.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';

const ID = '0199b2c4-7d3e-7abc-8def-0123456789ab';
const TRACE_ID = '0199b2c47d3e7abc8def0123456789ab';
const OF_TASK = { businessUnitId: 'unit', engagementId: 'engagement', taskId: 'task' };
const OF_ATTEMPT = { ...OF_TASK, attemptId: ID, deliveryId: 'delivery' };
const STARTED: DialerNews = { type: 'attempt.started', ...OF_ATTEMPT };
/** OpenTelemetry takes small times for those of `performance`. */
const T = Date.UTC(2026, 2, 2, 15);
const CLAIM = { type: 'claim.made', engagementId: 'engagement', limiter: 'cap' } as const;
const ENVELOPE = { attemptId: ID, fence: 1, seq: 1 };
const FAILED_503: EventOf<'attempt.ended'> = {
  ...{ type: 'attempt.ended', ...ENVELOPE, atMs: T + 1_300, endedBy: 'far', cancelReason: null },
  ...{ answered: false, invites: 1, ringMs: null, talkMs: null, q850: [], reasonHeaders: [] },
  sip: { statusCode: 503, reasonPhrase: 'Service Unavailable', origin: 'network' },
};

async function setUp() {
  const exporter = new InMemorySpanExporter();
  const sink = await sdkTraceSink([new SimpleSpanProcessor(exporter)], { instanceId: 'dialer-1' });
  const clock = { nowMs: T + 1_000 };
  const traces = new AttemptTraces(sink, () => clock.nowMs);
  const hear = (...events: TelephonyEvent[]): void => {
    for (const event of events) traces.hearTelephony(event);
  };
  return { exporter, traces, clock, hear };
}

const ms = ([seconds, nanoseconds]: readonly [number, number]): number =>
  Math.round(seconds * 1_000 + nanoseconds / 1e6) - T;

t.test('a failed attempt: claim, dial, setup, record, with their lengths', async (t) => {
  const { exporter, traces, clock, hear } = await setUp();
  traces.hearNews({ ...CLAIM, started: 1, tookMs: 40, passedOver: [] });
  traces.hearNews(STARTED);
  hear({
    type: 'attempt.sent',
    ...ENVELOPE,
    atMs: T + 1_100,
    callId: 'call',
    trunk: 'north',
    invites: 1,
  });
  hear(FAILED_503);
  clock.nowMs = T + 1_350;
  const ids = { ...OF_ATTEMPT, type: 'attempt.recorded' } as const;
  traces.hearNews({ ...ids, result: 'CallFailed', subReason: 'congestion', waitExceeded: false });
  traces.hearNews({ type: 'task.left', ...OF_TASK, left: 'waiting' });
  const spans = exporter.getFinishedSpans();
  t.same(
    spans.map(({ name, startTime, endTime }) => [name, ms(startTime), ms(endTime)]),
    [
      ['claim', 960, 1_000],
      ['dial', 1_000, 1_100],
      ['setup', 1_100, 1_300],
      ['record', 1_300, 1_350],
      ['attempt', 960, 1_350],
    ],
  );
  t.ok(spans.every((span) => span.spanContext().traceId === TRACE_ID));
  const root = spans.at(-1);
  t.match(root?.attributes, {
    'network.protocol.name': 'sip',
    'ringfence.attempt.id': ID,
    'ringfence.trunk': 'north',
    'ringfence.sip.status_code': 503,
    'ringfence.result': 'CallFailed',
    'error.type': 'congestion',
  });
  t.equal(root?.status.code, SpanStatusCode.ERROR);
  t.equal(root?.resource.attributes['service.name'], 'ringfence');
  t.equal(traces.open, 0);
});

t.test('a second start of the same claim shares its claim; a later one has none', async (t) => {
  const { exporter, traces, hear } = await setUp();
  traces.hearNews({ ...CLAIM, started: 1, tookMs: 40, passedOver: [] });
  traces.hearNews(STARTED);
  traces.hearNews({ type: 'task.left', ...OF_TASK, left: 'broken' });
  t.equal(traces.open, 0, 'a chain that broke leaves no span open');
  exporter.reset();
  traces.hearNews(STARTED);
  hear({ type: 'attempt.refused', ...ENVELOPE, atMs: T + 1_010, code: 'TRUNK_DOWN', detail: '' });
  traces.hearNews({ type: 'task.left', ...OF_TASK, left: 'waiting' });
  const names = exporter.getFinishedSpans().map(({ name }) => name);
  t.same(names, ['dial', 'record', 'attempt']);
  hear(FAILED_503);
  t.equal(
    exporter.getFinishedSpans().length,
    3,
    'events of attempts that are not ours are left alone',
  );
});

t.test('without an SDK nothing is recorded, and the id is the attempt’s all the same', (t) => {
  const sink = globalTraceSink();
  const span = sink.startRoot('attempt', TRACE_ID, {});
  t.equal(span.isRecording(), false);
  t.equal(span.spanContext().traceId, TRACE_ID);
  t.equal(sink.startRoot('attempt', undefined, {}).isRecording(), false);
  t.equal(traceIdOf('attempt-1'), undefined, 'only a UUID has the bytes of a trace id');
  t.equal(traceIdOf(ID.toUpperCase()), TRACE_ID);
  t.end();
});

t.test('spans reach a collector by OTLP over HTTP, at the latest when it stops', async (t) => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(`${request.url} ${Buffer.concat(chunks).toString()}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  t.teardown(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/traces`;
  const sink = await otlpTraceSink(url, { instanceId: 'dialer-1' });
  sink.startRoot('attempt', TRACE_ID, {}).end();
  await sink.stop();
  t.equal(bodies.length, 1);
  t.match(bodies[0], /^\/v1\/traces /);
  const { resourceSpans } = JSON.parse(bodies[0]?.slice('/v1/traces '.length) ?? '') as {
    resourceSpans: { scopeSpans: { spans: { traceId: string; name: string }[] }[] }[];
  };
  t.match(resourceSpans[0]?.scopeSpans[0]?.spans[0], { traceId: TRACE_ID, name: 'attempt' });
});
