/**
 * `ringfence simulate`: the dialer's pacers in a world of virtual time, a scenario's or the one that an
 * engagement of the store has before it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Command } from 'commander';
import { readScenario } from '../simulator/read-scenario.ts';
import { simulate } from '../simulator/simulated-world.ts';
import type { SimulationResult } from '../simulator/world-report.ts';
import { FORECAST_RUNS_MAX } from '../dialer/forecast/forecast.schema.ts';
import { CliError } from './cli-error.ts';
import { forecastInWords, forecastOfStore } from './forecast-of-store.ts';
import { timeOption, wholeNumber } from './option-values.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface SimulateOptions {
  readonly seed: number;
  readonly json: boolean;
  readonly trace?: string;
  readonly engagement?: string;
  readonly runs: number;
  readonly representatives?: number;
  readonly at?: number;
  readonly config?: string;
  readonly store?: string;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('run the pacers in a simulated world, or forecast an engagement')
    .argument('[scenario]', 'a YAML file, or the name of a shipped world (simulator/worlds)')
    .option('--seed <n>', 'the same seed gives the same run', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--json', 'one JSON value on stdout', false)
    .option('--trace <file>', 'write every event and decision, as NDJSON')
    .option('--engagement <id>', 'forecast this one from its state in the store')
    .option('--runs <n>', 'futures of a forecast', wholeNumber(2, FORECAST_RUNS_MAX), 10)
    .option('--representatives <n>', 'what if there were so many', wholeNumber(1, 2_000))
    .option('--at <time>', 'forecast from then on, RFC 3339; default: now', timeOption)
    .option('--config <file>', 'configuration that names the store')
    .option('--store <file>', 'a SQLite file, instead');
}

export async function runSimulate(
  scenarioFile: string | undefined,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const { engagement } = options;
  if ((scenarioFile === undefined) === (engagement === undefined)) {
    throw new CliError('USAGE', 'Name a scenario, or an engagement: simulate --engagement <id>.');
  }
  if (engagement !== undefined) return runForecast(engagement, options, terminal);
  return runScenario(scenarioFile ?? '', options, terminal);
}

async function runForecast(
  engagement: string,
  { json, at: atMs = Date.now(), trace: _, ...options }: SimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const found = await forecastOfStore({ ...options, engagement, atMs });
  for (const line of forecastInWords(found)) say(terminal, line);
  if (json) await writeJson(terminal, found);
  return 0;
}

async function runScenario(
  scenarioFile: string,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const scenario = readScenario(scenarioFile);
  const { seed } = options;
  const trace = options.trace === undefined ? undefined : traceFile(options.trace);
  let result: SimulationResult;
  try {
    result = simulate(scenario, { seed, ...(trace === undefined ? {} : { trace: trace.write }) });
  } finally {
    trace?.close();
  }
  for (const line of inWords(result)) say(terminal, line);
  if (options.json) await writeJson(terminal, { ...result, seed });
  return 0;
}

/** Lines are gathered: a busy hour has half a million. */
function traceFile(path: string): { write: (line: object) => void; close: () => void } {
  const file = openSync(path, 'w');
  let lines: string[] = [];
  const flush = (): void => {
    writeSync(file, lines.join(''));
    lines = [];
  };
  return {
    write: (line) => {
      lines.push(`${JSON.stringify(line)}\n`);
      if (lines.length >= 2_000) flush();
    },
    close: () => {
      flush();
      closeSync(file);
    },
  };
}

function inWords(result: SimulationResult): readonly string[] {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  const limiters = Object.entries(result.decisions).sort(([, a], [, b]) => b - a);
  return [
    `${result.mode}, ${result.reps} representatives, ${result.hours} h: ` +
      `${percent(result.utilization)} utilised, ${percent(result.abandonmentRatio)} abandoned`,
    `${result.dialed} dialled, ${result.liveAnswers} answered by people, ` +
      `${result.abandoned} of them abandoned, ${result.cancelled} calls taken back`,
    `limited by ${limiters.map(([name, count]) => `${name} ${count} times`).join(', ')}`,
  ];
}
