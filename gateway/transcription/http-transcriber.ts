/**
 * Any endpoint that takes OpenAI's `POST {baseUrl}/audio/transcriptions`: a multipart form with `file`,
 * `model`, `language` (ISO 639-1) and `response_format`. One request a file; tries again are the queue's,
 * which is on disk (dialer/recordings/). The body of a refusal is not told: it may repeat what was sent.
 */
import { openAsBlob } from 'node:fs';
import { heardInJson } from './heard-speech.ts';
import {
  TranscriptionError,
  type HeardSpeech,
  type SpokenFile,
  type Transcriber,
} from './transcriber.port.ts';

export interface HttpTranscriberOptions {
  /** Without a slash at its end it is given one. */
  readonly baseUrl: string;
  readonly model: string;
  readonly responseFormat: 'verbose_json' | 'json';
  /** Empty: none is sent. */
  readonly apiKey: string;
  readonly timeoutMs: number;
}

/** A transcript of ten minutes is some 20 kB, with times four times that. */
const ANSWER_BYTES_MAX = 4_194_304;
/** Whoever asks for a longer pause is asked again after this one. */
const RETRY_AFTER_MAX_MS = 3_600_000;

export class HttpTranscriber implements Transcriber {
  readonly #options: HttpTranscriberOptions;
  readonly #url: string;

  constructor(options: HttpTranscriberOptions) {
    this.#options = options;
    this.#url = `${options.baseUrl.replace(/\/+$/, '')}/audio/transcriptions`;
  }

  async transcribe(file: SpokenFile): Promise<readonly HeardSpeech[]> {
    const { timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([timeout, file.signal]);
    try {
      const response = await this.#post(file, signal);
      if (response.ok) return heardInJson(await jsonOf(response), file.lengthMs);
      await response.body?.cancel();
      throw refused(response);
    } catch (error) {
      if (error instanceof TranscriptionError) throw error;
      if (timeout.aborted) {
        throw new TranscriptionError(`no answer within ${timeoutMs} ms`, { mayPass: true });
      }
      throw new TranscriptionError(`the endpoint cannot be reached${codeOf(error)}`, {
        mayPass: true,
      });
    }
  }

  async #post({ path, language }: SpokenFile, signal: AbortSignal): Promise<Response> {
    const { model, responseFormat, apiKey } = this.#options;
    const form = new FormData();
    form.append('file', await openAsBlob(path, { type: 'audio/wav' }), 'recording.wav');
    form.append('model', model);
    form.append('language', language.split(/[-_]/, 1)[0]?.toLowerCase() ?? language);
    form.append('response_format', responseFormat);
    return fetch(this.#url, {
      method: 'POST',
      body: form,
      headers: apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` },
      // The key and the recording go to the host that is configured, and to no other.
      redirect: 'error',
      signal,
    });
  }
}

/** Read by the piece: an answer without end does not fill the memory. */
async function jsonOf(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new TranscriptionError('the answer is too long', { mayPass: false });
    }
    chunks.push(chunk as Uint8Array);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new TranscriptionError('the answer is not JSON', { mayPass: false });
  }
}

/** Wrong key, wrong model, too long a file: the same comes of asking again. */
function refused(response: Response): TranscriptionError {
  const { status } = response;
  const mayPass = status >= 500 || status === 408 || status === 409 || status === 429;
  const retryAfterMs = mayPass ? retryAfterOf(response.headers.get('retry-after')) : undefined;
  return new TranscriptionError(`the endpoint answered ${status}`, { mayPass, retryAfterMs });
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function retryAfterOf(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : undefined;
}

/** `ECONNREFUSED`, and nothing of the message: it may hold what was sent. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  return typeof code === 'string' && code !== '' ? ` (${code})` : '';
}
