/**
 * Names of everything the bus keeps in Redis. What belongs to one stream shares a hash tag, so that
 * in Redis Cluster it lies on one node; different streams may lie on different ones.
 */
export interface BusKey {
  readonly stream: string;
  /** Says whether the stream is still the one we knew: `StreamMarker`. */
  readonly marker: string;
}

export class BusKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What gateways tell all dialers of themselves. */
  announcements(): BusKey {
    return this.#key('gateways', 'announcements');
  }

  /** One for each life of a gateway: what was meant for the one before is never acted on. */
  commands(gatewayId: string, epoch: string): BusKey {
    return this.#key(`gateway:${gatewayId}`, `commands:${epoch}`);
  }

  /** One for each life of a dialer. */
  replies(dialerId: string, session: string): BusKey {
    return this.#key(`dialer:${dialerId}`, `replies:${session}`);
  }

  /** Of the attempts of one queue group, for whichever dialer owns it. */
  events(queueGroup: string): BusKey {
    return this.#key(`events:${queueGroup}`, 'events');
  }

  /** What gateways ask of representatives, for whichever dialer owns the queue group. */
  questions(queueGroup: string): BusKey {
    return this.#key(`directory:${queueGroup}`, 'questions');
  }

  /** One for each life of a gateway. */
  answers(gatewayId: string, session: string): BusKey {
    return this.#key(`gateway:${gatewayId}`, `answers:${session}`);
  }

  #key(tag: string, name: string): BusKey {
    const tagged = `${this.#prefix}:{${tag}}`;
    return { stream: `${tagged}:${name}`, marker: `${tagged}:${name}:marker` };
  }
}

/** The consumer group of every stream of events. */
export const EVENT_GROUP = 'dialers';
