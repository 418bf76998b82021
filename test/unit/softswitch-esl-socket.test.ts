/** Goal: event sockets over real connections: who is let in, what is answered, and that no client can do harm. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { InboundServer } from '../../softswitch/esl/inbound-server.ts';
import { startHeartbeat } from '../../softswitch/esl/heartbeat.ts';
import { dialController } from '../../softswitch/esl/outbound-socket.ts';
import { settled, virtualSwitch, type VirtualSwitch } from '../support/virtual-channel.ts';

const PASSWORD = 'let-me-in';

interface Client {
  readonly socket: Socket;
  /** Everything received so far. */
  readonly text: () => string;
  /** Resolves when `pattern` is in what came after the last match. */
  readonly until: (pattern: RegExp) => Promise<string>;
  readonly ask: (command: string, pattern: RegExp) => Promise<string>;
  readonly closed: Promise<void>;
}

function clientOf(socket: Socket): Client {
  let text = '';
  let seen = 0;
  const more = new Set<() => void>();
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (const check of [...more]) check();
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => undefined);
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(text.slice(seen));
        if (match === null) return;
        more.delete(check);
        seen += match.index + match[0].length;
        resolve(match[0]);
      };
      more.add(check);
      void closed.then(() => reject(new Error(`closed before ${String(pattern)}: ${text}`)));
      check();
    });
  const ask = (command: string, pattern: RegExp): Promise<string> => {
    socket.write(`${command}\n\n`);
    return until(pattern);
  };
  return { socket, text: () => text, until, ask, closed };
}

interface Bench extends VirtualSwitch {
  readonly connect: () => Promise<Client>;
  /** Connected and let in. */
  readonly login: () => Promise<Client>;
  readonly server: InboundServer;
}

async function bench(t: Test): Promise<Bench> {
  const virtual = virtualSwitch();
  const { core } = virtual;
  const server = await InboundServer.listen({
    core,
    host: '127.0.0.1',
    port: 0,
    password: PASSWORD,
  });
  const clients: Socket[] = [];
  t.teardown(async () => {
    for (const socket of clients) socket.destroy();
    await server.close();
  });
  const open = async (): Promise<Client> => {
    const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
    clients.push(socket);
    const client = clientOf(socket);
    await client.until(/auth\/request\n\n/);
    return client;
  };
  const login = async (): Promise<Client> => {
    const client = await open();
    await client.ask(`auth ${PASSWORD}`, /\+OK accepted\n\n/);
    return client;
  };
  return { ...virtual, connect: open, login, server };
}

t.test('the right password is accepted; a wrong one is told so and cut off', async (t) => {
  const { connect } = await bench(t);
  const good = await connect();
  t.equal(
    await good.ask(`auth ${PASSWORD}`, /Content-Type[\s\S]*\n\n/),
    'Content-Type: command/reply\nReply-Text: +OK accepted\n\n',
  );
  const bad = await connect();
  t.equal(
    await bad.ask('auth ClueCon', /Content-Type[\s\S]*?\n\n/),
    'Content-Type: command/reply\nReply-Text: -ERR invalid\n\n',
  );
  await bad.closed;
  t.match(bad.text(), /text\/disconnect-notice[\s\S]*Disconnected, goodbye/);
});

t.test('there is no switch without a password', async (t) => {
  const { core } = virtualSwitch();
  await t.rejects(
    InboundServer.listen({ core, host: '127.0.0.1', port: 0, password: '' }),
    /password/,
  );
});

t.test('before the password nothing else is done, and silence is cut off after 25 s', async (t) => {
  const { connect, timers } = await bench(t);
  const client = await connect();
  await client.ask('api status', /-ERR command not found/);
  await client.ask('event plain ALL', /-ERR command not found/);
  timers.advance(25_000);
  await client.closed;
  t.match(client.text(), /disconnect-notice/);
});

