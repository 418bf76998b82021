/**
 * `npm run features`: what docs/features.md claims against what the last run of the tests proved.
 * With `--check` (from test/run.mjs) only the problems are printed. Exit code 1 when there are any.
 */
import { existsSync, readFileSync } from 'node:fs';
import { compareRun, type Comparison, type LastRun } from './compare-run.ts';
import { FEATURE_STATUSES, featureTable, type FeatureRow } from './feature-rows.ts';

const TABLE = new URL('../../docs/features.md', import.meta.url);
const LAST_RUN = new URL('../../.tap/features-run.json', import.meta.url);

function problemsOf({ doneWithoutProof, unknownIds }: Comparison): string[] {
  return [
    ...doneWithoutProof.map(({ id, line }) => `line ${line}: ${id} is done, but no test passed`),
    ...unknownIds.map(({ id, test }) => `${test.file}: "${test.title}" names the unknown ${id}`),
  ];
}

function printOverview(
  rows: readonly FeatureRow[],
  { proofs, unproven }: Comparison,
  run: LastRun,
): void {
  console.log(`Last run: ${run.mode}, ${run.startedAt}\n`);
  console.log('Without a passing test:');
  for (const status of FEATURE_STATUSES) {
    const ids = unproven.filter((row) => row.status === status).map(({ id }) => id);
    if (ids.length > 0) console.log(`  ${status} (${ids.length}): ${ids.join(' ')}`);
  }
  console.log('\nWith a passing test:');
  for (const { id, status } of rows) {
    const tests = proofs.get(id);
    if (tests !== undefined) console.log(`  ${id} ${status}: ${tests.length} in ${filesOf(tests)}`);
  }
}

function filesOf(tests: readonly { readonly file: string }[]): string {
  return [...new Set(tests.map(({ file }) => file))].join(', ');
}

function main(): number {
  if (!existsSync(LAST_RUN)) {
    console.error('No run of the tests is recorded. Run `npm test` first.');
    return 1;
  }
  const { rows, problems: tableProblems } = featureTable(readFileSync(TABLE, 'utf8'));
  const run = JSON.parse(readFileSync(LAST_RUN, 'utf8')) as LastRun;
  const comparison = compareRun(rows, run);
  const problems = [...tableProblems, ...problemsOf(comparison)];
  if (!process.argv.includes('--check')) printOverview(rows, comparison, run);
  for (const problem of problems) console.error(`features: ${problem}`);
  const claimed = rows.filter(({ status }) => status === 'done').length;
  console.log(
    `features: ${rows.length} rows, ${claimed} done, ${comparison.proofs.size} with a passing test`,
  );
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = main();
