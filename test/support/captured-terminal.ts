/** A terminal that keeps what a command writes. */
import { Writable } from 'node:stream';
import type { Terminal } from '../../cli/terminal.ts';

export class CapturedTerminal implements Terminal {
  #stdout = '';
  #stderr = '';

  readonly out = {
    write: (text: string, done?: () => void): void => {
      this.#stdout += text;
      done?.();
    },
  };

  readonly err = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      this.#stderr += chunk;
      done();
    },
  });

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }
}
