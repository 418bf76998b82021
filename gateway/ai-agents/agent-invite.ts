/** The INVITE towards an AI agent: where it goes, and how the agent learns its context. */
import { readTrunkAddress } from '../../config/trunk-address.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';

export const CONTEXT_HEADER = 'X-Ringfence-Context';
export const CONTEXT_DATA_HEADER = 'X-Ringfence-Context-Data';

/** Of the base64url text. A SIP message over UDP must stay far below 64 kB, and most stacks' limits. */
export const CONTEXT_DATA_MAX = 800;
const CONTEXT_URL_MAX = 512;

export type AgentInvite =
  | { readonly ok: true; readonly uri: string; readonly headers: Record<string, string> }
  | { readonly ok: false; readonly problem: string };

/** Nothing that could end a header, a parameter or a URI. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;
const USER = /^[A-Za-z0-9\-_.!~*'()&=+$,%]{1,128}$/;

/**
 * Names inside the context keep their case because they travel in JSON: SIP header names are
 * case-insensitive, and proxies do change them. No number is shown to the agent's network: From
 * names us, and what the agent may know of the person is in the context.
 */
export function agentInvite(target: AiAgentTarget): AgentInvite {
  const uri = agentUri(target.sipUri);
  if (typeof uri !== 'string') return { ok: false, problem: uri.problem };
  const headers: Record<string, string> = {
    From: '"Ringfence" <sip:ringfence@localhost>',
    'User-Agent': 'Ringfence',
  };
  if (target.contextUrl !== undefined) {
    const reference = contextReference(target.contextUrl, target.contextToken);
    if (reference === undefined) return { ok: false, problem: 'contextUrl or token is unusable' };
    headers[CONTEXT_HEADER] = reference;
  }
  const data = contextData(target.context);
  if (data !== undefined) headers[CONTEXT_DATA_HEADER] = data;
  return { ok: true, uri, headers };
}

/** `sip:[user@]host[:port][;transport=udp|tcp|tls]`, spelled as it is sent. */
function agentUri(sipUri: string): string | { problem: string } {
  const user = /^sip:([^@]*)@/i.exec(sipUri)?.[1];
  if (user !== undefined && !USER.test(user)) return { problem: 'the user part is no SIP user' };
  const rest = user === undefined ? sipUri : `sip:${sipUri.slice(sipUri.indexOf('@') + 1)}`;
  const address = readTrunkAddress(rest);
  if ('problem' in address) return { problem: `agent URI: ${address.problem}` };
  const { port, transport } = address;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `sip:${user === undefined ? '' : `${user}@`}${host}:${port};transport=${transport}`;
}

/** `<url>;token=<token>`, the form of a name-addr with one parameter. */
function contextReference(url: string, token: string | undefined): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return undefined;
  // What the URL standard leaves as it is and a header could not carry.
  if (!/^[\x21-\x7e]+$/.test(parsed.href) || /[<>"]/.test(parsed.href)) return undefined;
  if (parsed.href.length > CONTEXT_URL_MAX) return undefined;
  if (token === undefined) return `<${parsed.href}>`;
  return TOKEN.test(token) ? `<${parsed.href}>;token=${token}` : undefined;
}

/** Undefined when there is none, or when it is too large to travel in a header. */
function contextData(context: AiAgentTarget['context']): string | undefined {
  if (context === undefined) return undefined;
  const data = Buffer.from(JSON.stringify(context), 'utf8').toString('base64url');
  return data.length <= CONTEXT_DATA_MAX ? data : undefined;
}
