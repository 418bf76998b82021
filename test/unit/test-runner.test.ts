/** Goal: a run cannot look greener than it was, and only passing tests prove a feature. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { compareRun, idsIn, type LastRun } from '../features/compare-run.ts';
import { featureTable } from '../features/feature-rows.ts';
import { missingPackages } from '../runner/needed-programs.mjs';
import { fileCollector, type FileEnding, type FileResult } from '../runner/tap-results.mjs';

const FILE = 'test/unit/x.test.ts';
const ENDED_WELL: FileEnding = { exitCode: 0, signal: null, timeMs: 5 };
const ENDED_RED: FileEnding = { exitCode: 1, signal: null, timeMs: 5 };
const KILLED: FileEnding = { exitCode: null, signal: 'SIGKILL', timeMs: 5 };

/** What a file printed, and how its process ended. */
async function read(body: string, ending: FileEnding): Promise<FileResult> {
  const collector = fileCollector(FILE);
  collector.write(`TAP version 14\n${body}\n`);
  return collector.end(ending);
}

const PASSING_TEST = '# Subtest: first\n    ok 1 - fine\n    1..1\nok 1 - first\n';

const cases: { name: string; given: [string, FileEnding]; expected: string[] }[] = [
  {
    name: 'a passing test',
    given: [`${PASSING_TEST}1..1`, ENDED_WELL],
    expected: ['passed first'],
  },
  {
    name: 'a test inside a test carries the titles of both, and the outer one adds nothing',
    given: [
      '# Subtest: outer\n    # Subtest: inner\n        ok 1 - fine\n        1..1\n    ok 1 - inner\n    1..1\nok 1 - outer\n1..1',
      ENDED_WELL,
    ],
    expected: ['passed outer > inner'],
  },
  {
    name: 'a failed assertion fails its test',
    given: ['# Subtest: first\n    not ok 1 - nope\n    1..1\nnot ok 1 - first\n1..1', ENDED_RED],
    expected: ['failed first'],
  },
  {
    name: 'an assertion of its own fails the outer test though the inner one passed',
    given: [
      '# Subtest: outer\n    # Subtest: inner\n        ok 1 - fine\n        1..1\n    ok 1 - inner\n    not ok 2 - nope\n    1..2\nnot ok 1 - outer\n1..1',
      ENDED_RED,
    ],
    expected: ['passed outer > inner', 'failed outer'],
  },
  {
    name: 'a skipped test is neither passed nor failed',
    given: [
      `${PASSING_TEST}ok 2 - the real server # SKIP not run: DRACHTIO is not set\n1..2`,
      ENDED_WELL,
    ],
    expected: ['passed first', 'skipped the real server'],
  },
  {
    name: 'a test that skips from the inside is skipped',
    given: [
      '# Subtest: first\n    ok 1 - not run: no address # SKIP\n    1..1\nok 1 - first\n1..1',
      ENDED_WELL,
    ],
    expected: ['skipped first'],
  },
  {
    name: 'a test that only awaits something, and got it, has passed',
    given: ['# Subtest: first\n    1..0\nok 1 - first\n1..1', ENDED_WELL],
    expected: ['passed first'],
  },
  {
    name: 'a test still to be written proves nothing',
    given: [`${PASSING_TEST}ok 2 - later # TODO\n1..2`, ENDED_WELL],
    expected: ['passed first', 'skipped later'],
  },
  {
    name: 'a file that died after a passing test fails as a file',
    given: [PASSING_TEST, KILLED],
    expected: ['passed first', 'failed test/unit/x.test.ts'],
  },
  {
    name: 'a file whose process ended inside a test fails by the name of that test',
    given: [`${PASSING_TEST}# Subtest: dies\n    ok 1 - fine\n    1..1\n1..1`, KILLED],
    expected: ['passed first', 'failed dies'],
  },
  {
    name: 'a file that could not be loaded fails',
    given: ['1..0 # no tests found', ENDED_RED],
    expected: ['failed test/unit/x.test.ts'],
  },
  {
    name: 'a file without a test fails, though tap calls it skipped',
    given: ['1..0 # no tests found', ENDED_WELL],
    expected: ['failed test/unit/x.test.ts'],
  },
  {
    name: 'a file with assertions outside any test counts as one test',
    given: ['ok 1 - fine\nok 2 - fine\n1..2', ENDED_WELL],
    expected: ['passed test/unit/x.test.ts'],
  },
];

