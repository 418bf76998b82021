/** Since the stack was opened. */
export interface SipStackCounters {
  /** Retransmissions included, as in every `…Received` and `…Sent`. */
  requestsReceived: number;
  responsesReceived: number;
  requestsSent: number;
  responsesSent: number;
  retransmissionsReceived: number;
  retransmissionsSent: number;
  /** Messages that did not parse, those answered with 400 or 505 included. */
  malformed: number;
  strayResponses: number;
  /** Timers B, F and H. */
  timeouts: number;
  transportErrors: number;
  /** Requests refused with 503 because too many transactions were open. */
  overloads: number;
}

export function newStackCounters(): SipStackCounters {
  return {
    requestsReceived: 0,
    responsesReceived: 0,
    requestsSent: 0,
    responsesSent: 0,
    retransmissionsReceived: 0,
    retransmissionsSent: 0,
    malformed: 0,
    strayResponses: 0,
    timeouts: 0,
    transportErrors: 0,
    overloads: 0,
  };
}
