/**
 * espeak-ng as a program: each text is made once, into a wav file that is kept. Speaking takes some 50 ms
 * of a core, so few run at once and the dial has what it may need made before anybody answers.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Speech, Spoken } from './speech.port.ts';
import { forLocale, type SpokenPrompt } from './spoken-prompt.ts';

export interface EspeakOptions {
  readonly folder: string;
  readonly filesMax: number;
  readonly wordsPerMinute: number;
  /** By locale and language, as espeak-voices.ts has them. */
  readonly voices: ReadonlyMap<string, string>;
  readonly onProblem: (problem: string) => void;
}

const AT_ONCE_MAX = 2;
/** A minute of text is spoken in a tenth of a second: this is a program that hangs. */
const LIMIT_MS = 20_000;
/** How many are made between two looks at the folder's size. */
const TIDY_EVERY = 100;

export class EspeakSpeech implements Speech {
  readonly #options: EspeakOptions;
  readonly #inHand = new Map<string, Promise<Spoken | undefined>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #made = 0;

  constructor(options: EspeakOptions) {
    this.#options = options;
  }

  speak(prompt: SpokenPrompt): Promise<Spoken | undefined> {
    const voice = forLocale(prompt.locale, this.#options.voices);
    if (voice === undefined) {
      this.#options.onProblem(`espeak-ng has no voice for ${prompt.locale}`);
      return Promise.resolve(undefined);
    }
    const { folder, wordsPerMinute } = this.#options;
    const name = createHash('sha256')
      .update(JSON.stringify([voice, wordsPerMinute, prompt.text]))
      .digest('hex');
    const known = this.#inHand.get(name);
    if (known !== undefined) return known;
    const path = join(folder, `${name}.wav`);
    const made = this.#findOrMake(path, voice, prompt.text).finally(() =>
      this.#inHand.delete(name),
    );
    this.#inHand.set(name, made);
    return made;
  }

  async #findOrMake(path: string, voice: string, text: string): Promise<Spoken | undefined> {
    try {
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) await this.#make(path, voice, text);
      // The oldest are forgotten first: by when they were needed last, to the day.
      else if (Date.now() - found.mtimeMs > 86_400_000) await utimes(path, new Date(), new Date());
      return { kind: 'file', path };
    } catch (error) {
      this.#options.onProblem((error as Error).message);
      return undefined;
    }
  }

  async #make(path: string, voice: string, text: string): Promise<void> {
    await this.#takeTurn();
    const { folder, wordsPerMinute } = this.#options;
    // Named from inside the folder: espeak-ng has room for 200 characters and takes no more.
    const name = `${randomUUID()}.part`;
    const part = join(folder, name);
    try {
      const speed = String(wordsPerMinute);
      await run(['-v', voice, '-s', speed, '-b', '1', '--stdin', '-w', name], text, folder);
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
    this.#made += 1;
    if (this.#made % TIDY_EVERY === 1) await this.#tidy();
  }

  async #takeTurn(): Promise<void> {
    while (this.#running >= AT_ONCE_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }

  async #tidy(): Promise<void> {
    const { folder, filesMax } = this.#options;
    const names = (await readdir(folder)).filter((name) => name.endsWith('.wav'));
    if (names.length <= filesMax) return;
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(folder, name);
        return { path, mtimeMs: (await stat(path)).mtimeMs };
      }),
    );
    files.sort((a, b) => a.mtimeMs - b.mtimeMs);
    const tooMany = files.slice(0, files.length - Math.floor(filesMax * 0.9));
    await Promise.all(tooMany.map(({ path }) => rm(path, { force: true })));
  }
}

/** Rejects with what the program said when it fails. The text goes in by stdin: it may begin with a dash. */
function run(args: readonly string[], text: string, cwd: string): Promise<void> {
  const child = spawn('espeak-ng', args, { timeout: LIMIT_MS, stdio: 'pipe', cwd });
  child.stdout.resume();
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  child.stdin.on('error', () => undefined); // told by its exit code
  child.stdin.end(text);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`espeak-ng: ${complaint.trim() || `exit code ${code}`}`));
    });
  });
}