for (const { name, given, expected } of cases) {
  t.test(`test results: ${name}`, async (t) => {
    const { tests } = await read(...given);
    t.same(
      tests.map(({ outcome, title }) => `${outcome} ${title}`),
      expected,
    );
    t.ok(
      tests.every(({ outcome, failures }) => (outcome === 'failed') === failures.length > 0),
      'a failed test, and no other, says why',
    );
  });
}

t.test('test results: a skipped test keeps its reason', async (t) => {
  const { tests } = await read(
    'ok 1 - the real server # SKIP not run: DRACHTIO is not set\n1..1',
    ENDED_WELL,
  );
  t.equal(tests[0]?.reason, 'not run: DRACHTIO is not set');
});

t.test('test results: a bail-out fails its file', async (t) => {
  const { tests } = await read(`${PASSING_TEST}Bail out! no room`, ENDED_RED);
  t.match(tests.at(-1), { outcome: 'failed', failures: [/no room/] });
});

t.test('needed programs: only the groups that use a program ask for its package', async (t) => {
  const nothingInstalled = (): boolean => false;
  t.same(missingPackages(['unit'], nothingInstalled), []);
  t.same(missingPackages(['unit', 'integration'], nothingInstalled), [
    ...['postgresql', 'redis-server'],
  ]);
  t.same(missingPackages(['unit', 'e2e'], nothingInstalled), [
    ...['sip-tester', 'postgresql', 'prometheus'],
  ]);
  t.same(
    missingPackages(['e2e'], () => true),
    [],
  );
});

const TABLE = `
| ID    | What it does | Status  |
| ----- | ------------ | ------- |
| WS-01 | one          | done    |
| WS-02 | two          | planned |
`;

function lastRun(passed: string[], more: Partial<LastRun> = {}): LastRun {
  const named = passed.map((title) => ({ file: 'test/unit/x.test.ts', title }));
  return { mode: 'all', startedAt: '', passed: named, failed: [], skipped: [], ...more };
}

t.test('features: IDs are read from brackets, and nothing else in brackets is one', async (t) => {
  t.same(idsIn('[WS-01][OUT-05] busy > inner'), ['WS-01', 'OUT-05']);
  t.same(idsIn('[RFC-3261] WS-01 [x] [WS-1]'), []);
});

t.test('features: a row marked done without a passing test is reported', async (t) => {
  const { rows } = featureTable(TABLE);
  const proven = compareRun(rows, lastRun(['[WS-01] works']));
  t.same(proven.doneWithoutProof, []);
  t.same(
    proven.unproven.map(({ id }) => id),
    ['WS-02'],
  );
  const failing = { file: 'f', title: '[WS-01] works' };
  for (const run of [lastRun([], { failed: [failing] }), lastRun([], { skipped: [failing] })]) {
    t.same(
      compareRun(rows, run).doneWithoutProof.map(({ id }) => id),
      ['WS-01'],
    );
  }
});

t.test(
  'features: a run of a part of the tests does not accuse rows proven elsewhere',
  async (t) => {
    const { rows } = featureTable(TABLE);
    t.same(compareRun(rows, lastRun([], { mode: 'unit' })).doneWithoutProof, []);
  },
);

t.test(
  'features: a title that names an unknown ID is reported, even of a failed test',
  async (t) => {
    const { rows } = featureTable(TABLE);
    const run = lastRun(['[WS-09] x'], { failed: [{ file: 'f', title: '[DM-99] y' }] });
    t.same(
      compareRun(rows, run).unknownIds.map(({ id }) => id),
      ['WS-09', 'DM-99'],
    );
  },
);

t.test('features: rows that are doubled, empty or of unknown status are problems', async (t) => {
  const { problems } = featureTable(
    `${TABLE}| WS-01 | again | done |\n| WS-03 | | done |\n| WS-04 | x | finished |\n`,
  );
  t.equal(problems.length, 3);
  t.match(problems.join('\n'), /WS-01 appears twice[^]*WS-03 says nothing[^]*"finished"/);
  t.same(featureTable('').problems, ['no feature row was found']);
});

t.test('features: the table that ships has a row for all 301 features', async (t) => {
  const url = new URL('../../docs/features.md', import.meta.url);
  const { rows, problems } = featureTable(readFileSync(url, 'utf8'));
  t.same(problems, []);
  t.equal(rows.length, 301);
});
