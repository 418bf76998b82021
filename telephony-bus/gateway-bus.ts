/**
 * Serves one gateway to dialers in other processes: says that it is there, takes the commands that
 * name it, answers them, and tells its events to whoever owns the attempt.
 */
import { randomUUID } from 'node:crypto';
import type { BusConfig } from '../config/bus.schema.ts';
import type { CommandReply } from '../machines/command-reply.ts';
import type { GatewayCapacity, TrunkState } from '../machines/gateway-events.ts';
import type { TelephonyEvent } from '../machines/telephony-events.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';
import { BusCounters } from './bus-counters.ts';
import { BusKeys } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import {
  isToldEvent,
  readCommandEntry,
  written,
  type CommandEntry,
  type ToldEvent,
} from './bus-messages.ts';
import { EventReplay } from './event-replay.ts';
import { redisLink, type RedisLink } from './redis-link.ts';
import { subjectOf } from './subject.ts';
import { StreamMarker } from './stream-marker.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter, type WriteTicket } from './stream-writer.ts';

export interface GatewayBusOptions {
  readonly config: BusConfig;
  readonly gatewayId: string;
  readonly gateway: TelephonyPort;
  /** Who is told of what nobody ordered: calls that came in. */
  readonly queueGroup: string;
  readonly trunks: readonly string[];
  /** Gateways with the same one can end each other's dialogs. */
  readonly switchAddress: string;
  readonly log: BusLog;
}

const REPLIES_KEPT_MS = 600_000;
const EVENTS_KEPT_MS = 3_600_000;
const ANNOUNCEMENTS_KEPT_MS = 3_600_000;
const ANNOUNCEMENTS_MAX = 1_000;
const OWNERS_MAX = 50_000;
const REPLAY_MAX = 100_000;
const CLOSE_LIMIT_MS = 3_000;

export class GatewayBus {
  readonly counters = new BusCounters();
  readonly #options: GatewayBusOptions;
  readonly #keys: BusKeys;
  readonly #epoch = `${Date.now()}-${randomUUID()}`;
  readonly #link: RedisLink;
  readonly #writer: StreamWriter;
  readonly #commands: StreamReader;
  readonly #replay: EventReplay;
  readonly #markers = new Map<string, StreamMarker>();
  /** Whose attempts they are: the queue group of the last command. */
  readonly #owners = new Map<string, string>();
  readonly #trunkStates = new Map<string, TrunkState>();
  #capacity: GatewayCapacity | null = null;
  #state: 'present' | 'leaving' | 'gone' = 'present';
  #announcement: WriteTicket | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #unsubscribe: () => void = () => undefined;
  #isLooking = false;

