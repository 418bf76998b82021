/** What the command refuses, in process: none of these gets as far as opening a socket. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isWithinCallingHours } from '../../cli/calling-hours.ts';
import { chooseTrunk, isLoopbackTrunk } from '../../cli/choose-trunk.ts';
import { CliError, explainError } from '../../cli/cli-error.ts';
import { runProgram } from '../../cli/program.ts';
import { ALWAYS, checkCallingHours, realCallsRule } from '../../cli/real-calls.ts';
import { isUsable, verdictInWords } from '../../cli/trunk-check.command.ts';
import { checkConfig, loadConfig } from '../../config/load-config.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';

const folder = t.testdir({});

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(...line: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runProgram(line, terminal);
  return { exitCode, stdout: terminal.stdout, stderr: terminal.stderr };
}

const refusals: { name: string; line: () => string[]; code: string; message: RegExp }[] = [
  {
    name: 'contacts without a phone column',
    line: () => ['demo', '--contacts', file('no-phone.csv', 'name,city\nAda,Rome\n')],
    code: 'CONTACTS_INVALID',
    message: /no-phone\.csv cannot be used\. No phone column: .*Columns found: 'name', 'city'\.$/,
  },
  {
    name: 'contacts of 11 MB',
    line: () => ['demo', '--contacts', file('large.csv', `phone\n${'x'.repeat(11_000_000)}`)],
    code: 'CONTACTS_INVALID',
    message: /larger than 10 MB/,
  },
  {
    name: 'contacts in UTF-16',
    line: () => ['demo', '--contacts', file('utf16.csv', Buffer.from('\ufeffphone\n', 'utf16le'))],
    code: 'CONTACTS_INVALID',
    message: /UTF-16.*save it as "CSV UTF-8"/,
  },
  {
    name: 'contacts whose header opens a quote',
    line: () => ['demo', '--contacts', file('quote.csv', '"phone\n+12065550123\n')],
    code: 'CONTACTS_INVALID',
    message: /The header, line 1, opens a quote that is not closed/,
  },
  {
    name: 'contacts that are not there',
    line: () => ['demo', '--contacts', join(folder, 'none.csv')],
    code: 'CONTACTS_INVALID',
    message: /none\.csv cannot be used\. The file cannot be read: there is no such file/,
  },
  {
    name: 'contacts that are a folder',
    line: () => ['demo', '--contacts', folder],
    code: 'CONTACTS_INVALID',
    message: /it is a folder/,
  },
  {
    name: 'a header and no contact',
    line: () => ['demo', '--contacts', file('empty.csv', 'phone\n')],
    code: 'CONTACTS_INVALID',
    message: /a header but not one contact/,
  },
  {
    name: 'a list of which no row can be dialled',
    line: () => ['demo', '--contacts', file('short.csv', 'phone\n1001\n')],
    code: 'CONTACTS_INVALID',
    message: /Not one row of the list can be dialled/,
  },
  {
    name: 'a configuration of a wrong type',
    line: () => ['demo', '--config', file('type.yaml', 'dialing:\n  ringTimeoutMs: soon\n')],
    code: 'CONFIG_INVALID',
    message: /type\.yaml:2:18: dialing\.ringTimeoutMs: is the text 'soon', not a whole number/,
  },
  {
    name: 'a mode that does not exist',
    line: () => ['demo', '--mode', 'fast'],
    code: 'MODE_UNKNOWN',
    message: /fast does not exist/,
  },
  {
    name: 'a trunk that is no address',
    line: () => ['demo', '--trunk', 'sip:127.0.0.1:99999'],
    code: 'TRUNK_ADDRESS_INVALID',
    message: /'99999' is not a port/,
  },
  {
    name: 'a trunk of no known name',
    line: () => ['call', '+12065550123', '--trunk', 'carrier-b'],
    code: 'UNKNOWN_TRUNK',
    message: /no trunk carrier-b/,
  },
  {
    name: 'an outside trunk without a caller id',
    line: () => ['demo', '--trunk', 'sip:198.51.100.7'],
    code: 'CALLER_ID_MISSING',
    message: /not on this machine: give --caller-id/,
  },
  {
    name: 'the shipped contacts to an outside trunk, even when it is confirmed',
    line: () => [
      'demo',
      '--trunk',
      'sip:198.51.100.7',
      '--caller-id',
      '+12025550100',
      '--confirm-real-calls',
    ],
    code: 'CONTACTS_MISSING',
    message: /the shipped contacts are for the lab only/,
  },
  {
    name: 'an outside trunk that nobody confirmed',
    line: () => [
      'demo',
      '--trunk',
      'sip:198.51.100.7',
      '--caller-id',
      '+12025550100',
      '--contacts',
      file('own.csv', 'phone\n+12065550123\n'),
    ],
    code: 'REAL_CALLS_NOT_CONFIRMED',
    message: /real telephones may ring: add --confirm-real-calls/,
  },
  {
    name: 'confirmed calls to contacts whose zone nobody knows',
    line: () => [
      'demo',
      '--trunk',
      'sip:198.51.100.7',
      '--caller-id',
      '+12025550100',
      '--confirm-real-calls',
      '--contacts',
      file('own.csv', 'phone\n+12065550123\n'),
    ],
    code: 'TIME_ZONE_MISSING',
    message: /1 of 1 contacts have no TimeZone/,
  },
  {
    name: 'a time zone that does not exist',
    line: () => [
      'call',
      '+12065550123',
      '--trunk',
      'sip:198.51.100.7',
      '--caller-id',
      '+12025550100',
      '--confirm-real-calls',
      '--time-zone',
      'Seattle',
    ],
    code: 'TIME_ZONE_UNKNOWN',
    message: /no time zone Seattle/,
  },
  {
    name: 'an extension to a trunk that takes E.164 only',
    line: () => ['call', '1001', '--trunk', 'sip:127.0.0.1:5070'],
    code: 'INVALID_DESTINATION',
    message: /short number, and the trunk takes E\.164 only/,
  },
  {
    name: 'a region that does not exist',
    line: () => ['call', '2065550123', '--trunk', 'sip:127.0.0.1', '--region', 'XX'],
    code: 'REGION_UNKNOWN',
    message: /no region XX/,
  },
  {
    name: 'a secret that everybody knows',
    line: () => ['softswitch', '--control-secret', 'cymru'],
    code: 'SECRET_REFUSED',
    message: /everybody knows is refused/,
  },
  {
    name: 'an empty secret',
    line: () => ['softswitch', '--esl-password', ''],
    code: 'SECRET_REFUSED',
    message: /empty/,
  },
  {
    name: 'a port that is none',
    line: () => ['softswitch', '--sip', '70000'],
    code: 'USAGE',
    message: /whole number from 0 to 65535/,
  },
  {
    name: 'an option that does not exist',
    line: () => ['demo', '--contact', 'x.csv'],
    code: 'USAGE',
    message: /unknown option '--contact'.*\(Did you mean --contacts\?\)/s,
  },
  { name: 'no trunk at all', line: () => ['call', '+1'], code: 'USAGE', message: /--trunk/ },
];

for (const { name, line, code, message } of refusals) {
  t.test(`Refused with one clear message: ${name}`, async (t) => {
    const { exitCode, stdout, stderr } = await run(...line(), '--json');
    t.equal(exitCode, 1);
    t.match(stderr.trim(), message);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    t.equal(error.code, code);
    t.match(error.message, message);
  });
}

t.test('Without --json nothing is written to stdout', async (t) => {
  const { exitCode, stdout } = await run('demo', '--mode', 'fast');
  t.equal(exitCode, 1);
  t.equal(stdout, '');
});

t.test('Help and version are successes', async (t) => {
  t.match(await run('--help'), { exitCode: 0, stdout: /demo.*call.*trunk.*softswitch/s });
  t.match(await run('demo', '--help'), { exitCode: 0, stdout: /--confirm-real-calls/ });
  t.match(await run('--version'), { exitCode: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
});

t.test('A command line without a command is a mistake', async (t) => {
  const { exitCode, stderr } = await run();
  t.equal(exitCode, 1);
  t.match(stderr, /Usage: ringfence/);
});

t.test('Errors of the network are told as what to do about them', (t) => {
  const listen = Object.assign(new Error('bind EADDRINUSE 127.0.0.1:5060'), { code: 'EADDRINUSE' });
  t.match(explainError(listen), {
    code: 'LISTEN_FAILED',
    message: /^127\.0\.0\.1:5060 is in use by another program/,
  });
  const foreign = Object.assign(new Error('bind EADDRNOTAVAIL 10.9.9.9:0'), {
    code: 'EADDRNOTAVAIL',
  });
  t.match(explainError(foreign), { message: /^10\.9\.9\.9:0 is not an address of this machine/ });
  t.match(explainError(new TypeError('x')), { code: 'INTERNAL', message: /cli-program\.test/ });
  t.end();
});

const { dialing } = loadConfig(undefined, {}).config;
const loopback = chooseTrunk({ text: 'sip:127.0.0.1:5070' }, loadConfig(undefined, {}).config);
const outside = chooseTrunk(
  { text: 'sip:198.51.100.7', callerId: '+12025550100' },
  loadConfig(undefined, {}).config,
);
/** 2026-01-15 is outside daylight saving time in New York (UTC-5) and Los Angeles (UTC-8). */
const at = (time: string) => Date.parse(`2026-01-15T${time}:00Z`);

