/**
 * Carries events from channels to sockets. Building and encoding an event is the dear part (a busy
 * switch raises thousands a second and nearly all go to one socket), so an event is built only when
 * some socket wants its kind, and a socket bound to one channel is found by that channel's uuid.
 */
import type { EslEvent } from './event.ts';
import type { Subscription } from './subscription.ts';

export interface EventListener {
  readonly subscription: Subscription;
  deliver(event: EslEvent): void;
}

export interface EventDraft {
  readonly name: string;
  readonly subclass?: string;
  /** The channel the event is about. */
  readonly uuid?: string;
  readonly body?: string;
  /** Called at most once, with the headers every event has already in place. */
  fill(headers: Record<string, string>): void;
}

export interface EventOrigin {
  readonly coreUuid: string;
  readonly hostname: string;
  readonly host: string;
  /** Wall clock, epoch ms. */
  readonly nowMs: () => number;
}

export class EventBus {
  readonly #origin: EventOrigin;
  readonly #everyChannel = new Set<EventListener>();
  readonly #oneChannel = new Map<string, Set<EventListener>>();
  readonly #placedAt = new Map<EventListener, string | undefined>();
  #sequence = 0;

  constructor(origin: EventOrigin) {
    this.#origin = origin;
  }

  /** Called at the start and whenever filters change. */
  place(listener: EventListener): void {
    this.remove(listener);
    const uuid = listener.subscription.onlyChannel;
    this.#placedAt.set(listener, uuid);
    if (uuid === undefined) this.#everyChannel.add(listener);
    else {
      const listeners = this.#oneChannel.get(uuid) ?? new Set();
      this.#oneChannel.set(uuid, listeners.add(listener));
    }
  }

  remove(listener: EventListener): void {
    if (!this.#placedAt.has(listener)) return;
    const uuid = this.#placedAt.get(listener);
    this.#placedAt.delete(listener);
    if (uuid === undefined) {
      this.#everyChannel.delete(listener);
      return;
    }
    const listeners = this.#oneChannel.get(uuid);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#oneChannel.delete(uuid);
  }

  fire(draft: EventDraft): void {
    this.#sequence += 1;
    const { name, subclass, uuid } = draft;
    let event: EslEvent | undefined;
    const offer = (listener: EventListener): void => {
      if (!listener.subscription.wantsKind(name, subclass)) return;
      event ??= this.#build(draft);
      if (listener.subscription.wants(event)) listener.deliver(event);
    };
    const bound = uuid === undefined ? undefined : this.#oneChannel.get(uuid);
    if (bound !== undefined) for (const listener of bound) offer(listener);
    for (const listener of this.#everyChannel) offer(listener);
  }

  #build(draft: EventDraft): EslEvent {
    const { coreUuid, hostname, host, nowMs } = this.#origin;
    const at = nowMs();
    const headers: Record<string, string> = { 'Event-Name': draft.name };
    if (draft.subclass !== undefined) headers['Event-Subclass'] = draft.subclass;
    headers['Core-UUID'] = coreUuid;
    headers['FreeSWITCH-Hostname'] = hostname;
    headers['FreeSWITCH-IPv4'] = host;
    headers['Event-Date-Timestamp'] = String(Math.round(at * 1_000));
    headers['Event-Sequence'] = String(this.#sequence);
    draft.fill(headers);
    return {
      name: draft.name,
      headers,
      ...(draft.subclass === undefined ? {} : { subclass: draft.subclass }),
      ...(draft.body === undefined ? {} : { body: draft.body }),
    };
  }
}
