/** Runs one group of test files under tap and prints a line per file as it ends. */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tapCollector } from './tap-results.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TAP = join(ROOT, 'node_modules', '.bin', 'tap');

/** Every `*.test.ts` below the named folders of test/, in a stable order. */
export function testFiles(folders) {
  return folders
    .map((folder) => join(ROOT, 'test', folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true })
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => relative(ROOT, join(folder, name)).split(sep).join('/')),
    )
    .sort();
}

/**
 * Resolves to the tests of the group. A file the runner never reported, a bail-out, and a runner
 * that failed without saying why each become one failed test.
 */
export async function runGroup({ name, files, jobs, timeoutSeconds }) {
  const args = ['run', '--reporter=tap', `--jobs=${jobs}`, `--timeout=${timeoutSeconds}`, ...files];
  const tests = [];
  const seen = new Set();
  const collector = tapCollector((result) => {
    // tap adds points of its own (`timeout!`) beside those named for a file.
    seen.add(result.file);
    tests.push(...result.tests);
    printFile(result);
  });
  const { exitCode, signal } = await runTap(
    args,
    join(ROOT, '.tap', 'run', `${name}.tap`),
    (text) => collector.write(text),
  );
  const problems = (await collector.end()).map((reason) => `bail out: ${reason}`);
  for (const file of files) {
    if (!seen.has(file)) problems.push(`${file}: the runner reported nothing about this file`);
  }
  const isExplained = problems.length > 0 || tests.some(({ outcome }) => outcome === 'failed');
  if (exitCode !== 0 && !isExplained) {
    problems.push(`the runner ended with ${signal ?? `exit code ${exitCode}`} and no failed test`);
  }
  for (const problem of problems) {
    console.log(`FAIL ${problem}`);
    tests.push({ file: name, title: problem, outcome: 'failed', failures: [problem] });
  }
  return tests;
}

function runTap(args, copyPath, onText) {
  mkdirSync(dirname(copyPath), { recursive: true });
  const copy = createWriteStream(copyPath);
  return new Promise((resolve, reject) => {
    const child = spawn(TAP, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      copy.write(text);
      onText(text);
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      copy.end(() => resolve({ exitCode, signal }));
    });
  });
}

function printFile({ file, tests, timeMs }) {
  const count = (outcome) => tests.filter((test) => test.outcome === outcome).length;
  const failed = count('failed');
  const counts = [`${count('passed')} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (count('skipped') > 0) counts.push(`${count('skipped')} not run`);
  const time = timeMs === null ? '' : ` (${(timeMs / 1000).toFixed(1)} s)`;
  console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${file}: ${counts.join(', ')}${time}`);
  for (const { title, outcome, failures } of tests) {
    if (outcome !== 'failed') continue;
    console.log(`  not ok: ${title}`);
    for (const text of failures) console.log(text.replaceAll(/^/gm, '    '));
  }
}
