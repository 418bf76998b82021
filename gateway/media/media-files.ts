/**
 * The files that the gateway shares with its media servers, over HTTP, so that they need no common
 * disk: prompts are read (GET), recordings are delivered (PUT). FreeSWITCH takes an `http://` URL
 * wherever it takes a file name; so does the embedded switch. See docs/adr/0004.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DialerError } from '../../machines/errors.ts';
import type { Speech } from '../speech/speech.port.ts';
import { promptFiles, promptPath, promptVersion, type PromptFiles } from './prompts.ts';

export interface MediaFilesOptions {
  /** Address of ours that media servers reach; never more than that one is listened on. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly promptsDir: string;
  readonly speech?: SpeechFiles;
}

/** What speaks, and the folder of what it has spoken: undefined while nothing is kept here. */
export interface SpeechFiles extends Speech {
  readonly folder: string | undefined;
}

export interface ExpectedRecording {
  /** What a media server is told to record to. Good for one delivery; nobody can guess it. */
  readonly url: string;
  /** Bytes delivered, once the whole file is at its path. Rejects when the delivery broke off. */
  readonly arrived: Promise<number>;
  /** Takes no delivery any more. */
  forget(): void;
}

interface Awaited {
  readonly path: string;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: Error) => void;
}

const PROMPT_URL = /^\/prompts\/([a-z0-9-]+)\/([^/]+)\.wav$/;
const SPEECH_URL = /^\/speech\/([0-9a-f]{64}\.wav)$/;
const RECORDING_URL = /^\/recordings\/([0-9a-f-]{36})\.[a-z0-9]+$/;
const YEAR_S = 31_536_000;
/** A recording that stops arriving for so long is given up. */
const IDLE_MS_MAX = 30_000;

export class MediaFiles {
  readonly prompts: PromptFiles;
  /** Rejects with MEDIA_CONNECT_FAILED when the address cannot be listened on. */
  readonly listening: Promise<void>;
  readonly #options: MediaFilesOptions;
  readonly #awaited = new Map<string, Awaited>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(options: MediaFilesOptions) {
    this.#options = options;
    this.prompts = promptFiles(options.promptsDir, () => this.#baseUrl(), options.speech);
    this.#server.setTimeout(IDLE_MS_MAX);
    this.listening = this.#listen();
    this.listening.catch(() => undefined); // told to whoever waits for it
  }

  expectRecording(path: string): ExpectedRecording {
    const id = randomUUID();
    const arrived = new Promise<number>((resolve, reject) => {
      this.#awaited.set(id, { path, resolve, reject });
    });
    arrived.catch(() => undefined);
    const url = `${this.#baseUrl()}/recordings/${id}${extname(path)}`;
    return { url, arrived, forget: () => void this.#awaited.delete(id) };
  }

  async close(): Promise<void> {
    await this.listening.catch(() => undefined);
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #baseUrl(): string {
    const { host } = this.#options;
    const port = (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
    return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options;
    try {
      this.#server.listen(port, host);
      await once(this.#server, 'listening');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const detail = `prompts cannot be offered at ${host}:${port}: ${why}`;
      throw new DialerError('MEDIA_CONNECT_FAILED', detail, { cause: error });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // mod_httapi adds parameters of its own to what it delivers.
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const { method } = request;
    try {
      if (method === 'GET' || method === 'HEAD') await this.#give(path, request, response);
      else if (method === 'PUT') await this.#take(path, request, response);
      else end(response, 405);
    } catch {
      if (response.headersSent) response.destroy();
      else end(response, 500);
    }
  }

  async #give(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = this.#fileOf(path);
    const version = asked && promptVersion(asked.file);
    // Another version than the one asked for would be kept under the wrong name for a day.
    if (asked === undefined || version === undefined || (asked.version ?? version) !== version) {
      end(response, 404);
      return;
    }
    const { file } = asked;
    response.writeHead(200, {
      'content-type': 'audio/wav',
      'content-length': Number.parseInt(version.split('-')[1] ?? '', 36),
      'cache-control': `max-age=${YEAR_S}, immutable`,
      etag: `"${version}"`,
    });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(file), response);
  }

  /** What has been spoken is named by its text: it has one version. */
  #fileOf(path: string): { file: string; version?: string } | undefined {
    const folder = this.#options.speech?.folder;
    const spoken = SPEECH_URL.exec(path)?.[1];
    if (spoken !== undefined)
      return folder === undefined ? undefined : { file: join(folder, spoken) };
    const [, version, prompt] = PROMPT_URL.exec(path) ?? [];
    const file = prompt === undefined ? undefined : promptPath(this.#options.promptsDir, prompt);
    return file === undefined || version === undefined ? undefined : { file, version };
  }

  async #take(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = RECORDING_URL.exec(path)?.[1] ?? '';
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) {
      end(response, 404);
      return;
    }
    this.#awaited.delete(id);
    const part = `${awaited.path}.part`;
    try {
      const file = createWriteStream(part, { mode: 0o640 });
      await pipeline(request, file);
      await rename(part, awaited.path);
      end(response, 201);
      awaited.resolve(file.bytesWritten);
    } catch (error) {
      await rm(part, { force: true });
      awaited.reject(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }
}

function end(response: ServerResponse, status: number): void {
  // What was not read of the request must not be taken for the next one.
  response.writeHead(status, { 'content-length': 0, connection: 'close' }).end();
}
