import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import t from 'tap';
import { RulePacks, SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { ConfigError } from '../../config/config-error.ts';
import { dialableTrunks } from '../../config/dialable-trunks.ts';
import { CONFIG_DOCUMENT, configDocument } from '../../config/document-config.ts';
import { checkConfig, loadConfig } from '../../config/load-config.ts';
import { RingfenceConfig } from '../../config/ringfence.schema.ts';
import { entriesOf, schemaNode } from '../../config/schema-node.ts';
import { isLoopback, readTrunkAddress, trunkAddressText } from '../../config/trunk-address.ts';

const EXAMPLE = new URL('../../config/ringfence.example.yaml', import.meta.url).pathname;

function faultsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    checkConfig('r.yaml', text, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

const TRUNK = `gateway:
  trunks:
    - name: a
      address: sip:127.0.0.1:5070
      callerId: '+12025550100'
`;

t.test('No file at all gives the defaults, frozen to the bottom', (t) => {
  const { config, warnings } = loadConfig(undefined, {});
  t.equal(config.gateway.embedded, true);
  t.equal(config.dialing.ringTimeoutMs, 30_000);
  t.same(config.gateway.trunks, []);
  t.same(warnings, []);
  t.throws(() => {
    (config.gateway.drachtio as { port: number }).port = 1;
  }, TypeError);
  t.throws(() => {
    config.softswitch.sipProtocols.push('udp');
  }, TypeError);
  t.end();
});

t.test('Two loads never share a default list', (t) => {
  const first = loadConfig(undefined, {}).config;
  const second = loadConfig(undefined, {}).config;
  t.not(first.softswitch.sipProtocols, second.softswitch.sipProtocols);
  t.end();
});

t.test('The shipped example loads and keeps its quoted number', (t) => {
  const { config } = loadConfig(EXAMPLE, {});
  t.equal(config.gateway.trunks[0]?.callerId, '+12025550100');
  t.same(config.gateway.trunks[0]?.codecs, ['PCMU', 'PCMA'], 'defaults reach into lists');
  t.end();
});

t.test('A section whose lines are all commented out is a section of defaults', (t) => {
  const { config } = checkConfig('r.yaml', 'gateway:\n  trunks:\nlog:\n', {});
  t.same(config.gateway.trunks, []);
  t.equal(config.log.level, 'warn');
  t.end();
});

const faults: { name: string; given: string; env?: Record<string, string>; expected: string[] }[] =
  [
    {
      name: 'A mistyped key is one fault with the key that was meant',
      given: 'gateway:\n  trunks:\n    - name: a\n      adress: sip:h\n      callerId: "1"\n',
      expected: ['r.yaml:4:7: gateway.trunks[0].adress: is not a setting; did you mean address?'],
    },
    {
      name: 'A key that resembles nothing lists what is known there',
      given: 'log:\n  zebra: 1\n',
      expected: ['r.yaml:2:3: log.zebra: is not a setting; known here: level'],
    },
    {
      name: 'An unquoted number with a leading zero is shown as it was typed',
      given: TRUNK.replace("'+12025550100'", '0123'),
      expected: [
        "r.yaml:5:17: gateway.trunks[0].callerId: is the number 123, not text; quote it: '0123' (unquoted it is no text, and leading zeros are lost)",
      ],
    },
    {
      name: 'Text where a number belongs names line, column, bounds and unit',
      given: 'dialing:\n  # comment\n  ringTimeoutMs: 20s\n',
      expected: [
        "r.yaml:3:18: dialing.ringTimeoutMs: is the text '20s', not a whole number; write a whole number from 15000 to 120000 (milliseconds)",
      ],
    },
    {
      name: 'A quoted number is told to lose its quotes',
      given: 'gateway:\n  endpointsMax: "30"\n',
      expected: [
        "r.yaml:2:17: gateway.endpointsMax: is the text '30', not a whole number; write a whole number from 1 to 10000, without quotes",
      ],
    },
    {
      name: 'Webhooks and a dialer elsewhere are where they may be, and have names and a key',
      given: [
        'journeys:',
        '  dialerUrl: http://dialer.example.com',
        '  webhooks:',
        '    - { name: mail, url: "http://127.0.0.1:9/", secret: "0123456789abcdef0123456789abcdef" }',
        '    - { name: mail, url: "http://mail.example.com/", secret: "0123456789abcdef0123456789abcdef" }',
        '',
      ].join('\n'),
      expected: [
        'r.yaml:2:3: journeys.dialerKey: is empty, but the dialer elsewhere wants a key; make a key of the role deliver there, and write it here',
        'r.yaml:2:14: journeys.dialerUrl: is not encrypted; write https, or an address of this machine',
        'r.yaml:4:26: journeys.webhooks[0].url: is on this machine; set journeys.webhooksOnLoopback to allow it',
        'r.yaml:5:15: journeys.webhooks[1].name: is mail, as that of a webhook before it; give each webhook a name of its own',
        'r.yaml:5:26: journeys.webhooks[1].url: is not encrypted; write https, or set journeys.webhooksAllowInsecure',
      ],
    },
    {
      name: 'A yes is not a boolean',
      given: 'gateway:\n  embedded: yes\n',
      expected: [
        "r.yaml:2:13: gateway.embedded: is the text 'yes', not true or false; write true or false",
      ],
    },
    {
      name: 'A ring time-out below the legal 15 s is out of bounds',
      given: 'dialing:\n  ringTimeoutMs: 14999\n',
      expected: [
        'r.yaml:2:18: dialing.ringTimeoutMs: is the number 14999, out of bounds; write a whole number from 15000 to 120000 (milliseconds)',
      ],
    },
    {
      name: 'A list where a section belongs',
      given: 'gateway: [1]\n',
      expected: [
        'r.yaml:1:10: gateway: is a list, not a section of `key: value` lines; write a section of `key: value` lines',
      ],
    },
    {
      name: 'Missing entries are reported where their holder begins, with an example',
      given: 'gateway:\n  trunks:\n    - address: sip:h\n      callerId: "1"\n',
      expected: [
        'r.yaml:3:7: gateway.trunks[0].name: is missing; add it, for example name: carrier-a',
      ],
    },
    {
      name: 'Two trunks of one name',
      given: `${TRUNK}    - name: a\n      address: sip:h\n      callerId: '1'\n`,
      expected: [
        "r.yaml:6:13: gateway.trunks[1].name: is 'a', which names trunks[0] already; give each trunk its own name",
      ],
    },
    {
      name: 'Broken YAML is reported at its line',
      given: 'log:\n  level: info\ngateway: a: b\n',
      expected: [
        'r.yaml:3:10: is not valid YAML: Nested mappings are not allowed in compact mappings; correct the line, or the one before it',
      ],
    },
    {
      name: 'An open quote is reported where it was opened, not at the end of the file',
      given: 'log:\n  level: "info\n\n\n',
      expected: [
        'r.yaml:2:10: is not valid YAML: Missing closing "quote; close the quote or the bracket that was opened',
      ],
    },
    {
      name: 'A key written twice',
      given: 'log:\n  level: info\n  level: warn\n',
      expected: [
        'r.yaml:3:3: is not valid YAML: Map keys must be unique; keep one of the two lines',
      ],
    },
    {
      name: 'A value of the environment is reported under the name of its variable',
      given: '',
      env: { RINGFENCE_GATEWAY_ENDPOINTS_MAX: 'many' },
      expected: [
        "environment:RINGFENCE_GATEWAY_ENDPOINTS_MAX: gateway.endpointsMax: is the text 'many', not a whole number; write a whole number from 1 to 10000",
      ],
    },
    {
      name: 'All faults come together, in the order of the file',
      given: 'log:\n  level: loud\n  levell: 1\ndialing:\n  setupTimeoutMs: -1\n',
      expected: [
        "r.yaml:2:10: log.level: is the text 'loud', not one of those known; write one of fatal, error, warn, info, debug, trace, silent",
        'r.yaml:3:3: log.levell: is not a setting; did you mean level?',
        'r.yaml:5:19: dialing.setupTimeoutMs: is the number -1, out of bounds; write a whole number from 1000 to 180000 (milliseconds)',
      ],
    },
    {
      name: 'An outside server without a secret',
      given: 'gateway:\n  embedded: false\n  drachtio:\n    secret: long and own\n',
      expected: [
        'r.yaml:2:3: gateway.freeswitch.password: is empty, and an outside server is used; give the secret that the server is set to, or set gateway.embedded: true',
      ],
    },
    {
      name: 'Limits that contradict each other',
      given: 'softswitch:\n  rtpPortMin: 30000\n  rtpPortMax: 20000\n',
      expected: [
        'r.yaml:2:15: softswitch.rtpPortMin: is 30000, beyond rtpPortMax, which is 20000; lower the one or raise the other',
      ],
    },
    {
      name: 'TLS without a certificate',
      given: 'softswitch:\n  sipProtocols: [udp, tls]\n  tlsCertificateFile: a.pem\n',
      expected: [
        'r.yaml:2:3: softswitch.tlsKeyFile: is empty, and softswitch.sipProtocols names tls; give a PEM file, or take tls out of sipProtocols',
      ],
    },
    {
      name: 'A trunk over TLS, and a switch that does not speak it',
      given: TRUNK.replace(':5070', ':5061;transport=tls'),
      expected: [
        'r.yaml:4:16: gateway.trunks[0].address: wants TLS, which the embedded switch does not speak as it is set up; add tls to softswitch.sipProtocols, with a certificate and its key',
      ],
    },
    {
      name: 'A trunk address with a port beyond 65535',
      given: TRUNK.replace(':5070', ':99999'),
      expected: [
        "r.yaml:4:16: gateway.trunks[0].address: cannot be used: '99999' is not a port (1 to 65535); write it like sip:198.51.100.7:5060;transport=udp",
      ],
    },
  ];

for (const { name, given, env, expected } of faults) {
  t.test(name, (t) => {
    t.same(faultsOf(given, env), expected);
    t.end();
  });
}

t.test('DNS servers are addresses: nobody could look up a name', (t) => {
  const faultOf = (server: string) => faultsOf(`softswitch:\n  dnsServers: ["${server}"]\n`);
  for (const server of ['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]:53']) {
    t.same(faultOf(server), [], server);
  }
  t.match(faultOf('dns.example'), [/^r\.yaml:2:16: softswitch\.dnsServers\[0\]: /]);
  t.end();
});

t.test('More faults than a validator reports by default are all reported', (t) => {
  const keys = Array.from({ length: 40 }, (_, index) => `  unknown${String(index)}xyz: 1`);
  t.equal(faultsOf(`gateway:\n${keys.join('\n')}\n`).length, 40);
  t.end();
});

t.test('Secrets that everybody knows are refused and never repeated in the message', (t) => {
  for (const secret of ['cymru', 'ClueCon', 'changeme', 'CHANGEME', 'password']) {
    const text = `gateway:\n  drachtio:\n    secret: ${secret}\n`;
    const [line = ''] = faultsOf(text);
    t.match(line, /^r\.yaml:3:13: gateway\.drachtio\.secret: is a default that everybody knows/);
    t.notMatch(line, secret);
  }
  const [line = ''] = faultsOf('gateway:\n  freeswitch:\n    password: 4711\n');
  t.match(line, /freeswitch\.password: is a number, not text; quote it: '\.\.\.'/);
  t.end();
});

t.test('HTTP beyond loopback needs TLS, or a word that says that a proxy has it', (t) => {
  const http = (lines: string) => faultsOf(`http:\n${lines.replaceAll(/^/gm, '  ')}\n`);
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'example.org']) {
    t.match(http(`host: '${host}'`), [/http\.host: is .*, beyond loopback, without TLS/], host);
    t.same(http(`host: '${host}'\nallowInsecure: true`), []);
    t.same(http(`host: '${host}'\ntlsCertificateFile: c.pem\ntlsKeyFile: k.pem`), []);
  }
  for (const host of ['127.0.0.1', '::1', 'localhost']) t.same(http(`host: '${host}'`), [], host);
  t.match(http('tlsKeyFile: k.pem'), [/http\.tlsKeyFile: stands alone/]);
  t.match(http('adminKey: changeme'), [/adminKey: is .* not written as it must be/]);
  t.notMatch(http('adminKey: too-short-for-a-key').join(), 'too-short');
  t.same(http(`adminKey: ${'k'.repeat(32)}`), []);
  t.end();
});

