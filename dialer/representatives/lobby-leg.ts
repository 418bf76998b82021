/** The leg to one representative's phone: on one gateway, which alone can bridge anybody to it. */
import type { LobbyClose, LobbyOpen } from '../../machines/lobby-commands.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';

/** How a lobby leg comes to be. */
export interface PhoneWay extends Pick<LobbyOpen, 'via' | 'sipUri'> {
  /** The one gateway that has their call; default: whichever. */
  readonly gatewayId?: string;
}

export interface LobbyLegParts {
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly telephony: Pick<TelephonyPort, 'send'>;
  /** Epoch of the lease under which they are worked. */
  readonly fence: number;
  readonly representativeId: string;
  /** Phone rung → given up, ms. */
  readonly phoneRingMs: number;
  /** How their phone is reached now; undefined: nobody knows one. */
  readonly way: () => PhoneWay | undefined | Promise<PhoneWay | undefined>;
  readonly onReady: () => void;
  /** Ended, or never begun; not told of one that was closed. */
  readonly onGone: () => void;
}

/** The gateway needs a little longer than the phone may ring, to say that it did not answer. */
export const LOBBY_WORD_MS = 5_000;

export class LobbyLeg {
  readonly #parts: LobbyLegParts;
  #lobbyId: string | null = null;
  #gatewayId: string | null = null;
  #mediaServerId: string | null = null;
  #seq = 0;
  /** Taken over, and its gateway has not said anything of it yet: asked again when it is there. */
  #unheardOf: LobbyOpen | undefined;

  constructor(parts: LobbyLegParts) {
    this.#parts = parts;
  }

  /** Null: there is none. */
  get lobbyId(): string | null {
    return this.#lobbyId;
  }

  /** Where it is, or is being called from. */
  get gatewayId(): string | null {
    return this.#gatewayId;
  }

  get mediaServerId(): string | null {
    return this.#mediaServerId;
  }

  /** From that gateway, unless their call is at another one already. */
  open(gatewayId: string, idleLimitMs: number): void {
    const lobbyId = this.#parts.ids.id();
    this.#lobbyId = lobbyId;
    this.#gatewayId = gatewayId;
    this.#seq = 1;
    const open = (way: PhoneWay | undefined): void => this.#openBy(lobbyId, idleLimitMs, way);
    const way = this.#parts.way();
    if (way instanceof Promise) {
      way.then(open, (error: unknown) => this.#failed(lobbyId, error));
    } else if (way === undefined) {
      // Not inside the order: the machine is still entering the state that asked for it.
      queueMicrotask(() => open(undefined));
    } else open(way);
  }

  /** One that another process has opened. Without it nobody is called. */
  takeOver(lobbyId: string, gatewayId: string, idleLimitMs: number): void {
    const { fence, clock, representativeId, phoneRingMs } = this.#parts;
    this.#lobbyId = lobbyId;
    this.#gatewayId = gatewayId;
    this.#seq = 1;
    this.#ask({
      type: 'lobby.open',
      ...{ lobbyId, fence, seq: 1, atMs: clock.now(), gatewayId, representativeId },
      ...{ takesOver: true, sipUri: '', ringLimitMs: phoneRingMs, idleLimitMs },
    });
  }

  close(reason: LobbyClose['reason']): void {
    const { telephony, fence, clock, log } = this.#parts;
    const lobbyId = this.#lobbyId;
    if (lobbyId === null) return;
    this.#forget();
    this.#seq += 1;
    const envelope = { lobbyId, fence, seq: this.#seq, atMs: clock.now() };
    telephony.send({ type: 'lobby.close', ...envelope, reason }).catch((error: unknown) => {
      // The gateway's own idle limit ends it.
      log.warn({ lobbyId, error }, 'a lobby leg could not be closed');
    });
  }

  hear(event: EventOf<'lobby.ready'> | EventOf<'lobby.left'>): void {
    if (event.lobbyId !== this.#lobbyId) return;
    this.#unheardOf = undefined;
    if (event.type === 'lobby.ready') {
      this.#mediaServerId = event.mediaServerId;
      this.#parts.onReady();
    } else this.#gone();
  }

  /** Its gateway is lost, and the leg with it. Answers which. */
  lose(gatewayId: string): string | undefined {
    const lobbyId = this.#lobbyId;
    if (lobbyId === null || this.#gatewayId !== gatewayId) return undefined;
    this.#gone();
    return lobbyId;
  }

  gatewayIsThere(gatewayId: string): void {
    if (this.#gatewayId === gatewayId && this.#unheardOf !== undefined) this.#ask(this.#unheardOf);
  }

  #ask(command: LobbyOpen): void {
    const { telephony, log } = this.#parts;
    const { lobbyId } = command;
    this.#unheardOf = command;
    const answered = (reply: CommandReply): void => {
      if (this.#lobbyId !== lobbyId) return;
      if (reply.accepted) this.#unheardOf = undefined;
      else if (reply.code === 'LOBBY_GONE') this.#failed(lobbyId, reply.detail);
    };
    telephony.send(command).then(answered, (error: unknown) => {
      log.warn({ lobbyId, error }, 'a lobby leg was not taken over yet');
    });
  }

  #openBy(lobbyId: string, idleLimitMs: number, way: PhoneWay | undefined): void {
    if (this.#lobbyId !== lobbyId) return; // closed again before it was known where
    if (way === undefined) {
      const detail =
        'no phone is known: none is registered, no URI is set, and they cannot dial in';
      this.#failed(lobbyId, detail);
      return;
    }
    const { telephony, fence, clock, representativeId, phoneRingMs } = this.#parts;
    const gatewayId = way.gatewayId ?? this.#gatewayId ?? '';
    this.#gatewayId = gatewayId;
    const command: LobbyOpen = {
      type: 'lobby.open',
      ...{ lobbyId, fence, seq: 1, atMs: clock.now() },
      ...{ representativeId, ...way, gatewayId },
      ...{ ringLimitMs: phoneRingMs, idleLimitMs },
    };
    const failed = (detail: unknown): void => this.#failed(lobbyId, detail);
    telephony.send(command).then((reply) => {
      if (!reply.accepted) failed(`${reply.code}: ${reply.detail}`);
    }, failed);
  }

  #failed(lobbyId: string, detail: unknown): void {
    const { log, representativeId } = this.#parts;
    log.warn({ representativeId, lobbyId, detail }, 'a lobby leg could not be opened');
    if (this.#lobbyId === lobbyId) this.#gone();
  }

  #gone(): void {
    this.#forget();
    this.#parts.onGone();
  }

  #forget(): void {
    this.#lobbyId = this.#gatewayId = this.#mediaServerId = null;
    this.#unheardOf = undefined;
  }
}
