/** Is a trunk there? One OPTIONS, and the verdict in words a telecom engineer can act on. */
import { originOf } from '../sip/sip-final.ts';
import type { RequestOutcome, SipLink } from '../sip/sip-link.ts';
import type { SipResponse } from '../sip/srf.port.ts';
import { stackProblemOf } from './can-have-rung.ts';
import type { Trunk } from './trunk.ts';

export interface TrunkVerdict {
  readonly trunk: string;
  /** It answers SIP at all. A refusal of OPTIONS is an answer. */
  readonly reachable: boolean;
  readonly verdict:
    | 'ok'
    | 'auth_demanded' // and no credentials are configured
    | 'auth_refused' // our credentials were not accepted
    | 'refused' // answers, with an error
    | 'overloaded' // 503 from the network
    | 'no_answer'
    | 'connection_refused' // closed port, ICMP unreachable
    | 'unknown_host' // the name does not resolve
    | 'switch_down';
  readonly detail: string;
  /** The SIP status, exactly as received; null when nothing came. */
  readonly statusCode: number | null;
  readonly origin: 'network' | 'stack' | 'none';
  readonly afterMs: number;
}

export interface TrunkCheckParts {
  readonly link: SipLink;
  readonly now: () => number;
  readonly timeoutMs: number;
  /** Rejects when a name does not resolve; drachtio does not tell a bad name from a closed port. */
  readonly resolveHost: (host: string) => Promise<unknown>;
}

type Finding = Pick<TrunkVerdict, 'reachable' | 'verdict' | 'detail'>;

export async function checkTrunk(trunk: Trunk, parts: TrunkCheckParts): Promise<TrunkVerdict> {
  const startedMs = parts.now();
  const outcome = await parts.link.request(
    trunk.uriOf(),
    {
      method: 'OPTIONS',
      headers: { Accept: 'application/sdp', 'User-Agent': 'Ringfence' },
    },
    {
      limitMs: parts.timeoutMs,
      ...(trunk.account === undefined ? {} : { account: trunk.account }),
    },
  );
  const afterMs = Math.max(0, Math.round(parts.now() - startedMs));
  const response = outcome.kind === 'response' ? outcome.response : undefined;
  return {
    trunk: trunk.name,
    ...(await findingOf(outcome, trunk, parts, afterMs)),
    statusCode: response?.status ?? null,
    origin: response === undefined ? 'none' : originOf(response),
    afterMs,
  };
}

async function findingOf(
  outcome: RequestOutcome,
  trunk: Trunk,
  parts: TrunkCheckParts,
  afterMs: number,
): Promise<Finding> {
  switch (outcome.kind) {
    case 'response':
      if (originOf(outcome.response) === 'stack') {
        return unreachable(outcome.response.status, trunk, parts, stackProblemOf(outcome.response));
      }
      return reached(outcome.response, trunk, afterMs);
    case 'timeout':
      return silent(`no answer within ${parts.timeoutMs} ms`);
    case 'lost':
      return { reachable: false, verdict: 'switch_down', detail: 'drachtio is not connected' };
    case 'refused':
      return unreachable(503, trunk, parts, outcome.error.message);
  }
}

function reached({ status, reason }: SipResponse, trunk: Trunk, afterMs: number): Finding {
  const said = `${status} ${reason}`;
  if (status < 300) return { reachable: true, verdict: 'ok', detail: `reachable in ${afterMs} ms` };
  if (status === 401 || status === 407) {
    return trunk.account === undefined
      ? found('auth_demanded', `asks for credentials (${said}); configure username and password`)
      : found('auth_refused', `did not accept our credentials (${said})`);
  }
  if (status === 503) return found('overloaded', `answers ${said}: out of service or overloaded`);
  // RFC 3261 §11.2: the code is what an INVITE would have got; many trunks refuse OPTIONS as such.
  return found('refused', `reachable in ${afterMs} ms, answers OPTIONS with ${said}`);
}

async function unreachable(
  statusCode: number,
  trunk: Trunk,
  parts: TrunkCheckParts,
  why?: string,
): Promise<Finding> {
  const { host, port, transport, leftToDns } = trunk.address;
  const unknownHost: Finding = {
    ...{ reachable: false, verdict: 'unknown_host' },
    detail: `the name ${host} does not resolve`,
  };
  if (why === 'ENOTFOUND') return unknownHost;
  // A domain with SRV records may have no address of its own: only its own address is asked for here.
  if (leftToDns === undefined || why === undefined) {
    const isKnown = await parts.resolveHost(host).then(
      () => true,
      () => false,
    );
    if (!isKnown) return unknownHost;
  }
  if (statusCode === 408) return silent('no answer (timer F of the SIP stack)');
  const where = leftToDns === undefined ? `${host}:${port}` : host;
  const detail = `${where} cannot be reached over ${transport}${why === undefined ? '' : `: ${why}`}`;
  return { reachable: false, verdict: 'connection_refused', detail };
}

function silent(detail: string): Finding {
  return { reachable: false, verdict: 'no_answer', detail };
}

function found(verdict: TrunkVerdict['verdict'], detail: string): Finding {
  return { reachable: true, verdict, detail };
}