t.test('An empty password of a trunk that authenticates is refused', (t) => {
  t.match(faultsOf(`${TRUNK}      username: u\n      password: ''\n`)[0], /password: is empty/);
  t.match(faultsOf(`${TRUNK}      username: u\n`)[0], /username: stands without a password/);
  t.end();
});

t.test('The environment overrides the file, and an explicit 0 is a value', (t) => {
  const { config } = checkConfig('r.yaml', `${TRUNK}      channelsMax: 5\n`, {
    RINGFENCE_TRUNK_A_CHANNELS_MAX: '0',
    RINGFENCE_TRUNK_A_CODECS: 'PCMA, PCMU',
    RINGFENCE_TRUNK_A_STRIP_ATTEMPT_HEADERS: 'true',
    RINGFENCE_TRUNK_A_CALLER_ID: '0123',
    RINGFENCE_GATEWAY_TRUNK_CHECK_INTERVAL_MS: '0',
    RINGFENCE_LOG_LEVEL: '',
  });
  const trunk = config.gateway.trunks[0];
  t.equal(trunk?.channelsMax, 0);
  t.same(trunk?.codecs, ['PCMA', 'PCMU']);
  t.equal(trunk?.stripAttemptHeaders, true);
  t.equal(trunk?.callerId, '0123', 'text stays text');
  t.equal(config.gateway.trunkCheckIntervalMs, 0);
  t.equal(config.log.level, 'warn', 'a variable set to nothing is not set');
  t.end();
});

