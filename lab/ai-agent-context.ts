/**
 * The contract of docs/ai-agents.md from the bot builder's side, written from that page alone: nothing
 * of the dialer is imported, so that a change of the contract on one side fails a test.
 */
import { headerOf, type SipRequest } from '../softswitch/sip/message.ts';

export interface AgentContext {
  readonly by: 'inline' | 'url' | null;
  readonly attributes: Readonly<Record<string, string>>;
}

const HTTP_LIMIT_MS = 5_000;

export class ContextReference {
  readonly #url: string | undefined;
  readonly #token: string | undefined;
  readonly #inline: string | undefined;

  constructor(invite: SipRequest) {
    const reference = /^<([^>]+)>(?:;token=([A-Za-z0-9_-]+))?$/.exec(
      headerOf(invite, 'X-Ringfence-Context') ?? '',
    );
    this.#url = reference?.[1];
    this.#token = reference?.[2];
    this.#inline = headerOf(invite, 'X-Ringfence-Context-Data');
  }

  get hasUrl(): boolean {
    return this.#url !== undefined;
  }

  /** The context in the INVITE where it fits, else by GET. */
  async read(): Promise<AgentContext> {
    if (this.#inline !== undefined) {
      const json = Buffer.from(this.#inline, 'base64url').toString('utf8');
      return { by: 'inline', attributes: attributesIn(JSON.parse(json)) };
    }
    if (this.#url === undefined) return { by: null, attributes: {} };
    const response = await this.#fetch('', { method: 'GET' });
    if (!response.ok) throw new Error(`GET of the context: ${response.status}`);
    return { by: 'url', attributes: attributesIn(await response.json()) };
  }

  /** POST to `<url>/results` or `<url>/escalation`; the HTTP status. */
  async post(what: 'results' | 'escalation', attributes: object): Promise<number> {
    const response = await this.#fetch(`/${what}`, {
      method: 'POST',
      body: JSON.stringify({ attributes }),
      headers: { 'content-type': 'application/json' },
    });
    await response.arrayBuffer();
    return response.status;
  }

  #fetch(
    path: string,
    init: { method: string; body?: string; headers?: Record<string, string> },
  ): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token ?? ''}` };
    const signal = AbortSignal.timeout(HTTP_LIMIT_MS);
    return fetch(`${this.#url ?? ''}${path}`, { ...init, headers, signal });
  }
}

function attributesIn(context: unknown): Record<string, string> {
  const { attributes } = context as { attributes?: Record<string, string> };
  return { ...attributes };
}
