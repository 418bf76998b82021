/** Goal: the journey commands say what they found, on the right stream, with the right exit code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../cli/program.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { exampleText } from '../support/journey-example.ts';
import { JOURNEY_SCHEMA_DOCUMENT, journeySchemaText } from '../support/journey-schema-document.ts';

const folder = t.testdir({});
const EXAMPLE = 'docs/journeys/confirm-delivery.yaml';

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(...line: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runProgram(['journey', ...line], terminal);
  return { exitCode, stdout: terminal.stdout, stderr: terminal.stderr };
}

t.test('validate: a good journey, a draft, and one with faults', async (t) => {
  t.match(await run('validate', EXAMPLE), { exitCode: 0, stdout: '', stderr: /can be published/ });
  const draft = file(
    'draft.yaml',
    exampleText('confirm-delivery').replace('kind: dynamic', 'kind: dynamic, state: toBeConnected'),
  );
  t.match(await run('validate', draft), {
    exitCode: 1,
    stderr: /not ready: \/entry\/segment: .*placeholder/,
  });
  t.match(await run('validate', draft, '--draft', '--json'), {
    exitCode: 0,
    stdout: /"isValid":true,"isPublishable":false/,
  });
  const broken = file(
    'broken.yaml',
    exampleText('confirm-delivery').replace('for: 2h', 'for: 91d'),
  );
  const { exitCode, stdout } = await run('validate', broken, '--json');
  t.equal(exitCode, 1);
  t.match(JSON.parse(stdout), {
    isValid: false,
    faults: [{ path: '/steps/4/for', code: 'WAIT_TOO_LONG', where: /broken\.yaml:\d+:10$/ }],
  });
});

t.test('[JRN-61] simulate: a test contact walks the path, with every verdict', async (t) => {
  const contact = file('ada.yaml', "contactPoints: [{ kind: mobile, value: '+12025550123' }]\n");
  const outcomes = file(
    'outcomes.yaml',
    'startAt: 2026-11-23T10:00\noutcomes: [{ step: call, after: 4m, result: LiveAnswer, attributes: { Outcome: Reschedule } }]\n',
  );
  const { exitCode, stdout, stderr } = await run(
    'simulate',
    EXAMPLE,
    '--contact',
    contact,
    '--outcomes',
    outcomes,
    '--json',
  );
  t.equal(exitCode, 0);
  t.match(JSON.parse(stdout), {
    refusal: null,
    startedAt: '2026-11-23T10:00:00+01:00',
    path: [
      {
        step: 'call',
        decisions: [
          {
            decide: 'send',
            verdicts: [
              {
                consent: { reason: 'passes' },
                quiet: { isQuiet: false },
                cap: { reason: 'not_commercial' },
              },
            ],
          },
        ],
        outcome: { is: 'attempted', values: { Result: 'LiveAnswer' } },
      },
      {
        step: 'callOutcome',
        left: { because: 'call: attempted', at: '2026-11-23T10:04:00+01:00' },
      },
      {
        step: 'whatCameOfIt',
        left: {
          next: 'planAnotherDay',
          findings: [{ holds: true, tests: [{ found: 'Reschedule' }] }],
        },
      },
      { step: 'planAnotherDay', did: [{ activity: 'task' }] },
      { step: 'done' },
    ],
    exit: { reason: 'completed' },
    took: '4m',
    unanswered: [],
  });
  t.match(stderr, /4\. planAnotherDay \(activity\)/);
});

t.test(
  'simulate: without a contact, with wrong files, with a journey that cannot run',
  async (t) => {
    t.match(await run('simulate', EXAMPLE, '--at', '2026-11-23T10:00'), {
      exitCode: 0,
      stderr: /No --contact[^]*no outcome was chosen for 'call'/,
    });
    const wrong = file('wrong.yaml', 'outcomes: [{ step: call, result: Answered }]\n');
    t.match(await run('simulate', EXAMPLE, '--outcomes', wrong, '--json'), {
      exitCode: 1,
      stdout: /SIMULATION_INVALID/,
      stderr: /wrong\.yaml:1:34: \/outcomes\/0\/result/,
    });
    const broken = file('broken.yaml', 'format: 1\n');
    t.match(await run('simulate', broken), { exitCode: 1, stderr: /broken\.yaml:1:9: \/format/ });
    t.match(await run('simulate', 'nowhere.yaml', '--json'), {
      exitCode: 1,
      stdout: /FILE_UNREADABLE/,
    });
    t.match(await run('simulate', EXAMPLE, '--at', 'noon'), {
      exitCode: 1,
      stderr: /--at noon is no date/,
    });
  },
);

t.test('diagram: Mermaid on stdout, or inside one JSON value', async (t) => {
  const { stdout } = await run('diagram', EXAMPLE);
  t.match(stdout, /^flowchart TD\n/);
  t.equal(
    (JSON.parse((await run('diagram', EXAMPLE, '--json')).stdout) as { mermaid: string }).mermaid,
    stdout,
  );
});

t.test('docs/journeys/journey.schema.json is not stale', async (t) => {
  const written = JSON.parse(readFileSync(JOURNEY_SCHEMA_DOCUMENT, 'utf8')) as object;
  t.same(written, JSON.parse(journeySchemaText()), 'run npm run docs');
});

t.test('[JRN-58] draft: plain words become YAML that validates as a draft', async (t) => {
  const text =
    'Call everyone in the segment "deliveryTomorrow" with engagement "confirmDelivery". Sing a song.';
  const { exitCode, stdout, stderr } = await run('draft', text, '--assets', EXAMPLE);
  t.equal(exitCode, 0);
  t.match(stderr, /1:84: not understood: Sing a song/);
  t.match(stderr, /to be connected: complianceProfile 'profileToChoose'; there is deliveries/);
  t.notMatch(stderr, /to be connected: (?:segment|engagement)/);
  const drafted = file('drafted.yaml', stdout);
  t.match(await run('validate', drafted, '--draft'), { exitCode: 0, stderr: /a valid draft/ });
  const written = file('words.txt', text);
  const json = await run('draft', '--file', written, '--json', '--time-zone', 'Europe/Amsterdam');
  t.match(JSON.parse(json.stdout), {
    journey: { timeZone: 'Europe/Amsterdam', entry: { segment: 'deliveryTomorrow' } },
    notUnderstood: [{ text: 'Sing a song', at: { sentence: 2 } }],
  });
  t.match(await run('draft', 'Sing a song.'), { exitCode: 1, stdout: '', stderr: /No journey/ });
  t.match(await run('draft', 'Call.', '--time-zone', 'Mars/Base'), { exitCode: 1, stderr: /IANA/ });
});
