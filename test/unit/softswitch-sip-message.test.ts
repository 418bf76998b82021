import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createResponse, reasonPhrase } from '../../softswitch/sip/create-response.ts';
import { Dialog } from '../../softswitch/sip/dialog.ts';
import { canonicalHeaderName } from '../../softswitch/sip/header-names.ts';
import {
  headerOf,
  headersOf,
  removeHeader,
  serializeSipMessage,
  setHeader,
  type SipResponse,
} from '../../softswitch/sip/message.ts';
import { formatNameAddr, parseNameAddr, tagOf, withTag } from '../../softswitch/sip/name-addr.ts';
import { parseSipMessage } from '../../softswitch/sip/parse-message.ts';
import { splitCommaList } from '../../softswitch/sip/quoted-text.ts';
import { formatReason, reasonsOf } from '../../softswitch/sip/reason-header.ts';
import { newBranch, newCallId, newTag } from '../../softswitch/sip/sip-ids.ts';
import { formatHostPort, formatSipUri, parseSipUri } from '../../softswitch/sip/sip-uri.ts';
import { StreamFraming } from '../../softswitch/sip/stream-framing.ts';
import { formatVia, parseVia, uniqueBranchOf } from '../../softswitch/sip/via.ts';
import { INVALID, ODD, VALID, type TortureMessage } from '../support/rfc4475.ts';
import { newRequest, parsed, parsedRequest, rawRequest, sipText } from '../support/sip-text.ts';

function checkTorture(t: Test, { name, section, bytes, fate, expected }: TortureMessage): void {
  const title = `RFC 4475 §${section} ${name}`;
  const outcome = parseSipMessage(bytes);
  if (!outcome.ok) {
    const answer = outcome.salvage === undefined ? 'dropped' : outcome.statusCode;
    t.equal(answer, fate, `${title} (${outcome.problem})`);
    return;
  }
  t.equal('taken', fate, title);
  const { message } = outcome;
  if (expected?.method !== undefined)
    t.equal(message.kind === 'request' && message.method, expected.method);
  if (expected?.uri !== undefined) t.equal(message.kind === 'request' && message.uri, expected.uri);
  if (expected?.bodyLength !== undefined) t.equal(message.body.length, expected.bodyLength);
  for (const [header, values] of Object.entries(expected?.headers ?? {})) {
    t.same(headersOf(message, header), values, `${title}: ${header}`);
  }
}

t.test('The torture messages of RFC 4475 are taken or refused as the RFC wants', (t) => {
  for (const message of [...VALID, ...INVALID, ...ODD]) checkTorture(t, message);
  t.end();
});

t.test('What was taken survives being written and read again', (t) => {
  for (const { name, bytes } of [...VALID, ...ODD]) {
    const first = parseSipMessage(bytes);
    if (!first.ok) continue;
    const second = parsed(serializeSipMessage(first.message));
    const withoutLength = (message: typeof second): unknown => ({
      ...message,
      headers: message.headers.filter((field) => field.name !== 'Content-Length'),
    });
    t.same(withoutLength(second), withoutLength(first.message), name);
  }
  t.end();
});

