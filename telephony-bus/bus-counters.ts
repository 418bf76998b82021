/** What the bus counts in one process; telephony-bus/bus-metrics.ts says what each of them means. */
export type BusStream =
  'commands' | 'replies' | 'events' | 'announcements' | 'questions' | 'answers';
export type Dropped = 'invalid' | 'duplicate' | 'overflow' | 'expired';

export class BusCounters {
  connectionsMade = 0;
  connectionsLost = 0;
  /** Found empty although we had written or read there: Redis was flushed, or failed over. */
  streamsLost = 0;
  eventsReclaimed = 0;
  eventsReplayed = 0;
  commandsUnanswered = 0;
  gatewaysLost = 0;
  /** Newest reading of the consumer group, by whoever reads it. */
  eventsPending = 0;
  eventsLag = 0;
  readonly written: Record<BusStream, number> = zeroes();
  readonly read: Record<BusStream, number> = zeroes();
  readonly dropped: Record<Dropped, number> = {
    ...{ invalid: 0, duplicate: 0, overflow: 0, expired: 0 },
  };
}

function zeroes(): Record<BusStream, number> {
  return { commands: 0, replies: 0, events: 0, announcements: 0, questions: 0, answers: 0 };
}
