import type { RefusalCode } from '../machines/command-reply.ts';

/** Everything the gateway counts since its start, in one flat object: metrics read it as it is. */
export class GatewayCounters {
  attemptsAccepted = 0;
  attemptsRefused = 0;
  attemptsAnswered = 0;
  attemptsEnded = 0;
  /** AI agents that heard their customer, and those that failed before or while they did. */
  agentsConnected = 0;
  agentsFailed = 0;
  /** Customers bridged to a representative; legs of representatives that were ready, and lost. */
  lobbiesConnected = 0;
  lobbiesReady = 0;
  lobbiesLost = 0;
  commandsDuplicate = 0;
  commandsStale = 0;
  /** INVITEs towards trunks, digest retries counted. */
  invitesSent = 0;
  cancelsSent = 0;
  /** Also those that end endpoints. */
  byesSent = 0;
  /** BYEs that had to wait for the signalling connection and were sent by their stored id. */
  byesRecovered = 0;
  /** Given up: the switch knew the dialog no more, or nobody answered the BYE. */
  byesAbandoned = 0;
  signallingLost = 0;
  signallingConnected = 0;
  mediaLost = 0;
  mediaConnected = 0;
  endpointsCreated = 0;
  endpointsFailed = 0;
  endpointsReleased = 0;
  /** Media waits that ended by time-out instead of by an answer. */
  mediaTimeouts = 0;
  /** Dials that were not taken on, by reason; their sum is `attemptsRefused`. */
  readonly refusals = new Map<RefusalCode, number>();

  /** Of those the ones that a rule about the destination forbids, by that rule. */
  readonly rules = new Map<string, number>();

  countRefusal(code: RefusalCode, rule?: string): void {
    this.attemptsRefused += 1;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    if (rule !== undefined) this.rules.set(rule, (this.rules.get(rule) ?? 0) + 1);
  }
}