t.test('Header names: any case, compact forms, unknown ones as they came', (t) => {
  const cases = [
    ['v', 'Via'],
    ['V', 'Via'],
    ['VIA', 'Via'],
    ['via', 'Via'],
    ['call-id', 'Call-ID'],
    ['i', 'Call-ID'],
    ['cseq', 'CSeq'],
    ['CSEQ', 'CSeq'],
    ['L', 'Content-Length'],
    ['m', 'Contact'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['x', 'Session-Expires'],
    ['rack', 'RAck'],
    ['X-Own', 'X-Own'],
  ] as const;
  for (const [given, expected] of cases) t.equal(canonicalHeaderName(given), expected, given);
  const request = parsedRequest(
    rawRequest({
      method: 'OPTIONS',
      uri: 'sip:a@b',
      headers: ['x-ESL-outbound: 1:2', 'k: a, b', 'Supported: c'],
    }),
  );
  t.equal(headerOf(request, 'X-Esl-Outbound'), '1:2');
  t.same(headersOf(request, 'x-esl-outbound'), ['1:2']);
  t.same(headersOf(request, 'k'), ['a', 'b', 'c']);
  t.equal(headerOf(request, 'k'), 'a, b');
  t.equal(headerOf(request, 'Subject'), undefined);
  t.end();
});

t.test(
  'Tolerated: bare LF, empty lines first, no space after the colon, a body without length',
  (t) => {
    const text = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' }).toString();
    const lf = parsedRequest(Buffer.from(text.replaceAll('\r\n', '\n')));
    t.equal(lf.method, 'OPTIONS');
    t.equal(headerOf(lf, 'Call-ID'), 'call-1');
    t.equal(parsedRequest(Buffer.from(`\r\n\r\n${text}`)).method, 'OPTIONS');
    t.equal(
      headerOf(parsed(Buffer.from(text.replace('Call-ID: ', 'Call-ID:'))), 'Call-ID'),
      'call-1',
    );
    const withoutLength = text.replace(/Content-Length: 0\r\n/, '');
    t.equal(parsed(Buffer.from(`${withoutLength}v=0\r\n`)).body.toString(), 'v=0\r\n');
    const trailing = parsed(Buffer.from(`${text}junk after the body`));
    t.equal(trailing.body.length, 0, 'what follows the body of a datagram is dropped (§18.3)');
    t.end();
  },
);

const REFUSED: {
  name: string;
  edit: (text: string) => string;
  statusCode?: number;
  problem?: RegExp;
}[] = [
  { name: 'no empty line', edit: (text) => text.slice(0, -2), problem: /empty line/ },
  {
    name: 'a line without a colon',
    edit: (text) => text.replace('Max-Forwards: 70', 'Max-Forwards 70'),
    problem: /without a name/,
  },
  { name: 'a name with a space', edit: (text) => text.replace('Max-Forwards', 'Max Forwards') },
  { name: 'no From', edit: (text) => text.replace(/From: .*\r\n/, ''), problem: /no From/ },
  { name: 'no CSeq', edit: (text) => text.replace(/CSeq: .*\r\n/, ''), problem: /no CSeq/ },
  { name: 'CSeq without a method', edit: (text) => text.replace('1 OPTIONS', '1') },
  { name: 'a Call-ID with a space', edit: (text) => text.replace('call-1', 'call 1') },
  { name: 'an empty Call-ID', edit: (text) => text.replace('call-1', '') },
  { name: 'a Request-URI without a host', edit: (text) => text.replace('sip:a@b', 'sip:a@') },
  { name: 'a port beyond 65535', edit: (text) => text.replace('sip:a@b', 'sip:a@b:70000') },
  {
    name: 'Via of another protocol',
    edit: (text) => text.replace('Via: SIP/2.0', 'Via: HTTP/1.1'),
  },
  {
    name: 'SIP/3.0',
    edit: (text) => text.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n'),
    statusCode: 505,
  },
  {
    name: '600 header fields',
    edit: (text) => text.replace('Max-', `${'X: y\r\n'.repeat(600)}Max-`),
    problem: /too many/,
  },
];

t.test('A bad request is told apart and kept as far as it can be answered', (t) => {
  const text = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' }).toString();
  for (const { name, edit, statusCode = 400, problem } of REFUSED) {
    const outcome = parseSipMessage(Buffer.from(edit(text)));
    if (outcome.ok) {
      t.fail(name);
      continue;
    }
    t.equal(outcome.statusCode, statusCode, name);
    t.equal(outcome.salvage?.method, 'OPTIONS', name);
    if (problem !== undefined) t.match(outcome.problem, problem, name);
  }
  for (const nothing of ['', '\r\n\r\n', 'hello', 'GET / HTTP/1.1\r\n\r\n', '\0\0\0\0\0\0']) {
    const outcome = parseSipMessage(Buffer.from(nothing));
    t.notOk(outcome.ok);
    t.equal(!outcome.ok && outcome.salvage, undefined, JSON.stringify(nothing));
  }
  t.end();
});

t.test('No bytes make the parser throw, and no size makes it slow', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      parseSipMessage(Buffer.from(bytes));
    }),
    { numRuns: 500 },
  );
  const hostile = [
    'INVITE sip:a@b SIP/2.0\r\n'.concat('x\r\n'.repeat(20_000), '\r\n'),
    'INVITE sip:a@b SIP/2.0\r\nVia: '.concat('\r\n x'.repeat(16_000), '\r\n\r\n'),
    'INVITE sip:a@b SIP/2.0\r\nFrom: '.concat('"'.repeat(60_000), '\r\n\r\n'),
    'INVITE sip:a@b SIP/2.0\r\nVia: '.concat(' '.repeat(60_000), 'x\r\n\r\n'),
    'INVITE sip:a@b SIP/2.0\r\nVia: '.concat(','.repeat(60_000), '\r\n\r\n'),
    'INVITE '.concat(' '.repeat(60_000), '\r\n\r\n'),
  ];
  for (const text of hostile) {
    const startMs = performance.now();
    t.notOk(parseSipMessage(Buffer.from(text)).ok);
    const tookMs = performance.now() - startMs;
    t.ok(tookMs < 500, `${text.length} bytes took ${tookMs} ms`); // quadratic would be seconds
  }
  t.notOk(
    parseSipMessage(Buffer.from(`INVITE sip:a@b SIP/2.0\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`)).ok,
  );
  t.end();
});