t.test('A variable that misses a name narrowly is warned of; others of the prefix are not', (t) => {
  const { warnings } = loadConfig(undefined, {
    RINGFENCE_LOG_LEVL: 'debug',
    RINGFENCE_SERVICE_PORT_8080_TCP_ADDR: '10.0.0.1',
    RINGFENCE_CONFIG: 'x',
  });
  t.same(warnings, [
    'environment:RINGFENCE_LOG_LEVL: overrides nothing; did you mean RINGFENCE_LOG_LEVEL?',
  ]);
  t.end();
});

t.test('A file that is absent, a folder, or not UTF-8 is one clear line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-config-'));
  const utf16 = join(folder, 'utf16.yaml');
  writeFileSync(utf16, Buffer.from('\ufefflog:\n', 'utf16le'));
  const message = (file: string) => {
    try {
      loadConfig(file, {});
      return '';
    } catch (error) {
      return error instanceof ConfigError ? error.message : String(error);
    }
  };
  t.match(message(join(folder, 'none.yaml')), /none\.yaml: cannot be read \(ENOENT/);
  t.match(message(folder), /cannot be read \(EISDIR/);
  t.match(message(utf16), /utf16\.yaml: is not UTF-8; save the file as UTF-8/);
  t.end();
});

t.test('Aliases that multiply without end are refused', (t) => {
  const lines = ['a0: &a0 [x, x]'];
  for (let n = 1; n < 12; n += 1) {
    const last = `*a${String(n - 1)}`;
    lines.push(`a${String(n)}: &a${String(n)} [${Array(9).fill(last).join(', ')}]`);
  }
  t.match(faultsOf(lines.join('\n'))[0], /r\.yaml:1:1: .*alias.*write the values without aliases/i);
  t.end();
});

