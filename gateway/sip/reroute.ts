/** Other ways for one call: what a leg asks for when an INVITE has failed that can have rung nobody. */
import type { DigestAccount } from './authorization.ts';
import type { SipResponse } from './srf.port.ts';

/** One way to the called party. */
export interface LegRoute {
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly offer: string;
  /** Next hop, where it is not what the URI says: a phone behind a NAT. */
  readonly proxy?: string;
  /** Challenges are answered with it; without it they are the end. */
  readonly account?: DigestAccount | undefined;
}

export interface Reroute {
  /**
   * `response` is the final one of the INVITE that failed; undefined when the switch did not send it.
   * False: there is no other way, or it must not be tried. True: `go` is called with it, perhaps
   * before this returns, perhaps later, when the other trunk's rate allows the call; or `giveUp` is, when
   * that would be too late.
   */
  next(
    response: SipResponse | undefined,
    go: (route: LegRoute) => void,
    giveUp: () => void,
  ): boolean;
  /** Whoever waits for one of them waits no more. */
  withdraw(): void;
}
