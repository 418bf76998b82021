/** Goal: a channel runs, nests, breaks and ends applications in FreeSWITCH's order, on a clock moved by hand. */
import t from 'tap';
import { runApi } from '../../softswitch/esl/api/registry.ts';
import { settled, virtualSwitch } from '../support/virtual-channel.ts';

const EXECUTES = /^CHANNEL_EXECUTE/;

t.test('a tone is played to its end and reported as FreeSWITCH reports it', async (t) => {
  const { channel, advance, events, told } = virtualSwitch();
  const leg = channel();
  told();
  t.ok(leg.run('playback tone_stream://%(300,0,440)', { uuid: 'play-1' }));
  await advance(400);
  t.same(told(), [
    'CHANNEL_EXECUTE playback',
    'PLAYBACK_START',
    'PLAYBACK_STOP',
    'CHANNEL_EXECUTE_COMPLETE playback',
  ]);
  t.equal(leg.sentPackets(), 15, '300 ms are 15 packets, and nothing is sent while parked');
  const complete = events.at(-1)?.headers ?? {};
  t.match(complete, {
    'Application-UUID': 'play-1',
    'Application-Response': 'FILE PLAYED',
    'Application-Data': 'tone_stream://%(300,0,440)',
    variable_playback_ms: '300',
    variable_playback_seconds: '0',
    variable_playback_last_offset_pos: '2400',
    variable_playback_samples: '2400',
  });
  t.equal(events.at(-2)?.headers['Playback-Status'], 'done');
  t.equal(events.at(-2)?.headers['Playback-File-Type'], 'tone_stream');
});

t.test('uuid_break ends a playback, and playback_ms is ahead of what was heard', async (t) => {
  const { channel, advance, events, core } = virtualSwitch();
  const leg = channel();
  leg.run('playback silence_stream://5000');
  await advance(300);
  t.equal(runApi(core, `uuid_break ${leg.channel.uuid} all`), '+OK\n');
  await advance(20);
  const complete = events.at(-1)?.headers ?? {};
  t.equal(complete['Application-Response'], 'FILE PLAYED');
  t.equal(complete['variable_playback_ms'], '2048', 'one block was read ahead');
  t.equal(complete['variable_playback_last_offset_pos'], '2400', '300 ms were heard');
  t.equal(events.at(-2)?.headers['Playback-Status'], 'break');
});

t.test(
  'an application that comes during a playback is nested, and the playback goes on',
  async (t) => {
    const { channel, advance, told } = virtualSwitch();
    const leg = channel();
    told();
    leg.run('playback silence_stream://200');
    await advance(100);
    const before = leg.sentPackets();
    leg.run('set greeting=hello');
    t.equal(leg.channel.variables.get('greeting'), 'hello', 'at once, not after the playback');
    leg.run('sleep 1000');
    await advance(1_000);
    t.equal(leg.sentPackets(), before, 'the outer playback is held up');
    await advance(200);
    t.equal(leg.sentPackets(), 10, 'and nothing of it is lost');
    t.same(told(EXECUTES), [
      'CHANNEL_EXECUTE playback',
      'CHANNEL_EXECUTE set',
      'CHANNEL_EXECUTE_COMPLETE set',
      'CHANNEL_EXECUTE sleep',
      'CHANNEL_EXECUTE_COMPLETE sleep',
      'CHANNEL_EXECUTE_COMPLETE playback',
    ]);
  },
);

t.test('event-lock makes applications wait their turn', async (t) => {
  const { channel, advance, told } = virtualSwitch();
  const leg = channel();
  told();
  leg.run('playback silence_stream://100', { eventLock: true });
  leg.run('playback silence_stream://60', { eventLock: true });
  leg.run('set done=true', { eventLock: true });
  await advance(80);
  t.equal(leg.channel.variables.get('done'), undefined);
  await advance(300);
  t.same(told(EXECUTES), [
    'CHANNEL_EXECUTE playback',
    'CHANNEL_EXECUTE_COMPLETE playback',
    'CHANNEL_EXECUTE playback',
    'CHANNEL_EXECUTE_COMPLETE playback',
    'CHANNEL_EXECUTE set',
    'CHANNEL_EXECUTE_COMPLETE set',
  ]);
});

