/** The two streams of a command: people read stderr, programs read stdout. */

export interface Output {
  write(text: string, done?: () => void): unknown;
  readonly isTTY?: boolean;
}

export interface Terminal {
  readonly out: Output;
  readonly err: Output & NodeJS.WritableStream;
}

export const processTerminal: Terminal = { out: process.stdout, err: process.stderr };

export function say(terminal: Terminal, line: string): void {
  terminal.err.write(`${line}\n`);
}

/** The one JSON value of a command that was asked for `--json`. */
export function writeJson(terminal: Terminal, value: unknown): Promise<void> {
  return new Promise((resolve) => {
    terminal.out.write(`${JSON.stringify(value)}\n`, () => resolve());
  });
}