t.test('Writing sets one Content-Length in bytes and lets no value smuggle a line in', (t) => {
  const request = newRequest('INVITE', 'sip:a@b', 'čau');
  request.headers.push({ name: 'Via', value: 'SIP/2.0/UDP h;branch=z9hG4bK1' });
  request.headers.push({ name: 'Content-Length', value: '999' });
  request.headers.push({ name: 'X-Note', value: 'one\r\nEvil: yes' });
  const written = serializeSipMessage(request);
  t.same(written.toString().match(/Content-Length: \d+/g), ['Content-Length: 4']);
  const again = parsed(written);
  t.equal(headerOf(again, 'Evil'), undefined);
  t.equal(again.body.toString(), 'čau');
  t.end();
});

t.test('setHeader leaves one value in its old place, removeHeader none', (t) => {
  const request = newRequest('INVITE', 'sip:a@b');
  request.headers.push({ name: 'Contact', value: '<sip:second@b>' });
  setHeader(request, 'm', '<sip:c@d>');
  t.same(headersOf(request, 'Contact'), ['<sip:c@d>']);
  t.equal(request.headers[4]?.name, 'Contact');
  setHeader(request, 'Subject', 'x');
  t.equal(headerOf(request, 's'), 'x');
  removeHeader(request, 'contact');
  t.same(headersOf(request, 'Contact'), []);
  t.end();
});

t.test('sip URIs are read into parts and written back', (t) => {
  const cases = [
    ['sip:alice@example.com', { user: 'alice', host: 'example.com' }],
    ['SIP:Alice:secret@example.com:5070', { user: 'Alice', password: 'secret', port: 5070 }],
    [
      'sips:[2001:db8::1]:5061;transport=tcp;lr',
      { scheme: 'sips', host: '2001:db8::1', port: 5061 },
    ],
    ['sip:127.0.0.1', { user: undefined, host: '127.0.0.1' }],
    [
      'sip:+1-202-555-0100;phone-context=x@gw;user=phone?Subject=a%20b',
      { user: '+1-202-555-0100;phone-context=x', host: 'gw', headers: 'Subject=a%20b' },
    ],
  ] as const;
  for (const [text, expected] of cases) t.match(parseSipUri(text), expected, text);
  t.equal(parseSipUri('sip:h;lr;transport=TCP')?.params.has('lr'), true);
  t.equal(parseSipUri('sip:h;lr;transport=TCP')?.params.get('transport'), 'TCP');
  for (const bad of [
    '',
    'sip:',
    'tel:+1',
    'sip:@h',
    'sip:a b@h',
    'sip:a@h:99999',
    'sip:a@h_h:x',
    'sip:a@[::1',
  ]) {
    t.equal(parseSipUri(bad), undefined, bad);
  }
  const params = new Map<string, string | undefined>([
    ['transport', 'tcp'],
    ['lr', undefined],
  ]);
  t.equal(
    formatSipUri({ user: 'a', host: '::1', port: 5060, params }),
    'sip:a@[::1]:5060;transport=tcp;lr',
  );
  t.equal(formatHostPort('h', 0), 'h');
  t.end();
});