t.test('docs/config.md is what the schema says', (t) => {
  t.equal(
    readFileSync(CONFIG_DOCUMENT, 'utf8'),
    configDocument(),
    'stale: run npx tsx config/document-config.ts',
  );
  t.end();
});

t.test(
  'Rule packs of abandonment are data: a fault names its place, a name takes the shipped place',
  (t) => {
    const of = (text: string): string[] => faultsOf(`abandonment:\n${text}`);
    const pack = (more: string): string =>
      `  rulePacks:\n    - name: own\n      ratioMax: 0.02\n${more}`;
    t.same(
      of(`  applied: [own, uk]\n${pack('      period: rolling\n      periodHours: 24\n')}`),
      [],
    );
    t.same(of('  applied: [us, uq]\n'), [
      'r.yaml:2:17: abandonment.applied[1]: uq is no rule pack; write us, or add it to rulePacks',
    ]);
    t.match(of(pack('      ratioMx: 0.01\n'))[0], /^r\.yaml:5:7: .*ratioMx.*did you mean ratioMax/);
    t.match(
      of('  rulePacks:\n    - name: own\n      ratioMax: 3\n')[0],
      /^r\.yaml:4:17: .*ratioMax/,
    );
    t.match(of(pack('      period: weekly\n'))[0], /^r\.yaml:5:15: .*period/);
    t.match(of(pack('      timeZone: Mars/Olympus\n'))[0], /^r\.yaml:5:17: .*is no time zone/);
    t.match(
      of(pack('    - { name: own, ratioMax: 0.01 }\n'))[0],
      /rulePacks\[1\]\.name: own is the name of/,
    );
    t.match(of('  rulePacks:\n    - name: own\n')[0], /ratioMax/);
    const own = { name: 'us', ratioMax: 0.01, period: 'rolling', periodHours: 24 };
    const { abandonment } = checkConfig(
      'r.yaml',
      JSON.stringify({ abandonment: { rulePacks: [own] } }),
      {},
    ).config;
    const created = { createdAtMs: 0, rulePacks: undefined };
    t.match(new RulePacks(abandonment).limits(created, 1, 0.03), [
      { name: 'us', ratioMax: 0.01, period: { kind: 'rolling', lengthMs: 86_400_000 } },
    ]);
    t.end();
  },
);

