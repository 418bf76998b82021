/** `ringfence start` in a process of its own, as whoever runs it has it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Json } from './api-rig.ts';
import { RINGFENCE } from './own-script.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAFETY_MS = 150_000;

export interface ServiceOptions {
  readonly args?: readonly string[];
  /** Beside those that keep it apart from everything else on this machine. */
  readonly env?: Readonly<Record<string, string>>;
}

export class ServiceProcess {
  readonly url: string;
  readonly key: string;
  readonly storeFile: string;
  readonly uploadFolder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #said: { text: string };

  /** Resolves when it is ready; rejects with what it said when it ends before. */
  static async start(
    t: Test,
    { args = [], env = {} }: ServiceOptions = {},
  ): Promise<ServiceProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-service-'));
    const storeFile = join(folder, 'store.db');
    const uploadFolder = join(folder, 'uploads');
    const child = spawn(process.execPath, [...RINGFENCE, 'start', '--json', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        RINGFENCE_STORE_FILE: storeFile,
        RINGFENCE_HTTP_UPLOAD_FOLDER: uploadFolder,
        RINGFENCE_HTTP_PORT: '0',
        RINGFENCE_SOFTSWITCH_SIP_PORT: '0',
        ...env,
      },
    });
    const safety = setTimeout(() => child.kill('SIGKILL'), SAFETY_MS);
    t.teardown(() => {
      clearTimeout(safety);
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
    const said = { text: '' };
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.text += text));
    const ended = once(child, 'close').then(([exitCode]) => exitCode as number | null);
    const ready = await new Promise<Json>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('\n')) resolve(JSON.parse(text) as Json);
      });
      void ended.then(() => reject(new Error(`the service ended: ${said.text}`)));
    });
    return new ServiceProcess({ child, ended, said, ready, storeFile, uploadFolder });
  }

  private constructor(made: {
    child: ChildProcess;
    ended: Promise<number | null>;
    said: { text: string };
    ready: Json;
    storeFile: string;
    uploadFolder: string;
  }) {
    this.#child = made.child;
    this.#ended = made.ended;
    this.#said = made.said;
    this.storeFile = made.storeFile;
    this.uploadFolder = made.uploadFolder;
    this.url = String(made.ready['http']);
    this.key = String(made.ready['adminKey']);
  }

  /** What it told people so far. */
  get said(): string {
    return this.#said.text;
  }

  async ask(path: string, body?: unknown): Promise<Json> {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Json;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Its exit code. */
  end(): Promise<number | null> {
    return this.#ended;
  }
}
