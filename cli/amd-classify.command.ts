/** `ringfence amd classify FILE.wav...`: what the detector makes of recorded calls. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { classifyRecording, type ClassifiedRecording } from './classify-recording.ts';
import { wholeNumber } from './option-values.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface AmdClassifyOptions {
  readonly limitMs: number;
  readonly initialSilenceMs: number;
  readonly json: boolean;
}

interface Unread {
  readonly file: string;
  readonly error: string;
}

export function amdCommand(): Command {
  const classify = new Command('classify')
    .description('say who answered in each recording: a person, a machine, a fax, nobody')
    .argument('<file...>', 'WAV of any rate, mono or stereo: PCM, float, µ-law or A-law')
    .option(
      '--limit-ms <ms>',
      'verdict at the latest, from first speech (1000 to 7000)',
      wholeNumber(1_000, 7_000),
      3_000,
    )
    .option(
      '--initial-silence-ms <ms>',
      'verdict without any speech, from the first sample',
      wholeNumber(0, 30_000),
      2_500,
    )
    .option('--json', 'one JSON value a file on stdout', false);
  return new Command('amd').description('answering machine detection').addCommand(classify);
}

/** Exit code 0 when every file could be read. */
export async function runAmdClassify(
  files: readonly string[],
  options: AmdClassifyOptions,
  terminal: Terminal,
): Promise<number> {
  let exitCode = 0;
  say(terminal, headline());
  for (const file of files) {
    const outcome = await classified(file, options);
    if ('error' in outcome) exitCode = 1;
    say(terminal, 'error' in outcome ? `${file}: ${outcome.error}` : lineOf(outcome));
    if (options.json) await writeJson(terminal, outcome);
  }
  return exitCode;
}

async function classified(
  file: string,
  { limitMs, initialSilenceMs }: AmdClassifyOptions,
): Promise<ClassifiedRecording | Unread> {
  try {
    return classifyRecording(file, await readFile(file), { limitMs, initialSilenceMs });
  } catch (error) {
    return { file, error: error instanceof Error ? error.message : String(error) };
  }
}

const WIDTHS = [8, 8, 9, 9, 12, 8] as const;

function headline(): string {
  return row(['verdict', 'as', 'P(human)', 'decided', 'greeting end', 'beep'], 'file');
}

function lineOf(found: ClassifiedRecording): string {
  const { verdict, treatedAs, probability, decisionMs, greetingEndMs, beepMs, file } = found;
  const cells = [verdict, treatedAs, probability.toFixed(3), inSeconds(decisionMs)];
  return row([...cells, inSeconds(greetingEndMs), inSeconds(beepMs)], file);
}

function row(cells: readonly string[], file: string): string {
  return [...cells.map((cell, i) => cell.padEnd(WIDTHS[i] as number)), file].join('  ');
}

function inSeconds(ms: number | null): string {
  return ms === null ? '-' : `${(ms / 1_000).toFixed(2)} s`;
}
