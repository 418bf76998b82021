/**
 * Reads what a test file said in TAP, one subtest per `t.test`.
 *
 * What counts as one test: a `t.test` that holds no other `t.test`. One that does hold others counts
 * only when it fails by an assertion of its own. A file that has assertions and no `t.test` is one
 * test. A file that broke outside its tests (crash, signal, bail-out, no test at all) is one failed
 * test, so that a run can never be green by having run less.
 */
import { Parser } from 'tap-parser';

/**
 * Parses the TAP of one file. `end` takes how its process ended, `{ exitCode, signal, timeMs }`, and
 * resolves to `{ file, tests, timeMs }`, where a test is
 * `{ file, title, outcome: 'passed'|'failed'|'skipped', reason, failures }`.
 */
export function fileCollector(file) {
  const parser = new Parser();
  const node = watch(parser);
  const bailOuts = [];
  parser.on('bailout', (reason) => bailOuts.push(`bail out: ${String(reason)}`));
  return {
    write: (text) => parser.write(text),
    end: (ending) =>
      new Promise((resolve) => {
        parser.on('complete', ({ ok }) => {
          const tests = testsOf(node, file, []);
          const verdict = fileVerdict(file, { ...ending, ok, bailOuts }, tests);
          resolve({ file, tests: verdict, timeMs: ending.timeMs });
        });
        parser.end();
      }),
  };
}

/**
 * A subtest as a tree: `points` are its own assertions, `children` its subtests, `open` one that
 * the process did not live to finish.
 */
function watch(parser) {
  const node = { name: parser.name, point: null, points: [], children: [], open: null };
  parser.on('child', (child) => (node.open = watch(child)));
  parser.on('assert', (point) => {
    if (node.open === null) {
      node.points.push(point);
    } else {
      node.open.point = point;
      node.children.push(node.open);
      node.open = null;
    }
  });
  return node;
}

function testsOf(node, file, path) {
  const tests = [];
  const isFile = node.point === null;
  const title = path.join(' > ');
  const own = node.points.filter((point) => !isUnrun(point));
  const unrun = node.points.filter(isUnrun);
  const failures = own.filter((point) => !point.ok);
  for (const child of node.children) {
    tests.push(...testsOf(child, file, [...path, child.point.name]));
  }
  if (node.open !== null) {
    const unfinished = [...path, node.open.name].join(' > ');
    tests.push({ file, title: unfinished, outcome: 'failed', failures: ['it never finished'] });
  }
  const childFailed = tests.some(({ outcome }) => outcome === 'failed');
  // A `t.test` with { skip } or { todo } leaves a bare point; inside a test, t.skip() does.
  const named = isFile || node.children.length > 0;
  if (named) {
    for (const point of unrun) {
      tests.push(skipped(file, [...path, point.name].join(' > '), point));
    }
  }
  if (failures.length > 0 || (!isFile && !node.point.ok && !childFailed)) {
    const explained = failures.length > 0 ? failures : [node.point];
    tests.push({ file, title: title || file, outcome: 'failed', failures: explained.map(explain) });
  } else if (!named && own.length === 0 && unrun.length > 0) {
    tests.push(skipped(file, title, unrun[0]));
  } else if (node.children.length === 0 && (!isFile || own.length > 0)) {
    // Also one without assertions of its own: it awaited something, and would have thrown.
    tests.push({ file, title: title || file, outcome: 'passed', failures: [] });
  }
  return tests;
}

/** Adds the failure of the file itself when it ended badly, or held no test. */
function fileVerdict(file, { exitCode, signal, ok, bailOuts }, tests) {
  const failed = tests.some(({ outcome }) => outcome === 'failed');
  const isEmpty = tests.length === 0;
  const endedWell = ok && exitCode === 0 && bailOuts.length === 0;
  if (failed || (endedWell && !isEmpty)) return tests;
  const how = [
    isEmpty ? 'it ran no test' : 'it ended badly after its tests',
    ...bailOuts,
    signal === null ? '' : `signal ${signal}`,
    exitCode === null ? '' : `exit code ${exitCode}`,
  ].filter((part) => part !== '');
  return [...tests, { file, title: file, outcome: 'failed', failures: [how.join(', ')] }];
}

function isUnrun(point) {
  return point.skip !== false || point.todo !== false;
}

function skipped(file, title, { skip, todo, name }) {
  const stated = [skip, todo].find((reason) => typeof reason === 'string' && reason !== '');
  const reason = stated ?? (name === title ? 'no reason given' : name);
  return { file, title, outcome: 'skipped', reason, failures: [] };
}

/** One failed assertion in words, from the runner's own diagnostics. */
function explain({ name, diag }) {
  if (diag === null || typeof diag !== 'object') return name;
  const { at, diff, stack, found, wanted, compare, pattern, message, exitCode, signal } = diag;
  const lines = [name];
  if (message !== undefined && message !== name) lines.push(String(message));
  if (at?.fileName !== undefined)
    lines.push(`at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`);
  if (typeof diff === 'string') lines.push(diff.trimEnd());
  else if (wanted !== undefined || found !== undefined) {
    lines.push(
      `found ${JSON.stringify(found)}, wanted (${compare ?? '==='}) ${JSON.stringify(wanted)}`,
    );
  } else if (pattern !== undefined) lines.push(`pattern ${String(pattern)}`);
  if (at === undefined && typeof stack === 'string') lines.push(stack.trimEnd());
  if (typeof signal === 'string') lines.push(`signal ${signal}`);
  if (typeof exitCode === 'number') lines.push(`exit code ${exitCode}`);
  return lines.join('\n');
}
