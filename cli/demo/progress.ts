/** A run as it goes, on stderr: a live bar on a terminal, now and then a plain line elsewhere. */
import { SingleBar } from 'cli-progress';
import type { Terminal } from '../terminal.ts';
import { say } from '../terminal.ts';

export interface RunState {
  readonly total: number;
  readonly inFlight: number;
  /** Of the contacts that are done. */
  readonly outcomes: readonly { readonly result: string | null; readonly status: string }[];
}

export interface Progress {
  update(state: RunState): void;
  end(state: RunState): void;
}

/** Plain lines come no closer than this: a log of a long run stays readable. */
const PLAIN_PAUSE_MS = 5_000;

export function startProgress(terminal: Terminal, nowMs: () => number): Progress {
  return terminal.err.isTTY === true ? liveBar(terminal) : plainLines(terminal, nowMs);
}

function liveBar(terminal: Terminal): Progress {
  const bar = new SingleBar({
    stream: terminal.err,
    format: '{bar} {value}/{total} done | {inFlight} in flight | {results}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    fps: 10,
  });
  let isStarted = false;
  const update = (state: RunState): void => {
    const payload = { inFlight: state.inFlight, results: tally(state.outcomes) };
    if (isStarted) bar.update(state.outcomes.length, payload);
    else bar.start(state.total, state.outcomes.length, payload);
    isStarted = true;
  };
  return {
    update,
    end(state) {
      update(state);
      bar.stop();
    },
  };
}

function plainLines(terminal: Terminal, nowMs: () => number): Progress {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let lastLine = '';
  const print = (state: RunState): void => {
    const line = progressLine(state);
    lastAtMs = nowMs();
    if (line !== lastLine) say(terminal, line);
    lastLine = line;
  };
  return {
    update(state) {
      if (nowMs() - lastAtMs >= PLAIN_PAUSE_MS) print(state);
    },
    end: print,
  };
}

export function progressLine({ total, inFlight, outcomes }: RunState): string {
  const done = `${String(outcomes.length)}/${String(total)} done, ${String(inFlight)} in flight`;
  const results = tally(outcomes);
  return results === '' ? done : `${done}: ${results}`;
}

/** `Busy 4, NoAnswer 3`, most frequent first. */
function tally(outcomes: RunState['outcomes']): string {
  const counts = new Map<string, number>();
  for (const { result, status } of outcomes) {
    const name = result ?? status;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${String(count)}`)
    .join(', ');
}
