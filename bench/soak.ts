/**
 * `npm run soak -- [--minutes N] [--rate N] [--legs N] [--json]`: 30 minutes at 50 attempts a second
 * with 200 live legs. Exit code 1 when anything leaks or stays behind.
 */
import { parseArgs } from 'node:util';
import { benchHost } from './bench-report.ts';
import { soak, type SoakReport } from './soak-run.ts';

function table({ verdicts }: SoakReport): string {
  const rows = Object.entries(verdicts).map(([name, verdict]) => [
    name,
    verdict.mean.toFixed(1),
    verdict.growth.toFixed(1),
    verdict.tolerance.toFixed(1),
    verdict.certainty.toFixed(1),
    verdict.leaks ? 'grows' : 'steady',
  ]);
  const all = [['count', 'mean', 'growth', 'allowed', 'slope / error', 'verdict'], ...rows];
  const widths = all[0]?.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  return all
    .map((row) => {
      return row.map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      });
    })
    .map((row) => `  ${row.join('  ')}`)
    .join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '50' },
      legs: { type: 'string', default: '200' },
      json: { type: 'boolean', default: false },
    },
  });
  const [minutes, rate, liveLegs] = [values.minutes, values.rate, values.legs].map(Number);
  if (!(Number(minutes) > 0) || !(Number(rate) > 0) || !(Number(liveLegs) > 0)) {
    console.error('--minutes, --rate and --legs take a number above 0');
    return 2;
  }
  if (globalThis.gc === undefined) {
    console.error('memory is looked at without its garbage: run node with --expose-gc');
    return 2;
  }
  const report = await soak({
    ...{ rate: Number(rate), liveLegs: Number(liveLegs), seconds: Number(minutes) * 60 },
    say: (line) => console.error(line),
  });
  const { started, answered, liveLegsPeak, samples, steadySeconds, failures, problems } = report;
  console.error(
    `${started} started, ${answered} answered, at most ${liveLegsPeak} live; ` +
      `${samples} samples over ${Math.round(steadySeconds)} s`,
  );
  for (const [why, count] of Object.entries(failures)) console.error(`  failed: ${count} ${why}`);
  console.error(table(report));
  if (!report.isSteady) {
    console.error(
      'Too short, or the rate was not kept: slopes are shown, and only what was left is judged.',
    );
  }
  for (const problem of problems) console.error(`PROBLEM: ${problem}`);
  console.error(problems.length === 0 ? 'Nothing leaks, and nothing was left.' : 'Not passed.');
  if (values.json) console.log(JSON.stringify({ host: benchHost(), ...report }));
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
