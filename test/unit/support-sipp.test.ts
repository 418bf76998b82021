/** Goal: what SIPp's trace says is what the end-to-end tests and the benchmark conclude from it. */
import t from 'tap';
import { percentile, rounded } from '../../bench/bench-report.ts';
import { messagesOf } from '../support/sipp.ts';

const TRACE = [
  '----------------------------------------------- 2026-11-20\t23:58:58.290123\t1795219138.290123',
  'UDP message received [60] bytes :',
  '',
  'INVITE sip:1@127.0.0.1:5060 SIP/2.0\r',
  'Call-ID: a@b\r',
  '\r',
  'v=0\r',
  '',
  '----------------------------------------------- 2026-11-20\t23:58:58.291\t1795219138.291000',
  'UDP message sent (30 bytes):',
  '',
  'SIP/2.0 180 Ringing\r',
  'Call-ID: a@b\r',
  '\r',
  '',
].join('\n');

t.test('sipp trace: each message has its direction, start line, text and time', async (t) => {
  const messages = messagesOf(TRACE);
  t.same(
    messages.map(({ direction, startLine }) => `${direction} ${startLine}`),
    ['received INVITE sip:1@127.0.0.1:5060 SIP/2.0', 'sent SIP/2.0 180 Ringing'],
  );
  t.match(messages[0]?.text, /Call-ID: a@b\r\n\r\nv=0/);
  const [first = Number.NaN, second = Number.NaN] = messages.map(({ atMs }) => atMs);
  t.equal(second - first, 1);
});

t.test('sipp trace: a message still being written is left out', async (t) => {
  t.same(messagesOf(''), []);
  t.equal(messagesOf(TRACE.slice(0, TRACE.lastIndexOf('SIP/2.0 180') - 35)).length, 1);
});

t.test('benchmark: percentiles are nearest-rank, and none of nothing', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  t.equal(percentile(hundred, 0.99), 99);
  t.equal(percentile(hundred, 0.5), 50);
  t.equal(percentile([7], 0.99), 7);
  t.ok(Number.isNaN(percentile([], 0.5)));
  t.equal(rounded(0.123456), 0.1235);
});
