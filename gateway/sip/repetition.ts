/** What makes a request one more of the same: its identity, the next CSeq, the server that asked. */
import { isIP } from 'node:net';
import type { SipResponse } from './srf.port.ts';

export interface Repetition {
  readonly headers: Record<string, string>;
  /** Next hop; left out where the URI leads to the same server anyhow. */
  readonly proxy?: string;
}

/**
 * The repetition of a challenged request outside a dialog (RFC 3261 §22.2, §8.1.3.5). Behind a name
 * there may be a farm whose servers do not know one another's nonces: it goes to the one that asked.
 * Not over TLS, where the name is what the certificate must show.
 */
export function repetitionOf(response: SipResponse, method: string, uri: string): Repetition {
  const headers: Record<string, string> = {};
  for (const name of ['Call-ID', 'From', 'To']) {
    const value = response.get(name);
    if (value === undefined) continue;
    headers[name] = name === 'To' ? value.replace(/;\s*tag\s*=[^;\s>]*/i, '') : value;
  }
  const cseq = /^\s*(\d+)/.exec(response.get('CSeq') ?? '')?.[1];
  if (cseq !== undefined) headers['CSeq'] = `${Number(cseq) + 1} ${method}`;
  const proxy = serverOf(response, uri);
  return proxy === undefined ? { headers } : { headers, proxy };
}

function serverOf({ source_address, source_port }: SipResponse, uri: string): string | undefined {
  const [, host = ''] = /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?>]+)/i.exec(uri) ?? [];
  const transport = /;transport=([a-z]+)/i.exec(uri)?.[1]?.toLowerCase();
  const port = Number(source_port);
  if (transport === 'tls' || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  if (source_address === '' || !(port > 0)) return undefined;
  const address = isIP(source_address) === 6 ? `[${source_address}]` : source_address;
  return `sip:${address}:${port}${transport === undefined ? '' : `;transport=${transport}`}`;
}