t.test('Calls may start from 08:00 until 21:00 on the wall of the called person', (t) => {
  const hours = { from: '08:00', to: '21:00' };
  const cases: [string, string, boolean][] = [
    ['America/New_York', '12:59', false],
    ['America/New_York', '13:00', true],
    ['America/Los_Angeles', '15:59', false],
    ['America/Los_Angeles', '16:00', true],
    ['Asia/Kolkata', '15:29', true],
    ['Asia/Kolkata', '15:30', false],
    ['Nowhere/None', '15:00', false],
  ];
  for (const [zone, time, expected] of cases) {
    t.equal(isWithinCallingHours(hours, zone, at(time)), expected, `${zone} at ${time} UTC`);
  }
  t.end();
});

t.test('Daylight saving time moves the hours with the wall clock', (t) => {
  const hours = { from: '08:00', to: '21:00' };
  const summer = Date.parse('2026-07-15T12:00:00Z');
  t.equal(isWithinCallingHours(hours, 'America/New_York', summer), true);
  t.equal(isWithinCallingHours(hours, 'America/New_York', summer - 60_000), false);
  t.end();
});

t.test('Hours are waived for a trunk on this machine and for no other', (t) => {
  t.equal(realCallsRule(loopback, { confirmRealCalls: false }, dialing), ALWAYS);
  const rule = realCallsRule(outside, { confirmRealCalls: true }, dialing);
  t.equal(rule('America/New_York', at('12:59')), false);
  t.equal(rule('America/New_York', at('13:00')), true);
  t.equal(rule(undefined, at('13:00')), false, 'an unknown zone is never open');
  const given = { confirmRealCalls: true, timeZone: 'America/Los_Angeles' };
  const withZone = realCallsRule(outside, given, dialing);
  t.equal(withZone(undefined, at('16:00')), true);
  t.equal(withZone('America/New_York', at('13:00')), true, "the contact's own zone wins");
  t.end();
});