t.test('uuid_break all forgets what is queued; without all the queue goes on', async (t) => {
  for (const [all, expected] of [
    ['', 'yes'],
    [' all', undefined],
  ] as const) {
    const { channel, advance, core } = virtualSwitch();
    const leg = channel();
    leg.run('playback silence_stream://5000', { eventLock: true });
    leg.run('set next=yes');
    await advance(40);
    void runApi(core, `uuid_break ${leg.channel.uuid}${all}`);
    await advance(40);
    t.equal(leg.channel.variables.get('next'), expected, `uuid_break${all}`);
  }
});

t.test(
  'hang-up while playing completes what runs, then the base application, then the call state',
  async (t) => {
    const { channel, advance, told, events, core } = virtualSwitch();
    const leg = channel();
    leg.run('playback silence_stream://5000');
    await advance(100);
    told();
    leg.run('hangup USER_BUSY', { uuid: 'hup' });
    await settled();
    t.same(told(/CHANNEL_(EXECUTE|HANGUP|CALLSTATE|DESTROY)/), [
      'CHANNEL_EXECUTE hangup',
      'CHANNEL_HANGUP',
      'CHANNEL_EXECUTE_COMPLETE hangup',
      'CHANNEL_EXECUTE_COMPLETE playback',
      'CHANNEL_EXECUTE_COMPLETE socket',
      'CHANNEL_CALLSTATE',
      'CHANNEL_HANGUP_COMPLETE',
      'CHANNEL_DESTROY',
    ]);
    t.same(leg.byes, ['USER_BUSY']);
    const playback = events.find(
      ({ headers }) =>
        headers['Event-Name'] === 'CHANNEL_EXECUTE_COMPLETE' &&
        headers['Application'] === 'playback',
    );
    t.equal(playback?.headers['Answer-State'], 'hangup');
    t.equal(playback?.headers['Hangup-Cause'], 'USER_BUSY');
    t.equal(core.channels.size, 0);
    t.equal(core.timers.pending, 0, 'no timer of a dead channel is left');
  },
);

t.test('an unknown application hangs the channel up, as in FreeSWITCH', async (t) => {
  const { channel, told } = virtualSwitch();
  const leg = channel();
  told();
  t.ok(leg.run('no_such_app'), 'the command itself is accepted');
  await settled();
  t.same(leg.byes, ['DESTINATION_OUT_OF_ORDER']);
  t.notOk(
    told(EXECUTES).some((line) => line.includes('no_such_app')),
    'it never started',
  );
});

const responses = [
  { name: 'a missing file', file: '/no/such/file.wav', response: 'FILE NOT FOUND' },
  {
    name: 'a tone script that makes no sense',
    file: 'tone_stream://%(x',
    response: 'FILE NOT FOUND',
  },
  { name: 'a protocol there is no reader for', file: 'shout://host/x', response: 'FILE NOT FOUND' },
  { name: 'speech, with no engine loaded', file: 'say:hello', response: 'FILE PLAYED' },
];
for (const { name, file, response } of responses) {
  t.test(`playback of ${name} ends with ${response}`, async (t) => {
    const { channel, events } = virtualSwitch();
    const leg = channel();
    const ended = (): boolean => events.at(-1)?.name === 'CHANNEL_EXECUTE_COMPLETE';
    leg.run(`playback ${file}`);
    while (!ended()) await settled(); // the file system answers in its own time
    t.equal(events.at(-1)?.headers['Application-Response'], response);
  });
}

