/**
 * One lobby: a representative's leg, nailed up before any customer is dialled. Between customers it is
 * parked and hears the lobby's sound; a customer's end parks it again. Every way out passes `#leave`,
 * which acts once.
 */
import type { LobbyClose, LobbyMonitor, LobbyWhisper } from '../../machines/lobby-commands.ts';
import type { LOBBY_LEFT_REASONS } from '../../machines/lobby-events.ts';
import { elapsedMs } from '../clock.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { SipLadder } from '../sip/sip-ladder.ts';
import { DialedInWay } from './dialed-in-way.ts';
import { LobbyCall } from './lobby-call.ts';
import type { LobbyGuest, LobbyParts, LobbySeat } from './lobby-parts.ts';
import { LobbyRoom } from './lobby-room.ts';
import { LobbyReferral } from './lobby-referral.ts';
import type { LobbyPhone, LobbyWay, LobbyWayHandlers } from './lobby-way.ts';
import { PhoneWatch } from './phone-watch.ts';
import { Supervision } from './supervision.ts';

export type LeftReason = (typeof LOBBY_LEFT_REASONS)[number];

/** The media server ends the leg by itself after this, should every gateway be gone by then. */
const HELD_MAX_MS = 12 * 3_600_000;

export class Lobby {
  readonly #parts: LobbyParts;
  readonly #ladder: SipLadder;
  readonly #way: LobbyWay;
  readonly #referral: LobbyReferral;
  #room: LobbyRoom | undefined;
  #watch: PhoneWatch | undefined;
  #supervision: Supervision | undefined;
  #guest: LobbyGuest | undefined;
  #readyAtMs: number | undefined;
  #idleTimer: unknown;
  #left = false;

  constructor(parts: LobbyParts) {
    this.#parts = parts;
    this.#ladder = new SipLadder(() => parts.services.clock.now());
    this.#referral = new LobbyReferral(parts, () => this.#guest?.attemptId ?? null);
    this.#way = this.#makeWay({
      onAnswered: (endpoint, phone) => this.#onAnswered(endpoint, phone),
      onRefused: (statusCode, detail) => this.#leave('notAnswered', detail, statusCode),
      onLost: (detail) => this.#leave('switch', detail),
      onLeft: (bySwitch) =>
        bySwitch
          ? this.#leave('switch', 'the switch ended the leg')
          : this.#leave('representative', 'BYE'),
      onDigit: ({ digit, durationMs }) => {
        if (this.isReady) parts.outlet.emit({ type: 'lobby.dtmf', digit, durationMs });
      },
      onRefer: (refer, response, phone) => this.#referral.take(refer, response, phone),
    });
  }

  get id(): string {
    return this.#parts.open.lobbyId;
  }

  get representativeId(): string {
    return this.#parts.open.representativeId;
  }

  get isReady(): boolean {
    return this.#readyAtMs !== undefined && !this.#left;
  }

  /** Undefined until it is ready. */
  get mediaServerId(): string | undefined {
    return this.#room?.endpoint.mediaServerId;
  }

  start(): void {
    this.#way.start();
  }

  close({ reason }: Pick<LobbyClose, 'reason'>): void {
    this.#leave(reason === 'idle' ? 'idle' : 'closed', reason);
  }

  /** drachtio or FreeSWITCH is gone; a leg that is being called tells it itself. */
  switchLost(detail: string): void {
    this.#leave('switch', detail);
  }

  /** Under a higher fence: the new owner hears where it stands. */
  tellAgain(): void {
    if (this.isReady) this.#tellReady();
  }

  /** False when it cannot be taken. */
  whisper(command: LobbyWhisper): boolean {
    return this.isReady && this.#room?.whisper(command) === true;
  }

  /** False when it cannot be taken. */
  monitor(command: LobbyMonitor): boolean {
    return this.isReady && this.#supervision?.monitor(command) === true;
  }

  unmonitor(monitorId: string): boolean {
    return this.#supervision?.stop(monitorId) === true;
  }

  /** Undefined when somebody has the representative already, or nobody can. */
  seat(guest: LobbyGuest): LobbySeat | undefined {
    const room = this.#room;
    if (!this.isReady || room === undefined || this.#guest !== undefined) return undefined;
    this.#guest = guest;
    room.occupied = true;
    this.#parts.services.clock.clearTimeout(this.#idleTimer);
    return {
      endpoint: room.endpoint,
      leave: (isTransferred = false) => {
        if (this.#guest !== guest) return;
        this.#guest = undefined;
        room.occupied = false;
        this.#referral.settle(isTransferred ? '200 OK' : '487 Request Terminated');
        this.#watchIdle();
      },
      rest: () => room.rest(),
    };
  }

  #makeWay(handlers: LobbyWayHandlers): LobbyWay {
    const { open, services, dialIn } = this.#parts;
    if (open.via !== 'dialIn' || dialIn === undefined) {
      return new LobbyCall(this.#parts, this.#ladder, handlers);
    }
    return new DialedInWay({ open, services, dialIn }, handlers);
  }

  #onAnswered(endpoint: MediaEndpoint, phone: LobbyPhone): void {
    const { services, outlet, open } = this.#parts;
    const { prompts, clock } = services;
    this.#readyAtMs = clock.now();
    services.counters.lobbiesReady += 1;
    this.#room = new LobbyRoom({ endpoint, prompts, clock, outlet, sound: open.sound });
    this.#supervision = new Supervision({ services, outlet, lobby: endpoint });
    endpoint.scheduleHangup(HELD_MAX_MS);
    this.#watch = new PhoneWatch({
      ...{ endpoint, clock },
      probe: (limitMs) => phone.probe(limitMs),
      onLost: (problem) => this.#leave('lost', problem),
    });
    this.#watch.start();
    this.#watchIdle();
    this.#room.rest();
    this.#tellReady();
  }

  #tellReady(): void {
    const { mediaServerId = '' } = this;
    this.#parts.outlet.emit({ type: 'lobby.ready', mediaServerId });
  }

  #watchIdle(): void {
    const { services, open } = this.#parts;
    services.clock.clearTimeout(this.#idleTimer);
    if (this.#left) return;
    const fire = (): void => this.#leave('idle', `no customer for ${open.idleLimitMs} ms`);
    this.#idleTimer = services.clock.setTimeout(fire, open.idleLimitMs);
  }

  #leave(reason: LeftReason, detail: string, statusCode?: number | null): void {
    if (this.#left) return;
    this.#left = true;
    const { services, outlet, onLeft, onReleased } = this.#parts;
    const { clock, log, counters } = services;
    if (reason === 'lost') counters.lobbiesLost += 1;
    const guest = this.#guest;
    this.#guest = undefined;
    clock.clearTimeout(this.#idleTimer);
    this.#watch?.stop();
    this.#referral.end();
    this.#room?.close();
    this.#supervision?.close();
    const heldMs = this.#readyAtMs === undefined ? 0 : elapsedMs(this.#readyAtMs, clock.now());
    log.info({ lobbyId: this.id, reason, detail, heldMs }, 'lobby left');
    // The customer first: whoever hears that the representative left finds the bridge ended.
    guest?.onLobbyLeft(detail, reason === 'switch');
    outlet.emit({
      ...{ type: 'lobby.left', reason, heldMs, detail },
      ...(statusCode === undefined ? {} : { statusCode }),
    });
    // Released, or idle for too long: no fault of who holds the line.
    const isUnwanted = reason === 'idle' || (reason === 'closed' && detail === 'released');
    const isReleased = isUnwanted && guest === undefined;
    void this.#way.end(isReleased).then(onReleased);
    onLeft();
  }
}
