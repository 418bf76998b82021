/**
 * The telephony port of a dialer whose gateways are in other processes. A command goes to one named
 * gateway and to no other; when no reply comes, nobody knows whether it was acted on.
 */
import { randomUUID } from 'node:crypto';
import type { BusConfig } from '../config/bus.schema.ts';
import type { CommandReply } from '../machines/command-reply.ts';
import { DialerError } from '../machines/errors.ts';
import { isGatewayCommand, type GatewayCommand } from '../machines/gateway-commands.ts';
import type { RepresentativeDirectory } from '../machines/representative-directory.port.ts';
import type { TelephonyCommand } from '../machines/telephony-commands.ts';
import type { TelephonyEvent } from '../machines/telephony-events.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';
import { AttemptPlaces } from './attempt-places.ts';
import { BusCounters } from './bus-counters.ts';
import { BusKeys, type BusKey } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import {
  readAnnouncement,
  readEventEntry,
  readReplyEntry,
  written,
  type Announcement,
  type Read,
  type ToldEvent,
} from './bus-messages.ts';
import { DirectoryServer } from './directory-server.ts';
import { EventGroupReader } from './event-group-reader.ts';
import { GatewayRoster, type RosterChange } from './gateway-roster.ts';
import { PendingCommands } from './pending-commands.ts';
import { redisLink, type RedisLink } from './redis-link.ts';
import { SeenEvents } from './seen-events.ts';
import { subjectOf } from './subject.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';

export interface DialerBusOptions {
  readonly config: BusConfig;
  /** The same after a restart. */
  readonly dialerId: string;
  /** Whose events are ours once `own` was called. */
  readonly queueGroup: string;
  readonly log: BusLog;
  readonly nowMs: () => number;
  /** Where an attempt is that an earlier process dialled; undefined: nobody knows. */
  readonly placeOf?: (attemptId: string) => Promise<string | undefined>;
  /** What gateways ask of representatives, while their events are ours; without it nobody answers. */
  readonly directory?: RepresentativeDirectory;
}

/** A gateway reads its commands at once, or never: they need not be kept. */
const COMMANDS_KEPT_MS = 600_000;

export class DialerBus implements TelephonyPort {
  readonly counters = new BusCounters();
  readonly #options: DialerBusOptions;
  readonly #keys: BusKeys;
  readonly #session = randomUUID();
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #roster = new GatewayRoster();
  readonly #places = new AttemptPlaces();
  readonly #seen = new SeenEvents();
  readonly #pending: PendingCommands;
  /** Which switch the gateways that are gone had. */
  readonly #lostSwitches = new Map<string, string>();
  readonly #lookups = new Map<string, Promise<string | undefined>>();
  readonly #link: RedisLink;
  readonly #writer: StreamWriter;
  readonly #replies: StreamReader;
  readonly #announcements: StreamReader;
  #events: EventGroupReader | undefined;
  #directory: DirectoryServer | undefined;
  #tick: NodeJS.Timeout | undefined;
  #isClosed = false;
  #lookedAtMs = 0;
  #awakeSinceMs = 0;

