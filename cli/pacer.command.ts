/**
 * `ringfence pacer --stdio`: the pacer as a filter, so that a world written by others can judge it.
 * NDJSON in, one decision out per tick, virtual time; docs/pacing.md has the vocabulary.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Command } from 'commander';
import { PacerCore } from '../dialer/pacing/pacer-core.ts';
import { pacerConfigLine, pacerEventLine, type TimedPacerEvent } from './pacer-lines.ts';
import { CliError } from './cli-error.ts';
import { say, type Terminal } from './terminal.ts';

export interface PacerOptions {
  readonly stdio: boolean;
  readonly explain: boolean;
}

export function pacerCommand(): Command {
  return new Command('pacer')
    .description('the pacer as a filter: events in, decisions out, in virtual time')
    .option('--stdio', 'NDJSON on stdin and stdout', false)
    .option('--explain', "add each decision's inputs to its line", false);
}

/** Exit code 0 when stdin ended well; 1 at the first line that cannot be understood. */
export async function runPacer(
  options: PacerOptions,
  terminal: Terminal,
  input: Readable = process.stdin,
): Promise<number> {
  if (!options.stdio) throw new CliError('USAGE', 'the pacer speaks over its pipes: pacer --stdio');
  let pacer: PacerCore | undefined;
  let lineNumber = 0;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber += 1;
      if (line.trim() === '') continue;
      if (pacer === undefined) {
        pacer = new PacerCore(pacerConfigLine(line));
        continue;
      }
      const event = pacerEventLine(line);
      if (event.atMs < lastAtMs)
        throw new Error(`atMs goes back, from ${lastAtMs} to ${event.atMs}`);
      lastAtMs = event.atMs;
      const answer = heard(pacer, event, options.explain);
      if (answer !== undefined) await written(terminal, answer);
    }
  } catch (error) {
    say(terminal, `line ${lineNumber}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  if (pacer !== undefined) return 0;
  say(terminal, 'line 1: there is no line: the first one is {"config":{...}}');
  return 1;
}

function heard(pacer: PacerCore, timed: TimedPacerEvent, explain: boolean): object | undefined {
  const { atMs, event } = timed;
  if (event.event !== 'tick') {
    pacer.note(atMs, event);
    return undefined;
  }
  const { start, cancel, binding, explanation } = pacer.tick(atMs);
  return { atMs, start, cancel, binding, ...(explain ? { explanation } : {}) };
}

/** Each line is out before the next is read: a world may wait for it. */
function written(terminal: Terminal, answer: object): Promise<void> {
  return new Promise((resolve) => {
    terminal.out.write(`${JSON.stringify(answer)}\n`, () => resolve());
  });
}
