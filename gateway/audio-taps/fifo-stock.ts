/**
 * FIFOs made before they are needed, many with one `mkfifo`: starting a program for each call would cost
 * the host more than all that is heard through it. Each serves one tap, so that no call hears what
 * another left behind.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MADE_AT_ONCE = 32;
/** Fewer left than this: the next are made already. */
const LEFT_MIN = 8;

export class FifoStock {
  readonly #folder: string;
  readonly #paths: string[] = [];
  #making: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of one that nobody has used. Rejects with what `mkfifo` said. */
  async take(): Promise<string> {
    let path = this.#paths.pop();
    while (path === undefined) {
      await this.#make();
      path = this.#paths.pop();
    }
    if (this.#paths.length < LEFT_MIN) this.#make().catch(() => undefined); // told when needed
    return path;
  }

  #make(): Promise<void> {
    this.#making ??= this.#makeSome().finally(() => (this.#making = undefined));
    return this.#making;
  }

  async #makeSome(): Promise<void> {
    const paths = Array.from({ length: MADE_AT_ONCE }, () =>
      join(this.#folder, `${randomUUID()}.raw`),
    );
    await promisify(execFile)('mkfifo', ['-m', '660', ...paths]);
    this.#paths.push(...paths);
  }
}
