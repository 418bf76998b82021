/**
 * Runs the tests: `npm test` (all but the long ones), `npm run test:long`, with `--unit` the part that
 * needs neither network nor other programs, and with names of files just those. Plain JavaScript, so
 * that it can explain what is missing before anything else is loaded.
 *
 * Ends with one plain line, `N passed, N failed`, and exit code 0 only when nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledTree } from './runner/compiled-tree.mjs';
import { install, missingPackages } from './runner/needed-programs.mjs';
import { startPostgresCluster } from './runner/postgres-cluster.mjs';
import { runGroup, testFiles } from './runner/run-group.mjs';
import { useScratchFolder } from './runner/scratch-folder.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Real sockets, timers and SIPp want the machine to themselves, so `e2e` and `long` go one by one. Those of
 * `faults` start processes and wait for them to notice something: there two have room.
 */
const PARALLEL = { jobs: 2, timeoutSeconds: 300 };
const TWO_PATIENT = { jobs: 2, timeoutSeconds: 600 };
const ONE_BY_ONE = { jobs: 1, timeoutSeconds: 600 };
const RUNS = {
  unit: [{ name: 'unit', folders: ['unit', 'sim'], ...PARALLEL }],
  all: [
    { name: 'unit', folders: ['unit', 'sim', 'contract', 'integration'], ...PARALLEL },
    { name: 'e2e', folders: ['e2e'], ...ONE_BY_ONE },
  ],
  long: [
    { name: 'faults', folders: ['faults'], ...TWO_PATIENT },
    { name: 'long', folders: ['long'], ...ONE_BY_ONE },
  ],
};

const OPTIONS = { '--unit': 'unit', '--long': 'long' };
const words = process.argv.slice(2);
const isFiles = words.length > 0 && words.every((word) => /^test\/.*\.test\.ts$/.test(word));
const mode = words.length === 0 ? 'all' : words.length === 1 ? OPTIONS[words[0]] : undefined;
const unknown = isFiles ? words.find((file) => !existsSync(join(ROOT, file))) : undefined;
if ((mode === undefined && !isFiles) || unknown !== undefined) {
  console.error('usage: node test/run.mjs [--unit | --long | test/FOLDER/NAME.test.ts...]');
  if (unknown !== undefined) console.error(`there is no ${unknown}`);
  process.exit(2);
}
const groups = isFiles
  ? [{ name: 'files', ...ONE_BY_ONE, files: words }]
  : RUNS[mode].map((group) => ({ ...group, files: testFiles(group.folders) }));

const folders = new Set(groups.flatMap(({ files }) => files.map((file) => file.split('/')[1])));
const missing = missingPackages([...folders]);
const refusal = missing.length > 0 ? install(missing) : null;
if (refusal !== null) {
  console.error(refusal);
  process.exit(1);
}

const removeScratch = useScratchFolder();
process.once('exit', removeScratch);
// One server for the whole run; each file makes schemas of its own in it.
const isInMemory = [...folders].every((folder) => RUNS.unit[0].folders.includes(folder));
const postgres = isInMemory ? undefined : await startPostgresCluster();
if (postgres !== undefined) process.env.RINGFENCE_TEST_POSTGRES = postgres.url;

const tree = await compiledTree();
process.once('exit', tree.remove);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const startedAt = new Date().toISOString();
const tests = [];
for (const { name, folders, files, jobs, timeoutSeconds } of groups) {
  if (files.length === 0) {
    const title = `no test file matches test/{${folders.join(',')}}/**/*.test.ts`;
    console.log(`FAIL ${title}`);
    tests.push({ file: name, title, outcome: 'failed', failures: [title] });
    continue;
  }
  tests.push(...(await runGroup({ tree: tree.folder, files, jobs, timeoutSeconds })));
}
await postgres?.stop();

const skipped = tests.filter(({ outcome }) => outcome === 'skipped');
for (const { file, title, reason } of skipped) {
  console.log(`NOT RUN ${file}: ${title}: ${reason.replace(/^not run: */i, '')}`);
}

const featuresAgree = isFiles || compareFeatures();
const passed = named('passed').length + (!isFiles && featuresAgree ? 1 : 0);
const failed = named('failed').length + (featuresAgree ? 0 : 1);
console.log(
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
);
process.exitCode = failed === 0 ? 0 : 1;

/** The comparison of docs/features.md with a whole run is one more test. */
function compareFeatures() {
  const lastRun = {
    ...{ mode, startedAt },
    ...{ passed: named('passed'), failed: named('failed'), skipped: named('skipped') },
  };
  mkdirSync(join(ROOT, '.tap'), { recursive: true });
  writeFileSync(join(ROOT, '.tap', 'features-run.json'), `${JSON.stringify(lastRun, null, 2)}\n`);
  const { status } = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'tsx'),
    [join(ROOT, 'test', 'features', 'main.ts'), '--check'],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return status === 0;
}

function named(outcome) {
  return tests
    .filter((test) => test.outcome === outcome)
    .map(({ file, title }) => ({ file, title }));
}
