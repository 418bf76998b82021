/** Goal: a machine does what its version always did: recorded logs, replayed, come out line for line. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  goldenLines,
  MACHINE_VERSIONS,
  scriptIn,
  type GoldenMachine,
} from '../support/golden-log.ts';
import { GOLDEN_SCRIPTS } from '../support/golden-scripts.ts';
import { GOLDEN_FOLDER, writeGoldenLogs } from '../support/write-golden-logs.ts';

const MACHINES = Object.keys(MACHINE_VERSIONS) as GoldenMachine[];

for (const machine of MACHINES) {
  const folder = join(GOLDEN_FOLDER, `${machine}@${MACHINE_VERSIONS[machine]}`);
  t.test(`${machine}@${MACHINE_VERSIONS[machine]} does what its golden logs say`, (t) => {
    const names = readdirSync(folder).sort();
    const expected = Object.keys(GOLDEN_SCRIPTS[machine]).map((name) => `${name}.jsonl`);
    t.same(names, expected.sort(), 'one log for each script');
    for (const name of names) {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
      const script = scriptIn(lines);
      t.equal(script.version, MACHINE_VERSIONS[machine]);
      t.same(goldenLines(script), lines, name);
    }
    t.end();
  });
}

t.test('a version that has logs keeps them; one that was never released need not', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-golden-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(GOLDEN_FOLDER, folder, { recursive: true });
  const version = MACHINE_VERSIONS.copilotPacer;
  const log = join(folder, `copilotPacer@${version}`, 'suspended-and-resumed.jsonl');
  writeFileSync(log, 'changed');
  const releaseUpTo = (last: number): void => {
    const released = Object.fromEntries(MACHINES.map((machine) => [machine, last]));
    writeFileSync(join(folder, 'released.json'), JSON.stringify(released));
  };
  releaseUpTo(version);
  t.notOk(writeGoldenLogs(folder, 'copilotPacer', true), 'released: never again');
  releaseUpTo(version - 1);
  t.notOk(writeGoldenLogs(folder, 'copilotPacer', false), 'and not by accident');
  t.equal(readFileSync(log, 'utf8'), 'changed');
  t.ok(writeGoldenLogs(folder, 'copilotPacer', true));
  t.not(readFileSync(log, 'utf8'), 'changed');
  t.end();
});
