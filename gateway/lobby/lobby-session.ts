/**
 * One customer with one representative: the cue, the bridge, and whatever ends it. The
 * representative's leg outlives it; the customer's endpoint is destroyed with the attempt. Told in
 * events; `onOver` when the representative is gone and the customer is not.
 */
import type { ConnectFailure } from '../../machines/connect-events.ts';
import type { AttemptConnect } from '../../machines/telephony-commands.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { Partner, PartnerParts } from '../attempts/partner.ts';
import { elapsedMs } from '../clock.ts';
import type { MediaOutcome } from '../media/media-wait.ts';
import type { LobbyGuest, LobbySeat } from './lobby-parts.ts';
import type { Lobbies } from './lobby-desk.ts';

/** Short: both can speak within 300 ms of the verdict, of which FreeSWITCH's bridge takes up to 150. */
const CUE = 'tone_stream://v=-14;%(60,0,880)';
/** A longer cue is cut: the customer is waiting. */
const CUE_LIMIT_MS = 2_000;

export interface LobbySessionParts extends Omit<PartnerParts, 'customer'> {
  /** `answeredAtMs` is absent while the customer's phone rings: early media is heard. */
  readonly customer: Omit<PartnerParts['customer'], 'answeredAtMs'> & {
    readonly answeredAtMs: number | undefined;
  };
  readonly connectId: string;
  readonly lobbyId: string;
  readonly cue: AttemptConnect['cue'];
  readonly lobbies: Lobbies;
}

type EndedBy = EventOf<'attempt.bridgeEnded'>['endedBy'];

export class LobbySession implements Partner, LobbyGuest {
  readonly released = Promise.resolve();
  readonly attemptId: string;
  readonly #parts: LobbySessionParts;
  #seat: LobbySeat | undefined;
  #connectedAtMs: number | undefined;
  #isMuted = false;
  #over = false;

  constructor(parts: LobbySessionParts) {
    this.#parts = parts;
    this.attemptId = parts.attemptId;
  }

  get connectId(): string {
    return this.#parts.connectId;
  }

  get isConnected(): boolean {
    return this.#connectedAtMs !== undefined && !this.#over;
  }

  /** A function, since it changes while something is awaited or told. */
  isOver(): boolean {
    return this.#over;
  }

  /** Undefined before it is taken and when it is over. */
  get seat(): LobbySeat | undefined {
    return this.#over ? undefined : this.#seat;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /** What the representative says, towards the customer. */
  async mute(muted: boolean): Promise<MediaOutcome<unknown>> {
    if (this.#seat === undefined) return { kind: 'failed', problem: 'nobody is there' };
    const outcome = await this.#seat.endpoint.run('set_mute', `read ${String(muted)}`);
    if (outcome.kind === 'done') this.#isMuted = muted;
    return outcome;
  }

  /** The customer is with somebody else now: the representative is free. */
  transferred(): void {
    if (this.#over) return;
    this.#close(true);
    if (this.#connectedAtMs !== undefined) this.#parts.emit(this.#bridgeEnded('dialer'));
  }

  start(): void {
    const { lobbies, lobbyId, customer } = this.#parts;
    const lobby = lobbies.find(lobbyId);
    if (lobby?.isReady !== true) {
      this.#fail('target_gone', `lobby ${lobbyId} is not ready`);
      return;
    }
    if (lobby.mediaServerId !== customer.endpoint.mediaServerId) {
      const [theirs, ours] = [lobby.mediaServerId ?? '', customer.endpoint.mediaServerId];
      this.#fail('media', `the lobby is on media server ${theirs}, the customer on ${ours}`);
      return;
    }
    const seat = lobby.seat(this);
    if (seat === undefined) {
      this.#fail('target_refused', `lobby ${lobbyId} has another customer`);
      return;
    }
    this.#seat = seat;
    void this.#join(seat);
  }

  end(by: EndedBy): void {
    if (this.#over) return;
    this.#close();
    if (this.#connectedAtMs !== undefined) this.#parts.emit(this.#bridgeEnded(by));
  }

  onLobbyLeft(detail: string, bySwitch: boolean): void {
    if (this.#over) return;
    if (this.#connectedAtMs === undefined) {
      this.#fail('target_gone', `the representative left: ${detail}`);
      return;
    }
    this.#close();
    this.#parts.emit(this.#bridgeEnded(bySwitch ? 'switch' : 'target'));
    this.#parts.onOver(bySwitch ? 'broken' : 'left');
  }

  /** The cue first: whoever is about to be heard knows it. Then both at once. */
  async #join(seat: LobbySeat): Promise<void> {
    const { customer } = this.#parts;
    await Promise.all([this.#cue(seat), customer.mediaReady()]);
    if (this.#over) return;
    const outcome = await customer.endpoint.bridgeWith(seat.endpoint);
    if (this.isOver()) {
      // Given up in that moment, with the customer still there: neither may hear the other.
      if (outcome.kind === 'done') void customer.endpoint.park();
      return;
    }
    if (outcome.kind === 'done') {
      this.#onConnected();
      return;
    }
    this.#fail('media', outcome.kind === 'timeout' ? 'no answer to uuid_bridge' : outcome.problem);
  }

  async #cue({ endpoint }: LobbySeat): Promise<void> {
    const { cue = CUE, services } = this.#parts;
    const file = await services.prompts.locate(cue);
    if (file === undefined) return;
    const outcome = await endpoint.play([file], CUE_LIMIT_MS);
    if (outcome.kind === 'done' || outcome.kind === 'gone') return;
    services.log.warn(
      { attemptId: this.attemptId, outcome: outcome.kind },
      'the cue was not played',
    );
  }

  #onConnected(): void {
    const { connectId, customer, services, emit, onConnected } = this.#parts;
    const nowMs = services.clock.now();
    this.#connectedAtMs = nowMs;
    services.counters.lobbiesConnected += 1;
    onConnected();
    const { answeredAtMs } = customer;
    const greetingEndedAtMs = customer.greetingEndedAtMs();
    emit({
      type: 'attempt.connected',
      connectId,
      target: 'lobby',
      afterAnswerMs: answeredAtMs === undefined ? 0 : elapsedMs(answeredAtMs, nowMs),
      afterGreetingEndMs:
        greetingEndedAtMs === undefined ? null : Math.round(nowMs - greetingEndedAtMs),
    });
  }

  #fail(reason: ConnectFailure, detail: string): void {
    if (this.#over) return;
    const { emit, connectId, services, onOver } = this.#parts;
    this.#close();
    services.log.warn({ attemptId: this.attemptId, reason, detail }, 'lobby not connected');
    emit({ type: 'attempt.connectFailed', connectId, reason, detail });
    onOver('broken');
  }

  #bridgeEnded(endedBy: EndedBy) {
    const { connectId, services } = this.#parts;
    const bridgedMs = elapsedMs(this.#connectedAtMs ?? 0, services.clock.now());
    return { type: 'attempt.bridgeEnded', connectId, endedBy, bridgedMs } as const;
  }

  #close(isTransferred = false): void {
    this.#over = true;
    // The next customer is to hear them.
    if (this.#isMuted) void this.#seat?.endpoint.run('set_mute', 'read false');
    this.#seat?.leave(isTransferred);
  }
}
