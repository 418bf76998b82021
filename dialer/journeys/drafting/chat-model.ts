/**
 * Any endpoint in the form of OpenAI's chat completions: `POST {url}/chat/completions` with `model` and
 * `messages`, answered with `choices[0].message.content`.
 */
import { request as overHttp, type IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isRefused, webhookFault } from '../../../config/webhook-address.ts';
import { isRecord } from '../../../journey-core/interpreter/json-value.ts';
import { guardedLookup } from '../guarded-lookup.ts';
import { DraftModelError, type ChatMessage, type DraftModel } from './draft-model.ts';

export interface ChatModelSettings {
  /** https, or http on this machine; without a slash at the end. */
  readonly url: string;
  /** Empty: none is sent. Never shown or logged. */
  readonly key: string;
  readonly model: string;
  /** From the connection to the last byte of the answer. ms */
  readonly timeoutMs: number;
}

const ANSWER_BYTES_MAX = 1_048_576;

export class ChatModel implements DraftModel {
  readonly name: string;
  readonly #settings: ChatModelSettings;

  constructor(settings: ChatModelSettings) {
    this.name = settings.model;
    this.#settings = settings;
  }

  async complete(messages: readonly ChatMessage[]): Promise<string> {
    const { url, key, model } = this.#settings;
    if (webhookFault(url, { onLoopback: true, allowInsecure: false }) !== undefined) {
      throw new DraftModelError('refused', 'its address is not to be asked');
    }
    const body = JSON.stringify({ model, messages, temperature: 0, stream: false });
    const headers = {
      ...{ 'content-type': 'application/json', accept: 'application/json' },
      ...{ 'content-length': Buffer.byteLength(body), 'user-agent': 'Ringfence' },
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    };
    const { status, text } = await this.#post(new URL(`${url}/chat/completions`), headers, body);
    if (status < 200 || status > 299) {
      throw new DraftModelError('status', `it answered ${status}`);
    }
    return contentOf(text);
  }

  /** Redirects are not followed: the key would go with them. */
  async #post(
    url: URL,
    headers: Record<string, string | number>,
    body: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const ask = url.protocol === 'https:' ? overHttps : overHttp;
    const signal = AbortSignal.timeout(this.#settings.timeoutMs);
    // Without TLS it has to be this machine, whatever its name leads to now.
    const isClear = url.protocol === 'http:';
    const rest = { method: 'POST', headers, signal, agent: false, lookup: lookupWithin(isClear) };
    try {
      return await new Promise((resolve, reject) => {
        const request = ask(url, rest, (response) => {
          readText(response).then(resolve, reject);
        });
        request.on('error', reject);
        request.end(body);
      });
    } catch (error) {
      if (error instanceof DraftModelError) throw error;
      if (signal.aborted) {
        throw new DraftModelError('timeout', `no answer in ${this.#settings.timeoutMs} ms`);
      }
      throw new DraftModelError('unreachable', 'it cannot be reached');
    }
  }
}

async function readText(
  response: IncomingMessage,
): Promise<{ readonly status: number; readonly text: string }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      response.destroy();
      throw new DraftModelError('unreadable', 'its answer is larger than 1 MiB');
    }
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') };
}

function contentOf(text: string): string {
  const answer = jsonOf(text);
  const choices = isRecord(answer) ? answer['choices'] : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message = isRecord(first) ? first['message'] : undefined;
  const content = isRecord(message) ? message['content'] : undefined;
  if (typeof content === 'string') return content;
  throw new DraftModelError('unreadable', 'its answer is no chat completion with a text');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DraftModelError('unreadable', 'its answer is no JSON');
  }
}

/** Never a link-local address; `onlyHere`: nothing but this machine. */
function lookupWithin(onlyHere: boolean): LookupFunction {
  return guardedLookup(
    (address) => !isRefused(address, true) && (!onlyHere || isRefused(address, false)),
    () => new DraftModelError('refused', 'its address is not to be asked'),
  );
}
