/**
 * Hands a message over to whoever sends it: one signed POST. The receiver can check that it came from
 * here and is no repetition of an old one: HMAC-SHA256 over `timestamp.body` with the secret that both
 * know, and the time in the clear beside it. docs/journeys/sending.md has a receiver.
 */
import { createHmac } from 'node:crypto';
import { request as overHttp, type IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isRefused, webhookFault } from '../../../config/webhook-address.ts';
import { isRecord, textIn } from '../../../journey-core/interpreter/json-value.ts';
import { guardedLookup } from '../guarded-lookup.ts';

export interface WebhookTarget {
  readonly name: string;
  /** http or https. */
  readonly url: string;
  /** Known to both sides; never shown or logged. */
  readonly secret: string;
}

export interface WebhookSettings {
  readonly targets: readonly WebhookTarget[];
  /** Receivers on this machine, also without TLS. Default: they are refused. */
  readonly onLoopback: boolean;
  /** Without TLS beyond this machine. Default: refused; addresses of people would be in the clear. */
  readonly allowInsecure: boolean;
  /** From the connection to the last byte of the answer. ms */
  readonly timeoutMs: number;
  /** After so many tries without an answer a message is not sent. */
  readonly triesMax: number;
}

export type WebhookAnswer =
  | { readonly is: 'sent' }
  | { readonly is: 'notSent'; readonly reason: string }
  /** Taken; the outcome will be told by `POST /v1/journeys/messages/{key}/result`. */
  | { readonly is: 'accepted' }
  /** Not now, or nobody knows. `afterMs` is the receiver's wish. */
  | { readonly is: 'unknown'; readonly reason: string; readonly afterMs: number | null };

export const SIGNATURE_HEADER = 'ringfence-signature';
export const TIMESTAMP_HEADER = 'ringfence-timestamp';

/** `v1=` and the HMAC-SHA256 of `timestamp.body` in hex; `timestamp` in whole seconds since 1970. */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

const ANSWER_BYTES_MAX = 65_536;

export class Webhooks {
  readonly #settings: WebhookSettings;
  readonly #targets: ReadonlyMap<string, WebhookTarget>;

  constructor(settings: WebhookSettings) {
    this.#settings = settings;
    this.#targets = new Map(settings.targets.map((target) => [target.name, target]));
  }

  get timeoutMs(): number {
    return this.#settings.timeoutMs;
  }

  get triesMax(): number {
    return this.#settings.triesMax;
  }

  has(name: string): boolean {
    return this.#targets.has(name);
  }

  /** Never throws: what went wrong is an answer. */
  async post(name: string, key: string, body: string, nowMs: number): Promise<WebhookAnswer> {
    const target = this.#targets.get(name);
    if (target === undefined) return { is: 'notSent', reason: 'webhook_missing' };
    if (webhookFault(target.url, this.#settings) !== undefined)
      return { is: 'notSent', reason: 'webhook_refused' };
    const timestamp = Math.floor(nowMs / 1_000);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Ringfence',
      'idempotency-key': key,
      [TIMESTAMP_HEADER]: timestamp,
      [SIGNATURE_HEADER]: signatureOf(target.secret, timestamp, body),
    };
    try {
      const { onLoopback } = this.#settings;
      const lookup = guardedLookup(
        (address) => !isRefused(address, onLoopback),
        (hostname) => new AddressRefused(hostname),
      );
      return answerOf(await this.#send(new URL(target.url), { headers, lookup }, body));
    } catch (error) {
      const isRefused = error instanceof AddressRefused;
      if (isRefused) return { is: 'notSent', reason: 'webhook_refused' };
      return { is: 'unknown', reason: 'unreachable', afterMs: null };
    }
  }

  /** Redirects are not followed: they could lead where a target may not be. */
  #send(
    url: URL,
    rest: { readonly headers: Record<string, string | number>; readonly lookup: LookupFunction },
    body: string,
  ): Promise<RawAnswer> {
    const ask = url.protocol === 'https:' ? overHttps : overHttp;
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(this.#settings.timeoutMs);
      const request = ask(url, { ...rest, method: 'POST', signal, agent: false }, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}

interface RawAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

async function readAnswer(response: IncomingMessage): Promise<RawAnswer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      response.destroy();
      break;
    }
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  const { statusCode: status = 0, headers } = response;
  return { status, retryAfter: headers['retry-after'], text };
}

/** Asked for later, or another time the same: not the receiver's last word. */
const PASSING = [408, 425, 429];

function answerOf({ status, retryAfter, text }: RawAnswer): WebhookAnswer {
  if (status >= 200 && status < 300) {
    if (status === 202) return { is: 'accepted' };
    const said = outcomeIn(text);
    if (said?.outcome !== 'notSent') return { is: 'sent' };
    return { is: 'notSent', reason: said.reason ?? 'refused' };
  }
  if (status >= 500 || PASSING.includes(status)) {
    return { is: 'unknown', reason: `http_${status}`, afterMs: waitOf(retryAfter) };
  }
  return { is: 'notSent', reason: `http_${status}` };
}

function outcomeIn(text: string): { outcome?: string; reason?: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return undefined;
    const [outcome, reason] = [textIn(value, 'outcome'), textIn(value, 'reason')];
    return {
      ...(outcome === undefined ? {} : { outcome }),
      ...(reason === undefined ? {} : { reason: reason.slice(0, 200) }),
    };
  } catch {
    return undefined;
  }
}

/** Whole seconds (RFC 9110 §10.2.3); dates are not heeded. */
function waitOf(retryAfter: string | undefined): number | null {
  return retryAfter !== undefined && /^\d{1,5}$/.test(retryAfter)
    ? Number(retryAfter) * 1_000
    : null;
}

class AddressRefused extends Error {}
