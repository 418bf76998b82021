/** Whether an INVITE that ended in a failure can have reached a telephone (ruling 3 on failover). */
import type { TrunkTransport } from '../../config/trunk-address.ts';
import { originOf } from '../sip/sip-final.ts';
import type { SipResponse } from '../sip/srf.port.ts';

/** A connection that broke with the INVITE on it: nobody can tell whether it was read. */
const BROKEN_ON_THE_WAY = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/**
 * Errs towards true: then the attempt ends, and nobody is called twice. For an INVITE that was met by
 * no 18x, false means
 * - the network refused it with a 5xx, or gave up with a 408;
 * - the switch could not deliver it (its own 503). Over UDP that is an ICMP error. Over TCP and TLS it
 *   must say what went wrong, as the embedded switch does in a Warning: without, the connection may
 *   have broken after the INVITE had arrived.
 * Silence (a 408 of the switch, timer B) proves nothing: a telephone may be ringing behind it.
 */
export function canHaveRung(response: SipResponse, transport: TrunkTransport): boolean {
  const { status } = response;
  if (originOf(response) === 'network') return status !== 408 && (status < 500 || status > 599);
  if (status !== 503) return true;
  const problem = stackProblemOf(response);
  if (problem !== undefined) return BROKEN_ON_THE_WAY.has(problem);
  return transport !== 'udp';
}

/** The embedded switch says below a 503 of its own what went wrong: `399 localhost "ECONNREFUSED"`. */
export function stackProblemOf(response: Pick<SipResponse, 'get'>): string | undefined {
  return /^399 \S+ "([^"]*)"/.exec(response.get('Warning') ?? '')?.[1];
}
