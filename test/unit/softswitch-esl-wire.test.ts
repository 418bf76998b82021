/** Goal: commands are cut, events encoded and subscriptions answered byte for byte as FreeSWITCH does, whatever comes. */
import fc from 'fast-check';
import t from 'tap';
import { splitArguments } from '../../softswitch/esl/arguments.ts';
import { ChannelVariables, isTrue } from '../../softswitch/esl/channel-variables.ts';
import { CommandReader, type EslCommand } from '../../softswitch/esl/command-reader.ts';
import { parseDigits } from '../../softswitch/esl/dtmf-digits.ts';
import { encodeEvent, urlEncode, type EslEvent } from '../../softswitch/esl/event.ts';
import { causeNamed, causeOfReason, reasonHeader } from '../../softswitch/esl/hangup-cause.ts';
import { inlinePlan } from '../../softswitch/esl/inline-plan.ts';
import { apiResponse, disconnectNotice } from '../../softswitch/esl/reply-frames.ts';
import { SessionRate } from '../../softswitch/esl/session-rate.ts';
import { Subscription } from '../../softswitch/esl/subscription.ts';
import { upTime } from '../../softswitch/esl/up-time.ts';

const SENDMSG =
  'sendmsg 8d3f\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(300,0,440)\n' +
  'call-command: execute\nEvent-UUID: 07ee\n\n';

function readAll(text: string | Buffer, chunkBytes: number): EslCommand[] {
  const reader = new CommandReader();
  const bytes = Buffer.from(text);
  const commands: EslCommand[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    commands.push(...reader.push(bytes.subarray(at, at + chunkBytes)).commands);
  }
  return commands;
}

t.test(
  'commands are found however the bytes are cut, as modesl writes them line by line',
  async (t) => {
    const stream =
      `auth secret\n\n\n${SENDMSG}api status\r\n\r\n` +
      'sendevent CUSTOM\nEvent-Subclass: a::b\ncontent-length: 5\n\ngrüßexit\n\n';
    const cuts = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(cuts, (chunkBytes) => {
        const commands = readAll(stream.replace('length: 5', 'length: 6'), chunkBytes);
        const lines = commands.map(({ line }) => line);
        const expected = ['auth secret', 'sendmsg 8d3f', 'api status', 'sendevent CUSTOM', 'exit'];
        return (
          JSON.stringify(lines) === JSON.stringify(expected) &&
          commands[1]?.headers.get('execute-app-arg') === 'tone_stream://%(300,0,440)' &&
          commands[3]?.body === 'grüß'
        );
      }),
    );
    t.pass();
  },
);

t.test(
  'no bytes make the command reader throw or keep more than its limit (property)',
  async (t) => {
    const noise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc
          .constantFrom(
            '\n',
            '\n\n',
            '\r\n',
            'content-length: 3\n',
            'content-length: -1\n\n',
            ': :\n',
          )
          .map((text) => Buffer.from(text)),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(noise, (chunks) => {
        const reader = new CommandReader();
        for (const chunk of chunks) reader.push(Buffer.from(chunk));
        return true;
      }),
    );
    const reader = new CommandReader();
    t.equal(reader.push(Buffer.alloc(64 * 1024, 'a')).problem, undefined);
    t.match(reader.push(Buffer.alloc(10, 'a')).problem, /too long/);
    t.match(
      new CommandReader().push(Buffer.from('x\ncontent-length: 99999999\n\n')).problem,
      /out of range/,
    );
  },
);

t.test('URL-encoded values decode to what they were (property)', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const encoded = urlEncode(value);
      return decodeURIComponent(encoded) === value && /^[\x21-\x7e]*$/.test(encoded);
    }),
  );
  t.equal(
    urlEncode('v=0\r\no=FreeSWITCH 1 IN IP4 1.2.3.4'),
    'v%3D0%0D%0Ao%3DFreeSWITCH%201%20IN%20IP4%201.2.3.4',
  );
  t.equal(urlEncode('+OK\n'), '%2BOK%0A');
  t.equal(urlEncode("RTP/AVP-(a)*!~'$,"), "RTP/AVP-(a)*!~'$,", 'what FreeSWITCH leaves alone');
  t.equal(urlEncode('half \ud800 pair'), 'half%20%EF%BF%BD%20pair');
});