t.test('name-addr and addr-spec: whose parameter is whose', (t) => {
  const cases = [
    ['<sip:a@b;x=1>;tag=t', 'sip:a@b;x=1', undefined, 't'],
    ['sip:a@b;tag=t', 'sip:a@b', undefined, 't'],
    ['"A \\"q\\" ; <B>" <sip:a@b>;tag=t;y', 'sip:a@b', 'A "q" ; <B>', 't'],
    ['Bob Smith<sip:a@b>', 'sip:a@b', 'Bob Smith', undefined],
    ['<tel:+12025550100>;TAG=Up', 'tel:+12025550100', undefined, 'Up'],
  ] as const;
  for (const [text, uri, displayName, tag] of cases) {
    const address = parseNameAddr(text);
    t.equal(address?.uri, uri, text);
    t.equal(address?.displayName, displayName, text);
    t.equal(address?.params.get('tag'), tag, text);
    t.equal(tagOf(text), tag, text);
  }
  for (const bad of [
    '',
    '<>',
    '<sip:a@b',
    '"x <sip:a@b>',
    '<sip:a@b> junk',
    'sip:a@b?x=y',
    'nothing',
  ]) {
    t.equal(parseNameAddr(bad), undefined, bad);
  }
  t.equal(tagOf('<sip:a@b;tag=no>'), undefined, 'a parameter of the URI is no tag');
  t.equal(withTag('<sip:a@b>;tag=x', 'y'), '<sip:a@b>;tag=x');
  t.equal(formatNameAddr('sip:a@b', { displayName: 'Müller "Q"' }), '"Müller \\"Q\\"" <sip:a@b>');
  t.same(splitCommaList('"a, b" <sip:x,y@h>, <sip:c>;p="1,2",,d'), [
    '"a, b" <sip:x,y@h>',
    '<sip:c>;p="1,2"',
    'd',
  ]);
  t.end();
});

t.test('Via: sent-by, parameters, and which branch identifies a transaction', (t) => {
  const via = parseVia('SIP / 2.0 / udp [::1]:5070 ;branch=z9hG4bKx; rport ;received=::1');
  t.match(via, { transport: 'UDP', host: '::1', port: 5070 });
  t.ok(via?.params.has('rport'));
  if (via !== undefined) {
    t.equal(uniqueBranchOf(via), 'z9hG4bKx');
    t.same(parseVia(formatVia(via)), via);
  }
  for (const branch of ['z9hG4bK', 'abc', undefined]) {
    const old = parseVia(`SIP/2.0/TCP h${branch === undefined ? '' : `;branch=${branch}`}`);
    t.equal(old && uniqueBranchOf(old), undefined, String(branch));
  }
  t.end();
});

t.test('Reason: several values, on one line or more, with and without cause and text', (t) => {
  const response = parsed(
    sipText([
      'SIP/2.0 486 Busy Here',
      'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
      'From: <sip:a@b>;tag=1',
      'To: <sip:a@b>;tag=2',
      'Call-ID: c',
      'CSeq: 1 INVITE',
      'Reason: Q.850;cause=17;text="User; busy, \\"really\\"", SIP;cause=486',
      'Reason: STIR ; cause = 436',
      'reason: preemption;text=x;cause=abc',
    ]),
  );
  t.same(reasonsOf(response), [
    { protocol: 'Q.850', cause: 17, text: 'User; busy, "really"' },
    { protocol: 'SIP', cause: 486, text: undefined },
    { protocol: 'STIR', cause: 436, text: undefined },
    { protocol: 'preemption', cause: undefined, text: 'x' },
  ]);
  t.equal(
    formatReason('Q.850', 16, 'Normal "clearing"'),
    'Q.850;cause=16;text="Normal \\"clearing\\""',
  );
  t.end();
});

