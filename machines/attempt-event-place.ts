/** Where an event of an attempt stands among all that its owners, one after the other, were told. */

export interface AttemptEventPlace {
  /** Of the owner: each is told under its own, which is higher than the one before. */
  readonly fence: number;
  /** From 1 under each fence. */
  readonly seq: number;
}

/** Before the first event. */
export const NO_EVENT: AttemptEventPlace = { fence: 0, seq: 0 };

export function isAfter(event: AttemptEventPlace, place: AttemptEventPlace): boolean {
  return event.fence > place.fence || (event.fence === place.fence && event.seq > place.seq);
}

/** In whatever order they are given. */
export function lastPlaceOf(events: readonly AttemptEventPlace[]): AttemptEventPlace {
  return events.reduce<AttemptEventPlace>(
    (last, { fence, seq }) => (isAfter({ fence, seq }, last) ? { fence, seq } : last),
    NO_EVENT,
  );
}