t.test('an event has one meaning in three encodings', async (t) => {
  const event: EslEvent = {
    name: 'BACKGROUND_JOB',
    headers: { 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': 'j 1' },
    body: '+OK <ü>\n',
  };
  t.same(JSON.parse(encodeEvent(event, 'json')), {
    'Event-Name': 'BACKGROUND_JOB',
    'Job-UUID': 'j 1',
    'Content-Length': '9',
    _body: '+OK <ü>\n',
  });
  t.equal(
    encodeEvent(event, 'plain'),
    'Event-Name: BACKGROUND_JOB\nJob-UUID: j%201\nContent-Length: 9\n\n+OK <ü>\n',
  );
  t.match(encodeEvent(event, 'xml'), /<Job-UUID>j%201<\/Job-UUID>[\s\S]*<body>\+OK &lt;ü&gt;/);
});

t.test('frames count bytes, not characters, and an empty api answer is never empty', async (t) => {
  t.equal(apiResponse('ü\n'), 'Content-Type: api/response\nContent-Length: 3\n\nü\n');
  t.match(apiResponse(''), /-ERR no reply\n$/);
  t.equal(
    disconnectNotice('8d3f'),
    'Content-Type: text/disconnect-notice\nControlled-Session-UUID: 8d3f\n' +
      'Content-Disposition: disconnect\nContent-Length: 67\n\n' +
      'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n',
  );
});

const subscriptions = [
  { given: ['json', 'HEARTBEAT'], reply: '+OK event listener enabled json' },
  { given: ['plain', 'all'], reply: '+OK event listener enabled plain' },
  { given: ['CHANNEL_ANSWER'], reply: '+OK event listener enabled plain' },
  { given: ['json'], reply: '-ERR no keywords supplied' },
  { given: ['json', 'NO_SUCH_EVENT'], reply: '-ERR no keywords supplied' },
  { given: [], reply: '-ERR no keywords supplied' },
];
for (const { given, reply } of subscriptions) {
  t.test(`event ${given.join(' ')} is answered ${reply}`, async (t) => {
    t.equal(new Subscription().add(given), reply);
  });
}

const make = (name: string, headers: Record<string, string> = {}, subclass?: string): EslEvent => ({
  name,
  headers: { 'Event-Name': name, ...headers },
  ...(subclass === undefined ? {} : { subclass }),
});

t.test(
  'after CUSTOM every word is a subclass, so an event named there is not subscribed',
  async (t) => {
    const subscription = new Subscription();
    subscription.add(
      'json DTMF SWITCH_EVENT_PLAYBACK_START CUSTOM a::b CUSTOM c::d BACKGROUND_JOB'.split(' '),
    );
    t.ok(subscription.wants(make('DTMF')));
    t.ok(subscription.wants(make('PLAYBACK_START')), 'the constant’s prefix is understood');
    t.ok(subscription.wants(make('CUSTOM', {}, 'a::b')));
    t.ok(subscription.wants(make('CUSTOM', {}, 'c::d')));
    t.notOk(subscription.wants(make('CUSTOM', {}, 'e::f')));
    t.notOk(subscription.wants(make('BACKGROUND_JOB')));
    t.equal(subscription.remove(['DTMF', 'CUSTOM', 'a::b']), '+OK events nixed');
    t.notOk(subscription.wants(make('DTMF')));
    t.notOk(subscription.wants(make('CUSTOM', {}, 'a::b')));
    t.equal(subscription.removeAll(), '+OK no longer listening for events');
    t.equal(subscription.removeAll(), '-ERR not listening for events');
    t.notOk(subscription.wants(make('PLAYBACK_START')));
  },
);

t.test(
  'filters are alternatives, a minus excludes, and a single Unique-ID binds to one channel',
  async (t) => {
    const subscription = new Subscription();
    subscription.add(['plain', 'ALL']);
    t.equal(subscription.onlyChannel, undefined);
    t.equal(subscription.filter('Unique-ID u1'), '+OK filter added. [Unique-ID]=[u1]');
    t.equal(subscription.onlyChannel, 'u1');
    t.ok(subscription.wants(make('DTMF', { 'Unique-ID': 'u1' })));
    t.notOk(subscription.wants(make('DTMF', { 'Unique-ID': 'u2' })));
    t.notOk(subscription.wants(make('HEARTBEAT')), 'an event without the header does not pass');
    subscription.filter('Event-Name HEARTBEAT');
    t.equal(subscription.onlyChannel, undefined);
    t.ok(subscription.wants(make('HEARTBEAT')));
    subscription.filter('Application -set');
    t.notOk(subscription.wants(make('CHANNEL_EXECUTE', { 'Unique-ID': 'u1', Application: 'set' })));
    subscription.filter('Application /^play/');
    t.ok(
      subscription.wants(make('CHANNEL_EXECUTE', { 'Unique-ID': 'u9', Application: 'playback' })),
    );
    t.equal(subscription.filter('delete Unique-ID u1'), '+OK filter deleted. [Unique-ID][u1]');
    t.equal(subscription.filter('delete all'), '+OK filter deleted. [all][]');
    t.ok(subscription.wants(make('DTMF', { 'Unique-ID': 'u2' })));
    t.equal(subscription.filter('lonely'), '-ERR invalid syntax');
  },
);

t.test('myevents lets through one channel and its own background jobs', async (t) => {
  const subscription = new Subscription();
  t.equal(subscription.mine('u1', 'json'), '+OK Events Enabled');
  t.equal(subscription.mine('u1', undefined), '-ERR aready enabled.');
  t.equal(subscription.format, 'json');
  t.ok(subscription.wants(make('DTMF', { 'Unique-ID': 'u1' })));
  t.notOk(subscription.wants(make('DTMF', { 'Unique-ID': 'u2' })));
  subscription.add(['BACKGROUND_JOB']);
  t.ok(subscription.wants(make('BACKGROUND_JOB', { 'Job-Owner-UUID': 'u1' })));
});

t.test(
  'variables are found in any case, expanded, cut, and removed by an empty value',
  async (t) => {
    const variables = new ChannelVariables();
    variables.set('Name', 'Ada');
    variables.set('nested', '${name}!');
    t.equal(variables.get('NAME'), 'Ada');
    const expansions: [string, string][] = [
      ['hello ${name}', 'hello Ada'],
      ['${name:0:1} ${name:-2} ${name:1}', 'A da da'],
      ['${nested}', 'Ada!'],
      ['${unset}|', '|'],
      ['\\${name}', '${name}'],
      ['$name ${', '$name ${'],
    ];
    for (const [given, expected] of expansions) t.equal(variables.expand(given), expected, given);
    variables.set('loop', '${loop}${loop}');
    t.type(variables.expand('${loop}'), 'string', 'a variable of itself comes to an end');
    variables.set('name', '');
    t.equal(variables.get('name'), undefined);
    for (let i = 0; i < 5_000; i += 1) variables.set(`v${i}`, 'x');
    const headers: Record<string, string> = {};
    variables.addTo(headers, () => true);
    t.equal(Object.keys(headers).length, 1_000, 'inventing names does not fill the memory');
  },
);

t.test('yes has FreeSWITCH’s many names', async (t) => {
  for (const yes of [
    'true',
    'TRUE',
    'yes',
    'on',
    't',
    '1',
    '42',
    '-1',
    'enabled',
    'active',
    'allow',
  ]) {
    t.ok(isTrue(yes), yes);
  }
  for (const no of ['false', 'no', '', '0', 'maybe', undefined]) t.notOk(isTrue(no), String(no));
});

const argumentLines = [
  { given: "a  b 'c d' e", expected: ['a', 'b', 'c d', 'e'] },
  { given: "'it\\'s'", expected: ["it's"] },
  { given: '^^|a b|c', expected: ['a b', 'c'] },
  { given: '', expected: [] },
  { given: "open 'quote", expected: ['open', 'quote'] },
];
for (const { given, expected } of argumentLines) {
  t.test(`arguments of <${given}> are cut as FreeSWITCH cuts them`, async (t) => {
    t.same(splitArguments(given), expected);
  });
}

t.test('hang-up causes go by name and number, and come from Q.850 Reasons only', async (t) => {
  t.equal(causeNamed('user_busy'), 'USER_BUSY');
  t.equal(causeNamed('17'), 'USER_BUSY');
  t.equal(causeNamed('NO_SUCH_CAUSE'), 'NORMAL_CLEARING');
  t.equal(causeNamed('toString'), 'NORMAL_CLEARING');
  t.equal(reasonHeader('USER_BUSY'), 'Q.850;cause=17;text="USER_BUSY"');
  t.equal(causeOfReason(['SIP;cause=486', 'q.850 ;text="x"; cause=21']), 'CALL_REJECTED');
  t.equal(causeOfReason(['SIP;cause=200;text="ok"']), 'NORMAL_CLEARING');
  t.equal(causeOfReason([]), 'NORMAL_CLEARING');
});

t.test('digits to send take a duration within FreeSWITCH’s bounds', async (t) => {
  t.same(parseDigits('12#'), { digits: '12#', durationMs: 250 });
  t.same(parseDigits('1w2@200'), { digits: '1w2', durationMs: 200 });
  t.same(parseDigits('a@1'), { digits: 'A', durationMs: 50 });
  t.same(parseDigits('9@999999'), { digits: '9', durationMs: 24_000 });
  t.equal(parseDigits('w'), undefined);
  t.equal(parseDigits('xyz'), undefined);
});

t.test('inline plans are cut into steps', async (t) => {
  t.same(inlinePlan('park', 'inline'), [{ name: 'park', argument: '' }]);
  t.same(inlinePlan('playback:/a:b.wav,park', 'INLINE'), [
    { name: 'playback', argument: '/a:b.wav' },
    { name: 'park', argument: '' },
  ]);
  t.same(inlinePlan('m:^:a:1,2^b', 'inline'), [
    { name: 'a', argument: '1,2' },
    { name: 'b', argument: '' },
  ]);
  t.equal(inlinePlan('1000', 'XML'), undefined);
});

t.test('the session rate admits its share of every second and remembers the last', async (t) => {
  let nowMs = 0;
  const rate = new SessionRate(2, () => nowMs);
  t.same([rate.admit(), rate.admit(), rate.admit()], [true, true, false]);
  nowMs = 1_000;
  t.equal(rate.lastSecond, 2);
  t.ok(rate.admit());
  nowMs = 5_000;
  t.equal(rate.lastSecond, 0);
  t.equal(rate.peak, 2);
  const free = new SessionRate(undefined, () => 0);
  t.ok(Array.from({ length: 1_000 }, () => free.admit()).every(Boolean));
});

t.test('up-time is told in words', async (t) => {
  t.equal(
    upTime(90_061_001),
    '0 years, 1 day, 1 hour, 1 minute, 1 second, 1 millisecond, 0 microseconds',
  );
});
