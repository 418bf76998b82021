/**
 * `npm run bench -- NAME [--seconds N] [--rate N] [--tasks N] [--part NAME]
 * [--share N] [--corpus DIR] [--json]`. People read stderr; with --json stdout holds exactly one JSON
 * value. A missed target is a measurement, not a failure: exit code 0 means that the benchmark ran.
 */
import { parseArgs } from 'node:util';
import { reportInWords, type BenchOptions, type BenchReport } from './bench-report.ts';

interface Benchmark {
  readonly rate: number;
  readonly seconds: number;
  readonly parts?: readonly string[];
  readonly load: () => Promise<(options: BenchOptions) => Promise<BenchReport>>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  gateway: {
    rate: 100,
    seconds: 60,
    load: async () => (await import('./gateway.ts')).benchGateway,
  },
  amd: {
    rate: 1,
    seconds: 1,
    load: async () => (await import('./amd.ts')).benchAmd,
  },
  dialer: {
    rate: 50,
    seconds: 10,
    parts: ['claims', 'import', 'next'],
    load: async () => (await import('./dialer.ts')).benchDialer,
  },
  journeys: {
    // There is no load to offer: everything is due at once.
    rate: 1,
    seconds: 10,
    parts: ['transitions', 'waiting'],
    load: async () => (await import('./journeys.ts')).benchJourneys,
  },
  legs: {
    // How quickly the legs are set up: nothing of it is measured.
    rate: 25,
    seconds: 30,
    load: async () => (await import('./legs.ts')).benchLegs,
  },
  pacing: {
    // Simulated time: neither has a meaning here.
    rate: 1,
    seconds: 1,
    parts: ['decision', 'reference', 'jump', 'worlds', 'days'],
    load: async () => (await import('./pacing/pacing.ts')).benchPacing,
  },
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      tasks: { type: 'string' },
      part: { type: 'string' },
      share: { type: 'string' },
      corpus: { type: 'string' },
    },
  });
  const [name = ''] = positionals;
  const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined || positionals.length !== 1) {
    const names = Object.keys(BENCHMARKS).join(', ');
    console.error(
      `usage: npm run bench -- NAME [--seconds N] [--rate N] [--tasks N] [--part NAME] [--share N] [--corpus DIR] [--json]; NAME: ${names}`,
    );
    return 2;
  }
  const seconds = Number(values.seconds ?? benchmark.seconds);
  const rate = Number(values.rate ?? benchmark.rate);
  if (!(seconds > 0) || !(rate > 0)) {
    console.error('--seconds and --rate take a number above 0');
    return 2;
  }
  const tasks = values.tasks === undefined ? undefined : Number(values.tasks);
  if (tasks !== undefined && !(Number.isInteger(tasks) && tasks >= 1_000)) {
    console.error('--tasks takes a whole number of at least 1000');
    return 2;
  }
  const share = values.share === undefined ? undefined : Number(values.share);
  if (share !== undefined && !(share > 0 && share <= 1)) {
    console.error('--share takes a number above 0 and at most 1');
    return 2;
  }
  const { part, corpus } = values;
  if (part !== undefined && !(benchmark.parts ?? []).includes(part)) {
    console.error(`--part takes one of: ${(benchmark.parts ?? []).join(', ') || 'none here'}`);
    return 2;
  }
  const run = await benchmark.load();
  const say = (line: string): void => console.error(line);
  const some = {
    ...(tasks === undefined ? {} : { tasks }),
    ...(part === undefined ? {} : { part }),
    ...(share === undefined ? {} : { share }),
    ...(corpus === undefined ? {} : { corpus }),
  };
  const report = await run({ seconds, rate, say, ...some });
  if (values.json) console.log(JSON.stringify(report));
  else console.error(reportInWords(report));
  return 0;
}

process.exitCode = await main();
