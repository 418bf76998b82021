/**
 * Runs one group of test files, each in a process of its own, and prints a line per file as it ends.
 *
 * The processes are plain node on compiled files. tap's own runner puts its loaders for mocks, coverage and
 * process trees into each of them, which nothing here uses and which more than doubles a file's time.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiled } from './compiled-tree.mjs';
import { fileCollector } from './tap-results.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const END_WHEN_IDLE = new URL('end-when-idle.mjs', import.meta.url).href;
const NODE_ARGS = ['--enable-source-maps', '--import', END_WHEN_IDLE];
/** A file that outlives its limit is asked to say what it still waits for, and then killed. */
const LAST_WORDS_MS = 10_000;

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

/** Resolves to the tests of all files of the `tree`, `jobs` at a time; a file gets `timeoutSeconds`. */
export async function runGroup({ tree, files, jobs, timeoutSeconds }) {
  const waiting = [...files];
  const tests = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(tree, file, timeoutSeconds);
      printFile(result);
      tests.push(...result.tests);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return tests;
}

/** Its whole TAP is kept below .tap/run, to be read after a failure. */
async function runFile(tree, file, timeoutSeconds) {
  const folder = join(ROOT, '.tap', 'run');
  mkdirSync(folder, { recursive: true });
  const copy = createWriteStream(join(folder, `${file.replaceAll('/', '-')}.tap`));
  const collector = fileCollector(file);
  const beganAtMs = performance.now();
  const ending = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...NODE_ARGS, compiled(tree, file)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(timeoutSeconds) },
    });
    let overdue = setTimeout(() => {
      // tap answers this signal with the handles that are still open.
      child.kill('SIGALRM');
      overdue = setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS);
    }, timeoutSeconds * 1_000);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      copy.write(text);
      collector.write(text);
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      clearTimeout(overdue);
      resolve({ exitCode, signal, timeMs: performance.now() - beganAtMs });
    });
  });
  await new Promise((resolve) => copy.end(resolve));
  return collector.end(ending);
}

function printFile({ file, tests, timeMs }) {
  const count = (outcome) => tests.filter((test) => test.outcome === outcome).length;
  const failed = count('failed');
  const counts = [`${count('passed')} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (count('skipped') > 0) counts.push(`${count('skipped')} not run`);
  const time = `(${(timeMs / 1000).toFixed(1)} s)`;
  console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${file}: ${counts.join(', ')} ${time}`);
  for (const { title, outcome, failures } of tests) {
    if (outcome !== 'failed') continue;
    console.log(`  not ok: ${title}`);
    for (const text of failures) console.log(text.replaceAll(/^/gm, '    '));
  }
}