t.test('a list is played with a pause between its files, and a time limit cuts it', async (t) => {
  const { channel, advance, told, events } = virtualSwitch();
  const leg = channel();
  leg.run('multiset ^^;playback_delimiter=!;playback_sleep_val=100');
  told();
  leg.run('playback silence_stream://100!silence_stream://60');
  await advance(200);
  t.same(told(/PLAYBACK|COMPLETE/), ['PLAYBACK_START', 'PLAYBACK_STOP']);
  await advance(200);
  t.same(told(/PLAYBACK|COMPLETE/), [
    'PLAYBACK_START',
    'PLAYBACK_STOP',
    'CHANNEL_EXECUTE_COMPLETE playback',
  ]);
  leg.run('set playback_timeout_sec=2');
  leg.run('playback silence_stream://60000');
  await advance(2_100);
  t.equal(events.at(-1)?.headers['Application-Response'], 'PLAYBACK ERROR');
  t.equal(events.at(-1)?.headers['variable_playback_ms'], '2000');
});

const terminators = [
  { name: 'the star by default', set: '', digit: '*', ends: true },
  { name: 'no other digit by default', set: '', digit: '5', ends: false },
  { name: 'any digit if so set', set: 'any', digit: '5', ends: true },
  { name: 'none if so set', set: 'none', digit: '*', ends: false },
];
for (const { name, set, digit, ends } of terminators) {
  t.test(`a playback is ended by ${name}`, async (t) => {
    const { channel, advance, events } = virtualSwitch();
    const leg = channel();
    if (set !== '') leg.run(`set playback_terminators=${set}`);
    leg.run('playback silence_stream://5000');
    await advance(60);
    leg.digit(digit);
    await advance(20);
    const last = events.at(-1);
    t.equal(last?.name === 'CHANNEL_EXECUTE_COMPLETE', ends);
    if (ends) t.equal(last?.headers['variable_playback_terminator_used'], digit);
  });
}

const collecting = [
  {
    name: 'digits up to the greatest number end it',
    arguments: '1 3 1 2000 # silence_stream://100 silence_stream://60 pin \\d+ 1000',
    digits: ['1', '2', '3'],
    expected: { variable_pin: '123', variable_read_result: 'success' },
  },
  {
    name: 'the terminator ends it and is not among the digits',
    arguments: '1 8 1 2000 # silence_stream://100 silence_stream://60 pin \\d+ 1000',
    digits: ['4', '#'],
    expected: { variable_pin: '4', variable_read_terminator_used: '#' },
  },
  {
    name: 'digits that do not match go to _invalid',
    arguments: '1 2 1 2000 # silence_stream://100 silence_stream://60 pin ^[1-3]+$ 1000',
    digits: ['7', '7'],
    expected: { variable_pin: undefined, variable_pin_invalid: '77' },
  },
  {
    name: 'no digits in time leave the variable unset',
    arguments: '1 2 1 2000 # silence_stream://100 silence_stream://60 pin \\d+ 1000',
    digits: [],
    expected: { variable_pin: undefined, variable_read_result: 'failure' },
  },
  {
    name: 'fewer than the greatest number are taken when the next digit stays away',
    arguments: '1 4 1 2000 # silence_stream://100 silence_stream://60 pin \\d+ 1000',
    digits: ['9', '8'],
    expected: { variable_pin: '98' },
  },
];
for (const { name, arguments: words, digits, expected } of collecting) {
  t.test(`play_and_get_digits: ${name}`, async (t) => {
    const { channel, advance, events } = virtualSwitch();
    const leg = channel();
    leg.run(`play_and_get_digits ${words}`);
    await advance(40);
    for (const digit of digits) {
      leg.digit(digit);
      await advance(20);
    }
    await advance(4_000);
    const complete = events.at(-1);
    t.equal(complete?.name, 'CHANNEL_EXECUTE_COMPLETE');
    for (const [header, value] of Object.entries(expected)) {
      t.equal(complete?.headers[header], value, header);
    }
  });
}

t.test(
  'digits pressed during the prompt interrupt it; digits pressed while parked are forgotten',
  async (t) => {
    const { channel, advance, events } = virtualSwitch();
    const leg = channel();
    leg.digit('9');
    leg.run(
      'play_and_get_digits 2 2 1 2000 # silence_stream://60000 silence_stream://60 pin \\d+ 1000',
    );
    await advance(40);
    leg.digit('1');
    await advance(40);
    t.equal(events.at(-2)?.name, 'DTMF');
    t.equal(events.at(-1)?.name, 'PLAYBACK_STOP', 'the first digit ends the prompt');
    leg.digit('2');
    await advance(40);
    t.equal(events.at(-1)?.headers['variable_pin'], '12');
  },
);