  constructor(options: GatewayBusOptions) {
    const { config, gatewayId, log } = options;
    this.#options = options;
    this.#keys = new BusKeys(config.keyPrefix);
    const retryMs = { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs };
    const { counters } = this;
    this.#link = this.#newLink('write');
    this.#writer = new StreamWriter({
      ...{ link: this.#link, counters, waitingMax: config.waitingMax, retryMs },
    });
    this.#commands = new StreamReader({
      ...{ link: this.#newLink('commands'), key: this.#keys.commands(gatewayId, this.#epoch) },
      ...{ kind: 'commands', counters, log, trims: true, retryMs },
      onEntry: (text) => this.#heard(text),
    });
    this.#replay = new EventReplay({ keptMs: config.replayMs, max: REPLAY_MAX });
  }

  open(): void {
    const { gateway, config } = this.#options;
    this.#link.open();
    this.#commands.open();
    this.#unsubscribe = gateway.subscribe((event) => this.#tell(event));
    this.#announce();
    this.#heartbeat = setInterval(() => {
      this.#announce();
      void this.#lookForLostEvents();
    }, config.heartbeatMs);
  }

  /** Whether commands could come in and events go out now. */
  get health(): { readonly ok: boolean; readonly detail: string } {
    const ok = this.#commands.healthySinceMs !== undefined;
    return { ok, detail: ok ? 'takes commands' : 'Redis cannot be reached' };
  }

  get gauges() {
    return { waitingWrites: this.#writer.waiting, waitingReplies: 0, gatewaysPresent: 1 };
  }

  /** No dials from now on; what is up can be spoken about until `close`. */
  leave(): void {
    this.#state = 'leaving';
    this.#announce();
  }

  /** After the gateway has told its last event. */
  async close(): Promise<void> {
    if (this.#state === 'gone') return;
    clearInterval(this.#heartbeat);
    this.#state = 'gone';
    this.#announce();
    this.#unsubscribe();
    await this.#commands.close();
    await this.#writer.idle(CLOSE_LIMIT_MS);
    this.#writer.close();
    await this.#link.close();
  }

  #heard(text: string): void {
    const read = readCommandEntry(text);
    if ('problem' in read) {
      this.counters.dropped.invalid += 1;
      this.#options.log.warn({ problem: read.problem }, 'a command from Redis was dropped');
      return;
    }
    const { message } = read;
    const { command, queueGroup } = message;
    const subject = subjectOf(command as object);
    if (subject !== undefined) this.#own(subject, queueGroup);
    // Not awaited: commands reach the gateway in the order in which they came.
    this.#options.gateway.send(command).then(
      (reply) => this.#reply(message, reply),
      (error: unknown) => {
        this.#options.log.error({ err: error, command: command.type }, 'a command failed');
      },
    );
  }

  #reply({ id, dialerId, session }: CommandEntry, reply: CommandReply): void {
    const { gatewayId } = this.#options;
    const { stream } = this.#keys.replies(dialerId, session);
    const target = { stream, kind: 'replies', keptMs: REPLIES_KEPT_MS } as const;
    this.#writer.add(target, written({ id, gatewayId, reply }));
  }

  #own(id: string, queueGroup: string): void {
    this.#owners.delete(id);
    this.#owners.set(id, queueGroup);
    if (!this.#markers.has(queueGroup)) void this.#lookFor(queueGroup);
    if (this.#owners.size <= OWNERS_MAX) return;
    const [oldest] = this.#owners.keys();
    if (oldest !== undefined) this.#owners.delete(oldest);
  }

  #tell(event: TelephonyEvent): void {
    switch (event.type) {
      case 'trunk.state':
        this.#trunkStates.set(event.trunk, event);
        this.#announce();
        break;
      case 'gateway.capacity':
        this.#capacity = event;
        this.#announce();
        break;
      default:
        if (isToldEvent(event)) this.#tellOwner(event);
    }
  }

  #tellOwner(event: ToldEvent): void {
    const { gatewayId, queueGroup: ofNobody } = this.#options;
    const subject = subjectOf(event);
    const owner = subject === undefined ? undefined : this.#owners.get(subject);
    const queueGroup = owner ?? ofNobody;
    const text = written({ gatewayId, epoch: this.#epoch, event });
    this.#replay.add({ queueGroup, text, atMs: performance.now() });
    this.#writeEvent(queueGroup, text);
  }

  #writeEvent(queueGroup: string, text: string): void {
    const { stream } = this.#keys.events(queueGroup);
    this.#writer.add({ stream, kind: 'events', keptMs: EVENTS_KEPT_MS }, text);
  }

  /** One at most waits to be written: only the newest is of use. */
  #announce(): void {
    const { gatewayId, switchAddress, trunks } = this.#options;
    this.#announcement?.withdraw();
    const { stream } = this.#keys.announcements();
    const target = { stream, kind: 'announcements', keptMs: ANNOUNCEMENTS_KEPT_MS } as const;
    this.#announcement = this.#writer.add(
      { ...target, entriesMax: ANNOUNCEMENTS_MAX },
      written({
        ...{ gatewayId, epoch: this.#epoch, state: this.#state, switchAddress },
        ...{ trunks: [...trunks], trunkStates: [...this.#trunkStates.values()] },
        capacity: this.#capacity,
      }),
    );
  }

  async #lookForLostEvents(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const queueGroup of this.#markers.keys()) await this.#lookFor(queueGroup);
    this.#isLooking = false;
  }

  async #lookFor(queueGroup: string): Promise<void> {
    const marker = this.#markers.get(queueGroup) ?? new StreamMarker(this.#keys.events(queueGroup));
    this.#markers.set(queueGroup, marker);
    const isLost = await marker.isLost(this.#link).catch(() => false);
    if (!isLost) return;
    const told = this.#replay.of(queueGroup, performance.now());
    this.counters.streamsLost += 1;
    this.counters.eventsReplayed += told.length;
    this.#options.log.warn({ events: told.length }, 'Redis lost events: they are told again');
    for (const { text } of told) this.#writeEvent(queueGroup, text);
  }

  #newLink(purpose: string): RedisLink {
    const { config, gatewayId, log } = this.#options;
    const name = `ringfence-gateway-${gatewayId}-${purpose}`;
    return redisLink({ config, counters: this.counters, log, name });
  }
}
