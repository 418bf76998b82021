/**
 * A recording for another host: written to a file of our own, and delivered when it is complete. As
 * with mod_httapi, what could not be delivered is gone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { deliver } from '../http-file.ts';
import type { AudioSink } from './audio-sink.ts';

export class HttpSink implements AudioSink {
  readonly #url: string;
  readonly #file: string;
  readonly #sink: AudioSink;

  /** `openFile` opens the file that is written first. */
  static async open(
    url: string,
    openFile: (path: string) => Promise<AudioSink>,
  ): Promise<HttpSink> {
    const folder = await mkdtemp(join(tmpdir(), 'ringfence-recording-'));
    try {
      const file = join(folder, basename(new URL(url).pathname));
      return new HttpSink(url, file, await openFile(file));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(url: string, file: string, sink: AudioSink) {
    this.#url = url;
    this.#file = file;
    this.#sink = sink;
  }

  get onFailed(): (() => void) | undefined {
    return this.#sink.onFailed;
  }

  set onFailed(listener: (() => void) | undefined) {
    this.#sink.onFailed = listener;
  }

  write(pcm: Int16Array): void {
    this.#sink.write(pcm);
  }

  async close(): Promise<void> {
    await this.#sink.close();
    await deliver(this.#file, this.#url).catch(() => undefined);
    await rm(dirname(this.#file), { recursive: true, force: true });
  }
}