const commands = [
  { given: 'no_such_command', answer: 'Reply-Text: -ERR command not found\n\n' },
  { given: 'connect', answer: 'Reply-Text: -ERR command not found\n\n' },
  { given: 'api no_such_api with words', answer: '\n\n-ERR no_such_api Command not found!\n' },
  { given: 'api fsctl shutdown', answer: '\n\n-ERR fsctl Command not found!\n' },
  { given: 'api uuid_kill 0000', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_bridge 0000 1111', answer: '\n\n-ERR Invalid uuid\n' },
  { given: 'api uuid_bridge 0000', answer: '\n\n-USAGE: <uuid> <other_uuid>\n' },
  { given: 'api uuid_transfer 0000 park inline', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_break 0000', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_dump 0000', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_set_media_stats 0000', answer: '\n\n-ERR No such channel 0000!\n' },
  { given: 'api uuid_setvar 0000 a b', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_getvar 0000 a', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_send_dtmf 0000 1', answer: '\n\n-ERR Cannot locate session!\n' },
  { given: 'api uuid_park 0000', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api uuid_exists 0000', answer: '\n\nfalse' },
  { given: 'api sched_hangup +30 0000', answer: '\n\n-ERR No such channel!\n' },
  { given: 'api sched_hangup', answer: '\n\n-USAGE: [+]<time> <uuid> [<cause>]\n' },
  { given: 'api show channels count', answer: '\n\n\n0 total.\n' },
  { given: 'api show channels as json', answer: '\n\n{"row_count":0}' },
  { given: 'api version short', answer: '\n\n1.10.12\n' },
  { given: 'api global_getvar local_ip_v4', answer: '\n\n127.0.0.1' },
  { given: 'api sofia status', answer: 'drachtio_mrf\tprofile' },
  { given: 'sendmsg 0000\ncall-command: execute', answer: '-ERR invalid session id [0000]\n\n' },
  { given: 'linger', answer: '-ERR not controlling a session\n\n' },
  { given: 'nolog', answer: '-ERR not loging\n\n' },
  { given: 'log debug', answer: '+OK log level debug [7]\n\n' },
  { given: 'log chatty', answer: '-ERR invalid log level\n\n' },
  { given: 'nolog', answer: '+OK no longer logging\n\n' },
  { given: 'noevents', answer: '-ERR not listening for events\n\n' },
  { given: 'filter Unique-ID', answer: '-ERR invalid syntax\n\n' },
  { given: 'event json HEARTBEAT', answer: '+OK event listener enabled json\n\n' },
];
t.test('each command gets the answer FreeSWITCH gives', async (t) => {
  const { login } = await bench(t);
  const client = await login();
  for (const { given, answer } of commands) {
    const escaped = answer.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    t.ok(await client.ask(given, new RegExp(escaped)), given);
  }
  client.socket.write('exit\n\n');
  await client.closed;
  t.match(client.text(), /\+OK bye\n\n[\s\S]*Disconnected, goodbye/);
});

t.test('sofia status shows the line drachtio-fsmrf looks for', async (t) => {
  const { login, core } = await bench(t);
  core.profileAddress = 'sip:mod_sofia@127.0.0.1:5080';
  const client = await login();
  const answer = await client.ask('api sofia status', /Name[\s\S]*1 profile 0 aliases\n/);
  // The expression of drachtio-fsmrf 4.1.2, mediaserver.js.
  const found = /^\s*drachtio_mrf\s.*sip:mod_sofia@((?:[0-9]{1,3}\.){3}[0-9]{1,3}:\d+)/m.exec(
    answer,
  );
  t.equal(found?.[1], '127.0.0.1:5080');
});

t.test('bgapi answers with the job at once, and its result is an event', async (t) => {
  const { login } = await bench(t);
  const client = await login();
  await client.ask('event json BACKGROUND_JOB', /\+OK event listener/);
  await client.ask(
    'bgapi version short\nJob-UUID: job-7',
    /\+OK Job-UUID: job-7\nJob-UUID: job-7\n\n/,
  );
  const event = await client.until(/\{"Event-Name".*\}/);
  t.match(JSON.parse(event), {
    'Event-Name': 'BACKGROUND_JOB',
    'Job-UUID': 'job-7',
    'Job-Command': 'version',
    'Job-Command-Arg': 'short',
    _body: '1.10.12\n',
  });
});

t.test('a heartbeat comes every 20 s with the fields drachtio-fsmrf reads', async (t) => {
  const { login, core, timers } = await bench(t);
  startHeartbeat(core);
  const client = await login();
  await client.ask('event json HEARTBEAT', /\+OK event listener/);
  for (let beat = 0; beat < 2; beat += 1) {
    timers.advance(20_000);
    const heartbeat = JSON.parse(await client.until(/\{"Event-Name".*\}/)) as Record<
      string,
      string
    >;
    t.match(heartbeat, {
      'Session-Count': /^\d+$/,
      'Max-Sessions': '100',
      'Session-Per-Sec': /^\d+$/,
      'Idle-CPU': /^\d+\.\d+$/,
      'FreeSWITCH-Version': /^1\.10/,
      'FreeSWITCH-IPv4': '127.0.0.1',
      'FreeSWITCH-Hostname': /./,
    });
  }
});

t.test('commands on a channel come from any socket that knows its uuid', async (t) => {
  const { login, channel, core } = await bench(t);
  const leg = channel();
  const { uuid } = leg.channel;
  const client = await login();
  await client.ask('event plain CHANNEL_EXECUTE_COMPLETE', /\+OK/);
  client.socket.write(
    `sendmsg ${uuid}\ncall-command: execute\nexecute-app-name: set\nexecute-app-arg: a=b c\nEvent-UUID: e1\n\n`,
  );
  await client.until(/\+OK\n\n/);
  await client.until(/Application-UUID: e1\n/);
  await client.ask(`api uuid_getvar ${uuid} a`, /b c/);
  await client.ask(`api uuid_setvar_multi ${uuid} x=1;y=2`, /\+OK\n/);
  const dump = JSON.parse(await client.ask(`api uuid_dump ${uuid} json`, /\{.*\}/)) as Record<
    string,
    string
  >;
  t.match(dump, {
    'Unique-ID': uuid,
    variable_x: '1',
    variable_y: '2',
    'Answer-State': 'answered',
  });
  await client.ask(`api uuid_exists ${uuid}`, /true/);
  await client.ask('api show channels count', /\n1 total\.\n/);
  await client.ask(`api uuid_kill ${uuid} CALL_REJECTED`, /\+OK\n/);
  await settled();
  t.same(leg.byes, ['CALL_REJECTED']);
  t.equal(core.channels.size, 0);
  const other = channel();
  await client.ask(
    `sendmsg ${other.channel.uuid}\ncall-command: hangup\nhangup-cause: USER_BUSY`,
    /\+OK\n\n/,
  );
  t.same(other.byes, ['USER_BUSY']);
});

async function controllerOf(t: Test): Promise<{ port: number; accept: () => Promise<Client> }> {
  const waiting: ((socket: Socket) => void)[] = [];
  const arrived: Socket[] = [];
  const server: Server = createServer((socket) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(socket);
    else next(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    accept: async () => {
      const socket =
        arrived.shift() ?? (await new Promise<Socket>((resolve) => waiting.push(resolve)));
      t.teardown(() => socket.destroy());
      return clientOf(socket);
    },
  };
}

t.test('an outbound socket is told its channel, controls it, and hears its end', async (t) => {
  const { channel } = virtualSwitch();
  const leg = channel();
  const controller = await controllerOf(t);
  dialController(leg.channel, `127.0.0.1:${controller.port}`);
  const client = await controller.accept();
  const data = await client.ask('connect', /[\s\S]*Control: full\n\n/);
  t.match(data, /^Event-Name: CHANNEL_DATA\n|\nEvent-Name: CHANNEL_DATA\n/);
  for (const header of [
    `Channel-Unique-ID: ${leg.channel.uuid}`,
    `Unique-ID: ${leg.channel.uuid}`,
    'Content-Type: command/reply',
    'Reply-Text: %2BOK%0A',
    'Socket-Mode: async',
  ]) {
    t.ok(data.split('\n').includes(header), header);
  }
  await client.ask('event json CHANNEL_CALLSTATE CHANNEL_EXECUTE_COMPLETE', /\+OK event listener/);
  await client.ask(`filter Unique-ID ${leg.channel.uuid}`, /\+OK filter added/);
  await client.ask('getvar endpoint_disposition', /Reply-Text: ANSWER\n/);
  await client.ask(
    'sendmsg\ncall-command: execute\nexecute-app-name: hangup',
    /Reply-Text: \+OK\n/,
  );
  await client.until(/"Application":"hangup"/);
  await client.until(/"Channel-Call-State":"HANGUP"/);
  await client.until(/text\/disconnect-notice\nControlled-Session-UUID: /);
  await client.closed;
  t.pass();
});

t.test(
  'linger keeps an outbound socket open after its channel for as long as it asked',
  async (t) => {
    const { channel, timers } = virtualSwitch();
    const leg = channel();
    const controller = await controllerOf(t);
    dialController(leg.channel, `127.0.0.1:${controller.port}`);
    const client = await controller.accept();
    await client.ask('connect', /Control: full\n\n/);
    await client.ask('linger 30', /\+OK will linger 30 seconds\n/);
    leg.channel.hangUp('NORMAL_CLEARING');
    await client.until(/Content-Disposition: linger\n[\s\S]*Linger-Time: 30\n/);
    await client.ask('api version short', /1\.10/);
    timers.advance(30_000);
    await client.closed;
    t.match(client.text(), /Content-Disposition: disconnect/);
  },
);

t.test('a controller that goes away, or never was there, costs the call', async (t) => {
  const { channel } = virtualSwitch();
  const [left, never, malformed] = [channel(), channel(), channel()];
  const controller = await controllerOf(t);
  dialController(left.channel, `127.0.0.1:${controller.port}`);
  const client = await controller.accept();
  await client.ask('connect', /Control: full\n\n/);
  const hungUp = (leg: typeof left): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (leg.channel.isDown) resolve();
        else setImmediate(check);
      };
      check();
    });
  client.socket.destroy();
  await hungUp(left);
  t.same(left.byes, ['NORMAL_CLEARING']);
  dialController(never.channel, '127.0.0.1:1');
  dialController(malformed.channel, '127.0.0.1:99999');
  await Promise.all([hungUp(never), hungUp(malformed)]);
  t.same([never.byes, malformed.byes], [['NORMAL_CLEARING'], ['NORMAL_CLEARING']]);
});

t.test('the second of two controllers is dialled when the first is not there', async (t) => {
  const { channel } = virtualSwitch();
  const leg = channel();
  const controller = await controllerOf(t);
  dialController(leg.channel, `127.0.0.1:1|127.0.0.1:${controller.port}`);
  const client = await controller.accept();
  t.ok(await client.ask('connect', /Control: full\n\n/));
});

t.test('a client that does not read is cut off before its backlog fills the memory', async (t) => {
  const { login, core, server } = await bench(t);
  const stuck = await login();
  await stuck.ask('event plain CUSTOM a::b', /\+OK/);
  stuck.socket.pause();
  const filler = 'x'.repeat(64 * 1024);
  for (let fired = 0; server.connections > 0; fired += 1) {
    if (fired > 20_000) break;
    core.bus.fire({
      name: 'CUSTOM',
      subclass: 'a::b',
      fill: (headers) => (headers['Filler'] = filler),
    });
    await settled();
  }
  t.equal(server.connections, 0);
});

t.test('no garbage after the login brings the server down (property)', async (t) => {
  const { login } = await bench(t);
  const verbs = fc.constantFrom(
    'sendmsg',
    'api',
    'bgapi',
    'event',
    'filter',
    'nixevent',
    'log',
    'linger',
    'myevents',
    'sendevent',
    'divert_events',
    'connect',
    'api uuid_dump',
    'api uuid_transfer',
    'api sched_hangup',
    'api show',
  );
  const words = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 4 });
  const lines = fc.array(fc.tuple(verbs, words), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(lines, async (commandLines) => {
      const client = await login();
      for (const [verb, rest] of commandLines) client.socket.write(`${verb} ${rest.join(' ')}\n\n`);
      client.socket.write('\n\nexit\n\n');
      await client.closed;
      (await login()).socket.destroy();
      return true;
    }),
    { numRuns: 15 },
  );
  t.pass();
});