t.test('Shipped rule packs are what their sources say, in figures', (t) => {
  const at = Date.UTC(2026, 2, 20, 12);
  const made = Date.UTC(2026, 0, 10);
  const of = (...rulePacks: string[]) => SHIPPED.limits({ createdAtMs: made, rulePacks }, at, 0.99);
  const counted = {
    numerator: ['noRepresentative', 'amdFalsePositive'],
    denominator: 'liveAnswers',
  };
  t.same(of('us'), [
    {
      ...{ name: 'us', ratioMax: 0.03, ...counted },
      period: { kind: 'tumbling', lengthMs: 30 * 86_400_000, startAtMs: made },
    },
  ]);
  t.match(of('uk'), [{ ratioMax: 0.03, period: { kind: 'rolling', lengthMs: 86_400_000 } }]);
  // Months as they begin in Toronto, across the change to summer time.
  const months = [Date.UTC(2026, 2, 1, 5), Date.UTC(2026, 3, 1, 4)];
  t.match(of('ca'), [{ ratioMax: 0.05, period: { kind: 'calendar', startsAtMs: months } }]);
  t.same(
    of('us', 'uk').map(({ name }) => name),
    ['us', 'uk'],
  );
  t.equal(SHIPPED.limits({ createdAtMs: made, rulePacks: ['ca'] }, at, 0.02)[0]?.ratioMax, 0.02);
  t.same(
    SHIPPED.of(['gone', 'uk']).map(({ name }) => name),
    ['uk', 'us'],
    'no licence',
  );
  // The block of 30 days began on the 11th; the month is older.
  t.equal(SHIPPED.countedSinceMs(made, at), Date.UTC(2026, 2, 1, 5));
  t.end();
});

t.test('Groups name trunks that are there, each once, and share no name with one', (t) => {
  const group = (name: string, ...members: string[]) =>
    faultsOf(
      `${TRUNK}  trunkGroups:\n    - name: ${name}\n      members: [${members.map((one) => `{ trunk: ${one} }`).join(', ')}]\n`,
    );
  t.same(group('g', 'a'), []);
  t.match(group('a', 'a')[0], /trunkGroups\[0\]\.name: is 'a', which names a trunk/);
  t.match(group('g', 'b')[0], /members\[0\]\.trunk: is 'b', and there is no such trunk/);
  t.match(group('g', 'a', 'a')[0], /members\[1\]\.trunk: is 'a', which the group has already/);
  t.match(group('g')[0], /members/);
  t.match(faultsOf(`${TRUNK}      registerSeconds: 60\n`)[0], /asks to register/);
  t.match(faultsOf(`${TRUNK}      sessionSeconds: 60\n`)[0], /less than any trunk may take/);
  t.match(faultsOf(`${TRUNK}      identityHeaders: [Remote-Party-ID]\n`)[0], /add domain/);
  t.end();
});