  constructor(options: DialerBusOptions) {
    const { config, dialerId } = options;
    this.#options = options;
    this.#keys = new BusKeys(config.keyPrefix);
    this.#pending = new PendingCommands({
      counters: this.counters,
      timeoutMs: config.commandTimeoutMs,
    });
    this.#link = this.#newLink('write');
    this.#writer = new StreamWriter({
      link: this.#link,
      counters: this.counters,
      waitingMax: config.waitingMax,
      retryMs: { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs },
    });
    this.#replies = this.#reader('replies', this.#keys.replies(dialerId, this.#session), (text) =>
      this.#heardReply(text),
    );
    this.#announcements = this.#reader('announcements', this.#keys.announcements(), (text) =>
      this.#heardAnnouncement(text),
    );
  }

  open(): void {
    this.#link.open();
    this.#replies.open();
    this.#announcements.open();
    this.#tick = setInterval(() => this.#lookForLost(), this.#options.config.heartbeatMs);
  }

  /**
   * Resolves once Redis is there and a gateway is, or has been missing for as long as makes one lost.
   * Rejects with BUS_UNAVAILABLE when Redis is not there within `limitMs`.
   */
  async ready(limitMs: number): Promise<void> {
    if (!(await until(() => this.#listeningSinceMs() !== undefined, limitMs))) {
      const nodes = this.#options.config.nodes.join(', ');
      throw new DialerError('BUS_UNAVAILABLE', `Redis at ${nodes} cannot be reached`);
    }
    const { gatewayLostMs } = this.#options.config;
    if (await until(() => this.#roster.present.length > 0, gatewayLostMs)) return;
    this.#options.log.warn({}, 'no gateway is there: nothing can be dialled yet');
  }

  /** From now on the events of the queue group are ours: its lease is held. */
  own(): void {
    if (this.#events !== undefined || this.#isClosed) return;
    const { config, dialerId, queueGroup, log } = this.#options;
    this.#events = new EventGroupReader({
      ...{ link: this.#newLink('events'), key: this.#keys.events(queueGroup), log },
      ...{ consumer: dialerId, counters: this.counters, reclaimIdleMs: config.reclaimIdleMs },
      onEntry: (text) => this.#heardEvent(text),
      retryMs: { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs },
    });
    this.#events.open();
    this.#directory = this.#makeDirectory();
    this.#directory?.open();
  }

  /** The lease is lost: whoever holds it now is to hear them. */
  async disown(): Promise<void> {
    const [events, directory] = [this.#events, this.#directory];
    this.#events = this.#directory = undefined;
    await Promise.all([events?.close(), directory?.close()]);
  }

  /** Those that are there now. */
  get gatewayIds(): readonly string[] {
    return this.#roster.present.map(({ gatewayId }) => gatewayId).sort();
  }

  /** Which gateway is to dial over the trunk now: the preferred one if it can, else that with most room. */
  gatewayFor(trunk: string, preferred?: string): string | undefined {
    return this.#roster.choose(trunk, (gatewayId) => this.#places.openAt(gatewayId), preferred);
  }

  async send(command: TelephonyCommand | GatewayCommand): Promise<CommandReply> {
    this.#requireOpen();
    if (isGatewayCommand(command)) return this.#orderOf(command);
    const id = subjectOf(command);
    if ('gatewayId' in command) this.#places.put(id, command.gatewayId);
    const gatewayId = this.#places.get(id) ?? (await this.#askedPlaceOf(id));
    this.#requireOpen();
    const gateway = gatewayId === undefined ? undefined : this.#roster.get(gatewayId);
    if (gateway !== undefined) return this.#order(gateway, command);
    if (command.type === 'attempt.dial' || command.type === 'lobby.open') {
      // It is in no stream: certainly not dialled.
      return refused(`gateway ${command.gatewayId} is not there`);
    }
    const standIn = this.#standInFor(gatewayId);
    if (standIn !== undefined) return this.#order(standIn, command);
    const where =
      gatewayId === undefined ? 'no gateway is known to have it' : `${gatewayId} is gone`;
    throw new DialerError('GATEWAY_LOST', `${command.type}: ${where}`);
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get gauges() {
    return {
      waitingWrites: this.#writer.waiting,
      waitingReplies: this.#pending.size,
      gatewaysPresent: this.#roster.present.length,
    };
  }

  /** Whether commands could go out and events come in now. */
  get health(): { readonly ok: boolean; readonly detail: string } {
    const isHeard = this.#listeningSinceMs() !== undefined;
    const isOwn = this.#events === undefined || this.#events.healthySinceMs !== undefined;
    if (!isHeard || !isOwn) return { ok: false, detail: 'Redis cannot be reached' };
    const ids = this.#roster.present.map(({ gatewayId }) => gatewayId).sort();
    if (ids.length === 0) return { ok: false, detail: 'no gateway is there' };
    return { ok: true, detail: `gateways: ${ids.join(', ')}` };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#tick);
    this.#pending.close();
    await this.#writer.idle(CLOSE_LIMIT_MS);
    this.#writer.close();
    await Promise.all([this.#replies.close(), this.#announcements.close(), this.disown()]);
    await this.#link.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DialerError('TELEPHONY_CLOSED', 'the bus was closed');
  }

  /** To the gateway that is named, and to no other. */
  #orderOf(command: GatewayCommand): Promise<CommandReply> {
    const gateway = this.#roster.get(command.gatewayId);
    if (gateway !== undefined) return this.#order(gateway, command);
    return Promise.resolve(refused(`gateway ${command.gatewayId} is not there`));
  }

  #order(
    { gatewayId, epoch }: Announcement,
    command: TelephonyCommand | GatewayCommand,
  ): Promise<CommandReply> {
    const { dialerId, queueGroup } = this.#options;
    const session = this.#session;
    const { stream } = this.#keys.commands(gatewayId, epoch);
    const target = { stream, kind: 'commands', keptMs: COMMANDS_KEPT_MS } as const;
    return this.#pending.hand({
      ...{ command, gatewayId, epoch },
      write: (id) =>
        this.#writer.add(target, written({ id, dialerId, session, queueGroup, command })),
    });
  }

  /** A gateway on its switch can end the calls of one that is gone, and says that it knows nothing. */
  #standInFor(gatewayId: string | undefined): Announcement | undefined {
    const before = gatewayId === undefined ? undefined : this.#lostSwitches.get(gatewayId);
    return before === undefined ? undefined : this.#roster.onSameSwitch(before);
  }

  /** Commands of one attempt that wait for this go on in their order. */
  #askedPlaceOf(id: string): Promise<string | undefined> {
    const known = this.#lookups.get(id);
    if (known !== undefined) return known;
    const asked = (this.#options.placeOf?.(id) ?? Promise.resolve(undefined)).then((gatewayId) => {
      if (gatewayId !== undefined) this.#places.put(id, gatewayId);
      return gatewayId;
    });
    this.#lookups.set(id, asked);
    const forget = (): void => void this.#lookups.delete(id);
    asked.then(forget, forget);
    return asked;
  }

  #heardReply(text: string): void {
    const entry = this.#checked('reply', readReplyEntry(text));
    if (entry === undefined) return;
    // Late, or a repeat: whoever asked has been told already.
    if (!this.#pending.answered(entry.id, entry.reply)) this.counters.dropped.duplicate += 1;
  }

  #heardEvent(text: string | undefined): void {
    const read = text === undefined ? { problem: 'not ours' } : readEventEntry(text);
    const entry = this.#checked('event', read);
    if (entry === undefined) return;
    const { event, gatewayId, epoch } = entry;
    const id = subjectOf(event);
    const isNew = this.#seen.isNew(
      id ?? `${gatewayId} ${epoch}`,
      'fence' in event ? event.fence : 0,
      event.seq,
    );
    if (!isNew) {
      this.counters.dropped.duplicate += 1;
      return;
    }
    if (id !== undefined) this.#placed(id, gatewayId, event);
    this.#tell(event);
  }

  #placed(id: string, gatewayId: string, { type }: ToldEvent): void {
    this.#places.put(id, gatewayId);
    if (type === 'attempt.ended' || type === 'attempt.refused') this.#places.ended(id);
  }

  #heardAnnouncement(text: string): void {
    const announcement = this.#checked('announcement', readAnnouncement(text));
    if (announcement === undefined) return;
    const changes = this.#roster.hear(announcement, performance.now());
    for (const change of changes) this.#changedBy(change);
  }

  #lookForLost(): void {
    const nowMs = performance.now();
    const { gatewayLostMs, heartbeatMs } = this.#options.config;
    // This process stood still itself: what was said meanwhile is not read yet.
    if (nowMs - this.#lookedAtMs > heartbeatMs * 2) this.#awakeSinceMs = nowMs;
    this.#lookedAtMs = nowMs;
    const healthySinceMs = this.#announcements.healthySinceMs;
    if (healthySinceMs === undefined) return;
    const sinceMs = Math.max(healthySinceMs, this.#awakeSinceMs);
    const lost = this.#roster.expire(nowMs, gatewayLostMs, sinceMs);
    for (const change of lost) this.#changedBy(change);
  }

  #changedBy(change: RosterChange): void {
    if (change.change === 'trunk') {
      this.#tell(change.state);
      return;
    }
    if (change.change === 'capacity') {
      this.#tell(change.capacity);
      return;
    }
    const { gatewayId, epoch, trunks, switchAddress } = change.gateway;
    const envelope = { gatewayId, atMs: this.#options.nowMs() };
    if (change.change === 'present') {
      this.#lostSwitches.delete(gatewayId);
      this.#options.log.info({ gatewayId, epoch }, 'a gateway is there');
      this.#tell({ type: 'gateway.present', ...envelope, trunks });
      return;
    }
    this.counters.gatewaysLost += 1;
    this.#lostSwitches.set(gatewayId, switchAddress);
    this.#options.log.warn({ gatewayId, epoch, why: change.why }, 'a gateway is lost');
    this.#pending.lost(gatewayId, epoch, change.why);
    this.#tell({ type: 'gateway.lost', ...envelope, detail: change.why });
  }

  #checked<T>(what: string, read: Read<T>): T | undefined {
    if ('message' in read) return read.message;
    this.counters.dropped.invalid += 1;
    this.#options.log.warn({ what, problem: read.problem }, 'a message from Redis was dropped');
    return undefined;
  }

  /** A listener that throws is a mistake of its own; the others hear it all the same. */
  #tell(event: TelephonyEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, event: event.type }, 'an event listener threw');
      }
    }
  }

  #listeningSinceMs(): number | undefined {
    const announcements = this.#announcements.healthySinceMs;
    const replies = this.#replies.healthySinceMs;
    if (announcements === undefined || replies === undefined) return undefined;
    return Math.max(announcements, replies);
  }

  #newLink(purpose: string): RedisLink {
    const { config, dialerId, log } = this.#options;
    const name = `ringfence-dialer-${dialerId}-${purpose}`;
    return redisLink({ config, counters: this.counters, log, name });
  }

  #makeDirectory(): DirectoryServer | undefined {
    const { config, queueGroup, log, nowMs, directory } = this.#options;
    if (directory === undefined) return undefined;
    return new DirectoryServer({
      ...{ config, queueGroup, log, nowMs, directory },
      ...{ link: this.#newLink('questions'), writer: this.#writer, counters: this.counters },
    });
  }

  #reader(
    kind: 'replies' | 'announcements',
    key: BusKey,
    onEntry: (text: string) => void,
  ): StreamReader {
    const { config, log } = this.#options;
    return new StreamReader({
      ...{ link: this.#newLink(kind), key, kind, counters: this.counters, log, onEntry },
      ...(kind === 'replies' ? { trims: true } : { trims: false, fromAgeMs: config.gatewayLostMs }),
      retryMs: { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs },
    });
  }
}

const CLOSE_LIMIT_MS = 2_000;
const LOOK_MS = 20;

/** False when the time is over first. Looks again and again: it waits for Redis, at a start. */
async function until(isSo: () => boolean, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (!isSo()) {
    if (performance.now() >= endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

function refused(detail: string): CommandReply {
  return { accepted: false, code: 'SWITCH_DOWN', detail };
}