t.test('a bridge takes both legs out of what they do, and unbridge parks them', async (t) => {
  const { channel, advance, told, core, events } = virtualSwitch();
  const [a, b] = [channel(), channel()];
  a.run('playback silence_stream://5000');
  await advance(40);
  told();
  t.equal(
    runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`),
    `+OK ${b.channel.uuid}\n`,
  );
  await advance(40);
  const order = told(/EXECUTE|BRIDGE/);
  t.same(order.slice(-3), [
    'CHANNEL_EXECUTE uuid_bridge',
    'CHANNEL_EXECUTE uuid_bridge',
    'CHANNEL_BRIDGE',
  ]);
  t.same(order.slice(0, -3).sort(), [
    'CHANNEL_EXECUTE_COMPLETE playback',
    'CHANNEL_EXECUTE_COMPLETE socket',
    'CHANNEL_EXECUTE_COMPLETE socket',
  ]);
  t.ok(a.sentPackets() > 0 && b.sentPackets() > 0, 'each far end gets a stream');
  t.equal(runApi(core, 'show calls count'), '\n1 total.\n');
  t.equal(runApi(core, `uuid_transfer ${a.channel.uuid} -both park inline`), '+OK\n');
  await settled();
  t.same(told(/EXECUTE|CALLSTATE|PARK/).sort(), [
    'CHANNEL_CALLSTATE',
    'CHANNEL_CALLSTATE',
    'CHANNEL_CALLSTATE',
    'CHANNEL_CALLSTATE',
    'CHANNEL_EXECUTE park',
    'CHANNEL_EXECUTE park',
    'CHANNEL_PARK',
    'CHANNEL_PARK',
  ]);
  t.same([a.byes, b.byes], [[], []]);
  a.run('set still=here');
  t.equal(a.channel.variables.get('still'), 'here', 'a parked leg takes commands again');
  const states = events.filter(({ name }) => name === 'CHANNEL_CALLSTATE').slice(-4);
  t.same(
    states.map(({ headers }) => headers['Channel-Call-State']),
    ['RINGING', 'ACTIVE', 'RINGING', 'ACTIVE'],
  );
});

const afterBridge = [
  { name: 'is hung up by default', variable: '', byes: ['NORMAL_CLEARING'] },
  { name: 'stays parked with park_after_bridge', variable: 'park_after_bridge=true', byes: [] },
  {
    name: 'is hung up with park_after_bridge=false',
    variable: 'park_after_bridge=false',
    byes: ['NORMAL_CLEARING'],
  },
  {
    name: 'gets the cause with hangup_after_bridge',
    variable: 'hangup_after_bridge=true',
    byes: ['USER_BUSY'],
  },
  {
    name: 'follows transfer_after_bridge',
    variable: 'transfer_after_bridge=park:inline',
    byes: [],
  },
];
for (const { name, variable, byes } of afterBridge) {
  t.test(`when the other leg hangs up, a leg ${name}`, async (t) => {
    const { channel, advance, core } = virtualSwitch();
    const [a, b] = [channel(), channel()];
    if (variable !== '') a.run(`set ${variable}`);
    void runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`);
    await advance(40);
    b.channel.hangUp('USER_BUSY', true);
    await advance(20);
    t.same(a.byes, byes);
    t.equal(core.channels.size, byes.length === 0 ? 1 : 0);
    if (byes.length === 0) {
      t.equal(a.channel.variables.get('bridge_hangup_cause'), 'USER_BUSY');
      a.run('set alive=yes');
      t.equal(a.channel.variables.get('alive'), 'yes');
    }
  });
}

