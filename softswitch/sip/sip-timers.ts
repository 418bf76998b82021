/** RFC 3261 §17.1.1.1 and table 4. All in milliseconds. */
export interface SipTimerSettings {
  /** Estimate of the round trip: first retransmission interval. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of a non-INVITE request or an INVITE response. */
  readonly t2Ms: number;
  /** How long a message may live in the network. */
  readonly t4Ms: number;
  /** Timer D over UDP: how long retransmitted failures of an INVITE are acknowledged; ≥ 32 s. */
  readonly timerDMs: number;
  /** An INVITE that no TU has answered by then gets 100 Trying (§17.2.1). */
  readonly tryingAfterMs: number;
}

export const SIP_TIMERS: SipTimerSettings = {
  t1Ms: 500,
  t2Ms: 4_000,
  t4Ms: 5_000,
  timerDMs: 32_000,
  tryingAfterMs: 200,
};
