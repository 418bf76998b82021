/** Representatives, customers and the gateway between them, for proofs by what is heard. */
import type { Test } from 'tap';
import type { RigOptions } from './dialing-rig.ts';
import { DialingRig } from './dialing-rig.ts';
import { CustomerPhone, type CustomerCall } from './customer-phone.ts';
import { RepresentativePhone } from '../../lab/representative-phone.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import type {
  AttemptConnect,
  AttemptDial,
  TelephonyCommand,
} from '../../machines/telephony-commands.ts';
import type { EventOf, EventType, TelephonyEvent } from '../../machines/telephony-events.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A command about this stand's attempt or lobby, its envelope left to the stand. */
export type CommandBody = Without<
  TelephonyCommand,
  'attemptId' | 'lobbyId' | 'fence' | 'seq' | 'atMs'
>;

const HOST = '127.0.0.1';
const WAIT_MAX_MS = 20_000;

export interface StandOptions {
  /** Said by the representative from the answer on. */
  readonly representativeHz?: number;
  readonly rig?: Partial<RigOptions>;
}

export class LobbyStand {
  readonly rig: DialingRig;
  readonly phone: CustomerPhone;
  readonly representative: RepresentativePhone;
  readonly events: TelephonyEvent[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #opened: { close(): Promise<unknown> }[] = [];
  #attempts = 0;
  #lobbies = 0;

  static async start(t: Test, options: StandOptions = {}): Promise<LobbyStand> {
    const phone = await CustomerPhone.open();
    const voice = options.representativeHz;
    const representative = await RepresentativePhone.open({
      host: HOST,
      ...(voice === undefined ? {} : { voiceHz: voice }),
    });
    const rig = await DialingRig.start({
      trunks: [{ name: 'customers', address: phone.address }],
      ...options.rig,
    });
    const stand = new LobbyStand(rig, phone, representative);
    t.teardown(() => stand.stop());
    return stand;
  }

  private constructor(rig: DialingRig, phone: CustomerPhone, representative: RepresentativePhone) {
    this.rig = rig;
    this.phone = phone;
    this.representative = representative;
    rig.gateway.subscribe((event) => {
      this.events.push(event);
      for (const check of [...this.#waiting]) check();
    });
  }

  /** Another phone: a colleague's, a supervisor's. */
  async openPhone(voiceHz?: number, more: { rejectWith?: number; user?: string } = {}) {
    const voice = voiceHz === undefined ? {} : { voiceHz };
    const phone = await RepresentativePhone.open({ host: HOST, ...voice, ...more });
    this.#opened.push(phone);
    return phone;
  }

  /** Ready, unless something else is waited for. */
  async openLobby(
    more: Partial<LobbyOpen> = {},
    until: EventType = 'lobby.ready',
  ): Promise<StandLobby> {
    this.#lobbies += 1;
    const lobby = new StandLobby(this, `lobby-${this.#lobbies}`);
    const reply = await lobby.command({
      type: 'lobby.open',
      ...{ gatewayId: 'rig', representativeId: 'rep-1', sipUri: this.representative.address },
      ...{ ringLimitMs: 10_000, idleLimitMs: 600_000 },
      ...more,
    });
    if (!reply.accepted) throw new Error(`${reply.code}: ${reply.detail}`);
    await lobby.event(until as 'lobby.ready');
    return lobby;
  }

  async closeLobby(lobby: StandLobby): Promise<void> {
    await lobby.command({ type: 'lobby.close', reason: 'released' });
    await lobby.event('lobby.left');
  }

  /** Dialled, and not waited for. */
  dial(more: Partial<AttemptDial> = {}): StandAttempt {
    this.#attempts += 1;
    const attempt = new StandAttempt(this, `attempt-${this.#attempts}`);
    const nowMs = Date.now();
    attempt.reply = attempt.command({
      type: 'attempt.dial',
      ...{ gatewayId: 'rig', notAfterMs: nowMs + 30_000, trunk: 'customers' },
      ...{ destination: '+12065550123', callerId: '+12025550100' },
      ...{ setupTimeoutMs: 20_000, ringLimitMs: 30_000, callLengthMaxMs: 120_000 },
      ...more,
    });
    return attempt;
  }

  /** Picked up, and says that tone. */
  async answeredCustomer(hz: number, more: Partial<AttemptDial> = {}): Promise<StandCustomer> {
    const picked = this.phone.nextCall();
    const attempt = this.dial(more);
    const call = await picked;
    call.media.speak(hz);
    await attempt.event('attempt.answered');
    return new StandCustomer(this, attempt.id, call, attempt.seq);
  }

  /** Until the representative's phone has been asked so many times whether it is there. */
  untilOptions(count: number): Promise<void> {
    const { representative } = this;
    const asked = (): number => representative.received.filter((one) => one === 'OPTIONS').length;
    return new Promise((resolve) => {
      representative.onReceived = () => {
        if (asked() >= count) resolve();
      };
      representative.onReceived('');
    });
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#waiting.delete(check);
        const types = this.events.map(({ type }) => type).join(' ');
        reject(new Error(`waited in vain for ${what}; told: ${types}`));
      }, WAIT_MAX_MS);
      const check = (): void => {
        if (!isSo()) return;
        clearTimeout(limit);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  async stop(): Promise<void> {
    await this.rig.stop();
    await this.representative.close();
    await Promise.all(this.#opened.map((opened) => opened.close()));
    await this.phone.close();
  }
}

/** Events and commands of one attempt or lobby. */
abstract class Party {
  readonly id: string;
  seq: number;
  readonly stand: LobbyStand;
  protected abstract readonly key: 'attemptId' | 'lobbyId';

  constructor(stand: LobbyStand, id: string, seq = 0) {
    this.stand = stand;
    this.id = id;
    this.seq = seq;
  }

  command(body: CommandBody): Promise<CommandReply> {
    this.seq += 1;
    const envelope = { [this.key]: this.id, fence: 1, seq: this.seq, atMs: Date.now() };
    return this.stand.rig.gateway.send({ ...envelope, ...body } as unknown as TelephonyCommand);
  }

  /** The latest of that type. */
  told<T extends EventType>(type: T): EventOf<T> | undefined {
    return this.#all<T>(type).at(-1);
  }

  /** Waits until there have been so many of that type. */
  async event<T extends EventType>(type: T, count = 1): Promise<EventOf<T>> {
    const all = (): EventOf<T>[] => this.#all<T>(type);
    await this.stand.until(() => all().length >= count, `${type} of ${this.id}`);
    return all()[count - 1] as EventOf<T>;
  }

  #all<T extends EventType>(type: T): EventOf<T>[] {
    return this.stand.events.filter(
      (event): event is Extract<TelephonyEvent, EventOf<T>> =>
        event.type === type && (event as { [key: string]: unknown })[this.key] === this.id,
    );
  }
}

export class StandLobby extends Party {
  protected readonly key = 'lobbyId';
}

export class StandAttempt extends Party {
  protected readonly key = 'attemptId';
  /** What the dial met. */
  reply: Promise<CommandReply> = Promise.resolve({ accepted: true });

  /** To the lobby, whatever has become of it before. */
  connect(lobbyId: string, more: Partial<AttemptConnect> = {}): Promise<CommandReply> {
    const connectId = `connect-${this.seq}`;
    return this.command({
      type: 'attempt.connect',
      ...{ connectId, target: { kind: 'lobby', lobbyId } },
      ...more,
    });
  }
}

export class StandCustomer extends StandAttempt {
  readonly call: CustomerCall;

  constructor(stand: LobbyStand, id: string, call: CustomerCall, seq: number) {
    super(stand, id, seq);
    this.call = call;
  }
}
