/**
 * Writes the golden logs of a machine's new version. A version that has logs keeps them: its behaviour
 * is what they say. Only one that was never released may be written anew, with `--unreleased`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenLines, MACHINE_VERSIONS, type GoldenMachine } from './golden-log.ts';
import { GOLDEN_SCRIPTS } from './golden-scripts.ts';

export const GOLDEN_FOLDER = fileURLToPath(new URL('../fixtures/golden', import.meta.url));

/** The last version of each machine that a release carried; 0: none yet. */
export function lastReleased(folder: string, machine: GoldenMachine): number {
  const text = readFileSync(join(folder, 'released.json'), 'utf8');
  return (JSON.parse(text) as Record<GoldenMachine, number>)[machine];
}

/** False when the version keeps the logs that it has. */
export function writeGoldenLogs(folder: string, machine: GoldenMachine, anew: boolean): boolean {
  const version = MACHINE_VERSIONS[machine];
  const place = join(folder, `${machine}@${version}`);
  const mayRewrite = anew && version > lastReleased(folder, machine);
  if (existsSync(place) && !mayRewrite) return false;
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const [name, script] of Object.entries(GOLDEN_SCRIPTS[machine])) {
    writeFileSync(join(place, `${name}.jsonl`), `${goldenLines(script).join('\n')}\n`);
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const anew = process.argv.includes('--unreleased');
  for (const machine of Object.keys(MACHINE_VERSIONS) as GoldenMachine[]) {
    const isWritten = writeGoldenLogs(GOLDEN_FOLDER, machine, anew);
    process.stdout.write(`${machine}: ${isWritten ? 'written' : 'keeps its logs'}\n`);
  }
}