t.test('A response copies what RFC 3261 §8.2.6 says and no more', (t) => {
  const request = parsedRequest(
    sipText([
      'INVITE sip:a@b SIP/2.0',
      'Via: SIP/2.0/UDP one;branch=z9hG4bK1, SIP/2.0/UDP two;branch=z9hG4bK2',
      'v: SIP/2.0/UDP three;branch=z9hG4bK3',
      'From: <sip:f@b>;tag=f',
      'To: <sip:t@b>',
      'Call-ID: c',
      'CSeq: 7 INVITE',
      'Record-Route: <sip:p1;lr>, <sip:p2;lr>',
      'Timestamp: 54',
      'Subject: not copied',
    ]),
  );
  const trying = createResponse(request, 100);
  t.equal(trying.reason, 'Trying');
  t.equal(headerOf(trying, 'To'), '<sip:t@b>');
  t.equal(headerOf(trying, 'Timestamp'), '54');
  t.equal(headerOf(trying, 'Record-Route'), undefined);
  const ok = createResponse(request, 200, { toTag: 'x', body: 'v=0\r\n' });
  t.equal(headersOf(ok, 'Via').length, 3);
  t.equal(headerOf(ok, 'To'), '<sip:t@b>;tag=x');
  t.same(headersOf(ok, 'Record-Route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
  t.equal(headerOf(ok, 'Content-Type'), 'application/sdp');
  t.equal(headerOf(ok, 'Subject'), undefined);
  t.same(headersOf(createResponse(request, 486), 'Record-Route'), []);
  t.equal(reasonPhrase(486), 'Busy Here');
  t.equal(reasonPhrase(499), 'Bad Request', "an unknown code has its class's phrase");
  t.end();
});

function dialogPair(recordRoute: string[]): { uac: Dialog; uas: Dialog; answer: SipResponse } {
  const headers = [
    'Contact: <sip:caller@192.0.2.9:7000>',
    ...recordRoute.map((value) => `Record-Route: ${value}`),
  ];
  const request = parsedRequest(
    rawRequest({ method: 'INVITE', uri: 'sip:near@192.0.2.1', cseq: 41, headers }),
  );
  const answer = createResponse(request, 200, {
    toTag: 'near-tag',
    headers: [{ name: 'Contact', value: '"N" <sip:callee@192.0.2.1:8000;transport=tcp>' }],
  });
  return { uac: Dialog.fromUac(request, answer), uas: Dialog.fromUas(request, answer), answer };
}

t.test('Both sides of a dialog mirror each other, the route set in opposite order', (t) => {
  const { uac, uas, answer } = dialogPair(['<sip:p1;lr>', '<sip:p2;lr>']);
  t.equal(uac.localTag, uas.remoteTag);
  t.equal(uac.remoteTag, uas.localTag);
  t.equal(uac.remoteTarget, 'sip:callee@192.0.2.1:8000;transport=tcp');
  t.equal(uas.remoteTarget, 'sip:caller@192.0.2.9:7000');
  t.same(uac.routeSet, ['<sip:p2;lr>', '<sip:p1;lr>']);
  t.same(uas.routeSet, ['<sip:p1;lr>', '<sip:p2;lr>']);
  const bye = uac.createRequest('BYE');
  t.equal(bye.uri, uac.remoteTarget);
  t.equal(headerOf(bye, 'CSeq'), '42 BYE');
  t.same(headersOf(bye, 'Route'), ['<sip:p2;lr>', '<sip:p1;lr>']);
  t.equal(Dialog.idOfRequest(bye), uas.id);
  t.equal(Dialog.idOfRequest(uas.createRequest('INFO')), uac.id);
  t.equal(headerOf(uac.createAck(41), 'CSeq'), '41 ACK');
  t.equal(Dialog.fromStrayAnswer(answer).id, uac.id);
  t.equal(headerOf(Dialog.fromStrayAnswer(answer).createRequest('BYE'), 'CSeq'), '42 BYE');
  t.end();
});

t.test('A strict router becomes the Request-URI, the target the last Route (§12.2.1.1)', (t) => {
  const { uac } = dialogPair(['<sip:p1;lr>', '<sip:strict>']);
  const bye = uac.createRequest('BYE');
  t.equal(bye.uri, 'sip:strict');
  t.same(headersOf(bye, 'Route'), ['<sip:p1;lr>', `<${uac.remoteTarget}>`]);
  t.end();
});

t.test('A CSeq that goes backwards is refused, a gap is not (§12.2.2)', (t) => {
  const { uac, uas } = dialogPair([]);
  const first = uac.createRequest('INFO');
  const second = uac.createRequest('INFO');
  uac.createRequest('INFO'); // lost
  t.ok(uas.acceptRemoteCSeq(second));
  t.notOk(uas.acceptRemoteCSeq(first));
  t.ok(uas.acceptRemoteCSeq(uac.createRequest('BYE')));
  t.end();
});

t.test('Ids are unique, and a branch carries the magic cookie', (t) => {
  const ids = new Set<string>();
  for (let index = 0; index < 5_000; index += 1)
    ids.add(newBranch()).add(newTag()).add(newCallId());
  t.equal(ids.size, 15_000);
  t.match(newBranch(), /^z9hG4bK[0-9a-f]{24}$/);
  t.end();
});

interface Framed {
  messages: string[];
  pings: number;
  broken: string[];
}

function frame(chunks: readonly Buffer[]): Framed {
  const framed: Framed = { messages: [], pings: 0, broken: [] };
  const framing = new StreamFraming({
    onMessage: (bytes) => framed.messages.push(bytes.toString()),
    onPing: () => (framed.pings += 1),
    onBroken: (_head, problem) => framed.broken.push(problem),
  });
  for (const chunk of chunks) framing.push(chunk);
  return framed;
}

t.test('A stream is cut at Content-Length wherever TCP happens to split it', (t) => {
  const one = rawRequest({
    method: 'OPTIONS',
    uri: 'sip:a@b',
    body: 'v=0\r\n\r\nINVITE',
  }).toString();
  const two = rawRequest({ method: 'BYE', uri: 'sip:a@b' })
    .toString()
    .replace('Content-Length', 'l');
  const stream = Buffer.from(`\r\n${one}\r\n\r\n${two}\r\n\r\n${one}`);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
      const borders = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const chunks = borders.slice(1).map((end, index) => stream.subarray(borders[index], end));
      const framed = frame(chunks);
      t.same(framed.messages, [one, two, one], JSON.stringify(cuts));
      t.equal(framed.pings, 2, JSON.stringify(cuts));
      t.same(framed.broken, []);
    }),
    { numRuns: 100 },
  );
  t.same(frame([...stream].map((byte) => Buffer.from([byte]))).messages, [one, two, one]);
  t.end();
});

t.test('A stream whose borders are lost is reported once and then ignored', (t) => {
  const good = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' }).toString();
  const cases: [string, RegExp][] = [
    [good.replace(/Content-Length: 0\r\n/, ''), /Content-Length/],
    [good.replace('Content-Length: 0', 'Content-Length: 5\r\nl: 6'), /Content-Length/],
    [good.replace('Content-Length: 0', 'Content-Length: -1'), /Content-Length/],
    [good.replace('Content-Length: 0', 'Content-Length: 99999999'), /body is too long/],
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', /not SIP/],
    ['x'.repeat(10_000), /not SIP/],
    [`OPTIONS sip:a@b SIP/2.0\r\nX: ${'y'.repeat(70_000)}`, /header section is too long/],
  ];
  for (const [text, problem] of cases) {
    const framed = frame([Buffer.from(text), Buffer.from(good)]);
    t.equal(framed.broken.length, 1, text.slice(0, 60));
    t.match(framed.broken[0], problem);
    t.same(framed.messages, []);
  }
  t.end();
});