t.test('transferring one leg out of a bridge leaves the other to its own rule', async (t) => {
  const { channel, advance, core } = virtualSwitch();
  const [a, b] = [channel(), channel()];
  void runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`);
  await advance(20);
  void runApi(core, `uuid_transfer ${a.channel.uuid} park inline`);
  await advance(20);
  t.same(a.byes, []);
  t.same(b.byes, ['NORMAL_CLEARING']);
});

t.test('an application on a bridged leg holds the bridge up only while it runs', async (t) => {
  const { channel, advance, core } = virtualSwitch();
  const [a, b] = [channel(), channel()];
  void runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`);
  await advance(100);
  const before = b.sentPackets();
  a.run('playback silence_stream://200');
  await advance(100);
  t.equal(b.sentPackets(), before, 'the other leg hears nothing meanwhile');
  await advance(300);
  t.ok(b.sentPackets() > before, 'then the bridge goes on');
});

t.test('an inline plan runs step by step and then hangs up', async (t) => {
  const { channel, advance, told, core } = virtualSwitch();
  const leg = channel();
  told();
  const plan = 'set:a=1,playback:silence_stream://100,set:b=2';
  t.equal(runApi(core, `uuid_transfer ${leg.channel.uuid} '${plan}' inline`), '+OK\n');
  await advance(60);
  t.equal(leg.channel.variables.get('a'), '1');
  t.equal(leg.channel.variables.get('b'), undefined);
  await advance(100);
  t.equal(leg.channel.variables.get('b'), '2');
  t.same(leg.byes, ['NORMAL_CLEARING']);
  const other = channel();
  void runApi(core, `uuid_transfer ${other.channel.uuid} 1000 XML default`);
  t.same(other.byes, ['NO_ROUTE_DESTINATION'], 'there is no other dial plan to enter');
});

t.test('sched_hangup ends a call by itself, and a dead channel leaves no timer', async (t) => {
  const { channel, advance, core } = virtualSwitch();
  const [leg, gone] = [channel(), channel()];
  t.equal(runApi(core, `sched_hangup +30 ${leg.channel.uuid} ALLOTTED_TIMEOUT`), '+OK\n');
  void runApi(core, `sched_hangup +30 ${gone.channel.uuid}`);
  gone.channel.hangUp('NORMAL_CLEARING');
  await advance(29_980);
  t.same(leg.byes, []);
  await advance(20);
  t.same(leg.byes, ['ALLOTTED_TIMEOUT']);
  t.same(gone.byes, ['NORMAL_CLEARING']);
  t.equal(core.timers.pending, 0);
});

t.test(
  'a channel whose socket closed is hung up when parked, but a bridge goes on without it',
  async (t) => {
    const { channel, advance, core } = virtualSwitch();
    const [alone, a, b] = [channel(), channel(), channel()];
    alone.run('playback silence_stream://100');
    alone.channel.abandon();
    await advance(60);
    t.same(alone.byes, [], 'what plays is heard to its end');
    await advance(100);
    t.same(alone.byes, ['NORMAL_CLEARING']);
    void runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`);
    await advance(20);
    a.channel.abandon();
    await advance(100);
    t.same([a.byes, b.byes], [[], []]);
  },
);

t.test('a flood of locked commands is refused when the queue is full', async (t) => {
  const { channel } = virtualSwitch();
  const leg = channel();
  leg.run('playback silence_stream://-1', { eventLock: true });
  const accepted = Array.from({ length: 1_000 }, () => leg.run('set a=b')).filter(Boolean);
  t.equal(accepted.length, 128);
});

t.test('muting what a leg says silences it for the other leg only', async (t) => {
  const { channel, advance, core } = virtualSwitch();
  const [a, b] = [channel(), channel()];
  void runApi(core, `uuid_bridge ${a.channel.uuid} ${b.channel.uuid}`);
  await advance(20);
  const heard: number[] = [];
  b.channel.media.session.onSentFrame = (pcm) => heard.push(Math.max(...pcm));
  const speak = (): void => {
    const loud = new Int16Array(160).fill(1_000);
    a.channel.media.session.peer?.frame(loud, 'audio');
  };
  speak();
  await advance(20);
  t.ok(heard.some((level) => level > 900));
  a.run('set_mute read true');
  heard.length = 0;
  speak();
  await advance(40);
  t.ok(heard.length > 0 && heard.every((level) => level === 0));
});
