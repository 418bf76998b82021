/** Goal: a run cannot look greener than it was, and only passing tests prove a feature. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { compareRun, idsIn, type LastRun } from '../features/compare-run.ts';
import { featureTable } from '../features/feature-rows.ts';
import { missingPackages } from '../runner/needed-programs.mjs';
import { tapCollector, type FileResult } from '../runner/tap-results.mjs';

async function read(tapText: string): Promise<{ files: FileResult[]; bailOuts: string[] }> {
  const files: FileResult[] = [];
  const collector = tapCollector((result) => files.push(result));
  collector.write(tapText);
  return { files, bailOuts: await collector.end() };
}

/** A file's subtest as tap prints it, with the closing point of the file itself. */
function fileTap(body: string, closing: string): string {
  const indented = body.trimEnd().replaceAll(/^/gm, '    ');
  return `TAP version 14\n# Subtest: test/unit/x.test.ts\n${indented}\n${closing}\n1..1\n`;
}

const OK = 'ok 1 - test/unit/x.test.ts # time=5ms';
const BROKEN = `not ok 1 - test/unit/x.test.ts # time=5ms
  ---
  exitCode: null
  signal: SIGKILL
  ...
`;
const PASSING_TEST = '# Subtest: first\n    ok 1 - fine\n    1..1\nok 1 - first\n';

const cases = [
  {
    name: 'a passing test',
    given: fileTap(`${PASSING_TEST}1..1`, OK),
    expected: ['passed first'],
  },
  {
    name: 'a test inside a test carries the titles of both, and the outer one adds nothing',
    given: fileTap(
      '# Subtest: outer\n    # Subtest: inner\n        ok 1 - fine\n        1..1\n    ok 1 - inner\n    1..1\nok 1 - outer\n1..1',
      OK,
    ),
    expected: ['passed outer > inner'],
  },
  {
    name: 'a failed assertion fails its test',
    given: fileTap(
      '# Subtest: first\n    not ok 1 - nope\n    1..1\nnot ok 1 - first\n1..1',
      'not ok 1 - test/unit/x.test.ts',
    ),
    expected: ['failed first'],
  },
  {
    name: 'an assertion of its own fails the outer test though the inner one passed',
    given: fileTap(
      '# Subtest: outer\n    # Subtest: inner\n        ok 1 - fine\n        1..1\n    ok 1 - inner\n    not ok 2 - nope\n    1..2\nnot ok 1 - outer\n1..1',
      'not ok 1 - test/unit/x.test.ts',
    ),
    expected: ['passed outer > inner', 'failed outer'],
  },
  {
    name: 'a skipped test is neither passed nor failed',
    given: fileTap(
      `${PASSING_TEST}ok 2 - the real server # SKIP not run: DRACHTIO is not set\n1..2`,
      OK,
    ),
    expected: ['passed first', 'skipped the real server'],
  },
  {
    name: 'a test that skips from the inside is skipped',
    given: fileTap(
      '# Subtest: first\n    ok 1 - not run: no address # SKIP\n    1..1\nok 1 - first\n1..1',
      OK,
    ),
    expected: ['skipped first'],
  },
  {
    name: 'a test that only awaits something, and got it, has passed',
    given: fileTap('# Subtest: first\n    1..0\nok 1 - first\n1..1', OK),
    expected: ['passed first'],
  },
  {
    name: 'a test still to be written proves nothing',
    given: fileTap(`${PASSING_TEST}ok 2 - later # TODO\n1..2`, OK),
    expected: ['passed first', 'skipped later'],
  },
  {
    name: 'a file that died after a passing test fails as a file',
    given: fileTap(PASSING_TEST, BROKEN),
    expected: ['passed first', 'failed test/unit/x.test.ts'],
  },
  {
    name: 'a file whose process ended inside a test fails by the name of that test',
    given: fileTap(`${PASSING_TEST}# Subtest: dies\n    ok 1 - fine\n    1..1\n1..1`, BROKEN),
    expected: ['passed first', 'failed dies'],
  },
  {
    name: 'a file that could not be loaded fails',
    given: fileTap('1..0 # no tests found', 'not ok 1 - test/unit/x.test.ts'),
    expected: ['failed test/unit/x.test.ts'],
  },
  {
    name: 'a file without a test fails, though tap calls it skipped',
    given: fileTap('1..0 # no tests found', 'ok 1 - test/unit/x.test.ts # SKIP no tests found'),
    expected: ['failed test/unit/x.test.ts'],
  },
  {
    name: 'a file with assertions outside any test counts as one test',
    given: fileTap('ok 1 - fine\nok 2 - fine\n1..2', OK),
    expected: ['passed test/unit/x.test.ts'],
  },
];

for (const { name, given, expected } of cases) {
  t.test(`test results: ${name}`, async (t) => {
    const { files } = await read(given);
    const tests = files.flatMap((file) => file.tests);
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
  const { files } = await read(
    fileTap('ok 1 - the real server # SKIP not run: DRACHTIO is not set\n1..1', OK),
  );
  t.equal(files[0]?.tests[0]?.reason, 'not run: DRACHTIO is not set');
});

t.test('test results: a bail-out is reported', async (t) => {
  const { bailOuts } = await read('TAP version 14\nBail out! no room\n');
  t.same(bailOuts, ['no room']);
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