t.test(
  'A group can be dialled like a trunk, with what its members take and carry together',
  (t) => {
    const text = [
      ...['gateway:', '  trunks:'],
      '    - { name: a, address: "sip:192.0.2.1", callerId: x, channelsMax: 10, callsPerSecondMax: 5 }',
      '    - { name: b, address: "sip:192.0.2.2", callerId: x, channelsMax: 30, callsPerSecondMax: 2 }',
      '  trunkGroups:',
      '    - { name: g, members: [{ trunk: a }, { trunk: b, priority: 2 }] }',
    ];
    const { gateway } = checkConfig('r.yaml', text.join('\n'), {}).config;
    t.match(dialableTrunks(gateway), [
      { name: 'a' },
      { name: 'b' },
      { name: 'g', channelsMax: 40, callsPerSecondMax: 7, destinationFormat: 'e164' },
    ]);
    t.end();
  },
);

t.test('Every entry is described, and its variable is its own', (t) => {
  const variables = new Set<string>();
  for (const { path, entry } of entriesOf(schemaNode(RingfenceConfig))) {
    const name = path.join('.');
    t.ok(entry.description, `${name} is described`);
    if (name.startsWith('gateway.trunkGroups.*.')) continue; // a structure: only the file has it
    if (/(?:trunks|webhooks)\.\*\.name$/.test(name)) continue; // names the variables of the others
    if (/^gateway\.speech\.(?:locales|freeswitchVoices)$/.test(name)) continue; // lists
    if (name.startsWith('abandonment.rulePacks')) continue; // a list
    t.match(entry.env, /^RINGFENCE_[A-Z_<>]+$/, `${name} has a variable`);
    t.notOk(variables.has(entry.env ?? ''), `${name} shares its variable with no other`);
    variables.add(entry.env ?? '');
  }
  t.end();
});

t.test('Trunk addresses are read with the defaults of RFC 3261', (t) => {
  t.same(readTrunkAddress('sip:10.0.0.1'), { host: '10.0.0.1', port: 5060, transport: 'udp' });
  t.same(readTrunkAddress('SIP:sbc.example.com:5080;transport=TCP'), {
    host: 'sbc.example.com',
    port: 5080,
    transport: 'tcp',
  });
  t.same(readTrunkAddress('sip:[::1]:5060'), { host: '::1', port: 5060, transport: 'udp' });
  t.same(readTrunkAddress('sip:10.0.0.1;transport=tls'), {
    ...{ host: '10.0.0.1', port: 5061, transport: 'tls' },
  });
  for (const [text, expected] of [
    ['sip:sbc.test', { port: 5060, transport: 'udp', leftToDns: 'transportAndPort' }],
    ['sip:sbc.test;transport=udp', { port: 5060, transport: 'udp', leftToDns: 'port' }],
    ['sip:sbc.test;transport=tls', { port: 5061, transport: 'tls', leftToDns: 'port' }],
    ['sip:sbc.test:5061;transport=tls', { port: 5061, transport: 'tls' }],
  ] as const) {
    const read = readTrunkAddress(text);
    t.same(read, { host: 'sbc.test', ...expected }, text);
    if (!('problem' in read)) t.equal(trunkAddressText(read), text, 'and written as it was');
  }
  for (const address of [
    'sip:',
    'sip:300.1.1.1',
    'sip:host:',
    'sip:host:0',
    'sip:user@host',
    'sips:host',
    'host:5060',
    'sip:host;transport=sctp',
    'sip:host;lr',
    'sip:::1',
    'sip:ho st',
    'sip:host?X=1',
  ]) {
    t.hasProp(readTrunkAddress(address), 'problem', address);
  }
  const address = readTrunkAddress('sip:[2001:db8::1]');
  t.equal(
    'problem' in address ? '' : trunkAddressText(address),
    'sip:[2001:db8::1]:5060;transport=udp',
  );
  t.end();
});

t.test('Only literals of this machine and localhost count as loopback', (t) => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LOCALHOST']) {
    t.equal(isLoopback({ host }), true, host);
  }
  for (const host of [
    '10.0.0.1',
    '0.0.0.0',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '::',
  ]) {
    t.equal(isLoopback({ host }), false, host);
  }
  t.end();
});