t.test('A run begins only when somebody may be called now', (t) => {
  const options = { confirmRealCalls: true };
  const rule = realCallsRule(outside, options, dialing);
  const check = (zones: (string | undefined)[], time: string) => () =>
    checkCallingHours(zones, rule, options, dialing, at(time));
  t.throws(check(['America/New_York'], '12:59'), {
    code: 'OUTSIDE_CALLING_HOURS',
    message: /It is 07:59 in America\/New_York\./,
  });
  t.doesNotThrow(check(['America/New_York', 'America/Los_Angeles'], '13:00'));
  t.throws(check(['America/New_York', undefined], '13:00'), { code: 'TIME_ZONE_MISSING' });
  t.doesNotThrow(() => checkCallingHours([undefined], ALWAYS, options, dialing, at('03:00')));
  t.end();
});

t.test('A trunk is chosen by name or by address, and a caller id is checked', (t) => {
  const yaml = `gateway:
  trunks:
    - { name: carrier-a, address: 'sip:127.0.0.1:5070', callerId: '+12025550100' }
`;
  const { config } = checkConfig('r.yaml', yaml, {});
  t.match(chooseTrunk({ text: 'carrier-a', destinationFormat: 'any' }, config), {
    name: 'carrier-a',
    destinationFormat: 'any',
  });
  t.match(chooseTrunk({ text: 'SIP:127.0.0.1;transport=TCP' }, config), {
    address: 'sip:127.0.0.1:5060;transport=tcp',
    destinationFormat: 'e164',
  });
  t.throws(() => chooseTrunk({ text: 'carrier-a', callerId: 'a b' }, config), CliError);
  t.throws(() => chooseTrunk({ text: 'carrier-b' }, config), {
    message: /the configuration names carrier-a/,
  });
  t.equal(isLoopbackTrunk(outside), false);
  t.end();
});

t.test('A verdict on a trunk is told in words and decides the exit code', (t) => {
  const cases = [
    ['ok', 'reachable in 3 ms', true, 'is there: reachable in 3 ms'],
    ['refused', 'answers OPTIONS with 405', true, /is there, though it refuses OPTIONS/],
    ['auth_demanded', 'asks for credentials', false, /cannot be used: it asks for credentials/],
    ['overloaded', 'answers 503', false, /cannot be used/],
    ['no_answer', 'no answer within 4000 ms', false, /does not answer/],
    ['connection_refused', 'cannot be reached', false, /is not there/],
    ['switch_down', 'drachtio is not connected', false, /could not be asked/],
  ] as const;
  for (const [verdict, detail, usable, words] of cases) {
    t.equal(isUsable({ verdict }), usable, verdict);
    t.match(verdictInWords({ verdict, detail }), words);
  }
  t.end();
});
