/**
 * A gateway for simulations: a TelephonyPort on a virtual clock whose far ends follow scripts. It
 * keeps its fences and sequences as the real one does, outlives the dialer, and forgets when told.
 * It is a witness too: whatever must never be seen on the wire is asserted at the dial.
 */
import assert from 'node:assert/strict';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { AttemptPhase, CommandReply, RefusalCode } from '../../machines/command-reply.ts';
import type {
  AttemptCommand,
  AttemptQuery,
  Failsafe,
  TelephonyCommand,
} from '../../machines/telephony-commands.ts';
import type {
  AnswerVerdict,
  AttemptEvent,
  EventOf,
  TelephonyEvent,
} from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { VirtualClock } from '../../machines/virtual-clock.ts';

/** What the called side does; times from the INVITE, or from the answer. ms */
export type FarEnd =
  | { readonly does: 'reject'; readonly statusCode: number; readonly afterMs?: number }
  | { readonly does: 'ring' }
  /** No response of any kind: our own stack gives up (timer B, RFC 3261 §17.1.1.2). */
  | { readonly does: 'ignore' }
  /** A person; hangs up by themselves after `hangUpAfterMs`, else when we do. */
  | {
      readonly does: 'answer';
      readonly afterMs?: number;
      readonly hangUpAfterMs?: number;
      /** By the sound of it, at once. */
      readonly verdict?: AnswerVerdict;
      /** Asks not to be called again, by a digit; then the gateway hangs up. */
      readonly optsOutAfterMs?: number;
    }
  | { readonly does: 'refuse'; readonly code: RefusalCode };

/** What the AI agent does with a call that it is connected to. */
export type Agent =
  | {
      readonly does: 'talk';
      readonly forMs: number;
      /** Returned this long after the end of the call. ms */
      readonly returnsAfterMs?: number;
    }
  | { readonly does: 'fail'; readonly afterMs: number }
  /** Asks for a person, and stays with the customer until one is there. */
  | { readonly does: 'escalate'; readonly afterMs: number };

/** A representative's leg, as long as it is up. */
export interface Lobby {
  readonly lobbyId: string;
  readonly representativeId: string;
  readonly gatewayId: string;
  fence: number;
  seq: number;
  readyAtMs: number | null;
  /** The call that is bridged to it. */
  attemptId: string | null;
}

export interface Dialled {
  readonly attemptId: string;
  readonly destination: string;
  readonly fence: number;
  readonly atMs: number;
  readonly lobbyId: string | null;
  readonly gatewayId: string;
}

interface Call {
  readonly attemptId: string;
  readonly gatewayId: string;
  readonly destination: string;
  fence: number;
  seq: number;
  phase: AttemptPhase;
  ended: AttemptEnded | undefined;
  cancelReason: string | null;
  answeredAtMs: number | null;
  readonly failsafe: Failsafe | undefined;
  told: readonly AttemptEvent[];
  isConnected: boolean;
  /** Told apart from the calls before it, so that a timer of one that ended does nothing. */
  isOver: boolean;
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type EventBody = Without<AttemptEvent, 'attemptId' | 'fence' | 'seq' | 'atMs'>;

const SENT_AFTER_MS = 5;
const ALERTING_AFTER_MS = 100;
const ANSWER_AFTER_MS = 3_000;
const PLAY_MS = 2_000;
const CONNECT_MS = 300;
const JOIN_MS = 100;
const PHONE_ANSWERS_MS = 1_000;
const MESSAGE_MS = 4_000;
const END_MS = 20;
const TIMER_B_MS = 32_000;

export class SimulatedGateway implements TelephonyPort {
  readonly dialled: Dialled[] = [];
  readonly commands: AttemptCommand[] = [];
  /** Of those that are up now, by their id. */
  readonly lobbies = new Map<string, Lobby>();
  phonesAnswer = true;
  /** Most calls at one moment. */
  inFlightMax = 0;
  /** Least time between two dials to one number; asserted at every dial. */
  numberGapMinMs = 0;
  agent: Agent = { does: 'talk', forMs: 5_000 };
  /** What it does with one call. Default: as with every. */
  agentFor: (destination: string) => Agent = () => this.agent;
  /** Asked at every command; true: it is lost on the way, both ways. */
  isLost: (command: AttemptCommand) => boolean = () => false;
  onDial: (dialled: Dialled) => void = () => undefined;

  readonly #clock: VirtualClock;
  readonly #epochMs: number;
  readonly #farEnd: (destination: string, nth: number) => FarEnd;
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #calls = new Map<string, Call>();

  /** `nth` counts the dials of one destination from 1. */
  constructor(
    clock: VirtualClock,
    epochMs: number,
    farEnd: (destination: string, nth: number) => FarEnd,
  ) {
    this.#clock = clock;
    this.#epochMs = epochMs;
    this.#farEnd = farEnd;
  }

  get inFlight(): number {
    return [...this.#calls.values()].filter(({ isOver }) => !isOver).length;
  }

  dialsTo(destination: string): Dialled[] {
    return this.dialled.filter((dialled) => dialled.destination === destination);
  }

  /** Everything that it knew is gone, calls included, as after its own crash. */
  forget(): void {
    for (const call of this.#calls.values()) call.isOver = true;
    this.#calls.clear();
  }

  /** With everything that it had. */
  lose(gatewayId: string): void {
    for (const call of this.#calls.values()) {
      if (call.gatewayId !== gatewayId) continue;
      call.isOver = true;
      this.#calls.delete(call.attemptId);
    }
    for (const lobby of this.lobbies.values()) {
      if (lobby.gatewayId === gatewayId) this.lobbies.delete(lobby.lobbyId);
    }
    const detail = 'it was silent';
    const event = { type: 'gateway.lost', gatewayId, atMs: this.#nowMs(), detail } as const;
    for (const listener of [...this.#listeners]) listener(event);
  }

  send(command: TelephonyCommand): Promise<CommandReply> {
    if (!('attemptId' in command)) return Promise.resolve(this.#takeOfLobby(command));
    this.commands.push(command);
    if (this.isLost(command)) return new Promise(() => undefined);
    return Promise.resolve(this.#take(command));
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #nowMs(): number {
    return this.#epochMs + this.#clock.now();
  }

  #take(command: AttemptCommand): CommandReply {
    const { attemptId, fence } = command;
    const call = this.#calls.get(attemptId);
    if (call === undefined) {
      if (command.type === 'attempt.dial') return this.#dial(command);
      if (command.type !== 'attempt.query') return refused('UNKNOWN_ATTEMPT');
      return { accepted: true, state: { attemptId, fence, phase: 'unknown' } };
    }
    if (fence < call.fence) return refused('STALE_FENCE');
    if (fence > call.fence) {
      call.fence = fence;
      call.seq = 0;
      if (command.type === 'attempt.query') this.#tellAgain(call, command.heard);
    }
    return this.#act(call, command);
  }

  #act(call: Call, command: AttemptCommand): CommandReply {
    switch (command.type) {
      case 'attempt.query': {
        const { attemptId, fence, phase, ended, isConnected } = call;
        const connected = isConnected ? { connected: true as const } : {};
        return {
          accepted: true,
          state: { attemptId, fence, phase, told: call.seq, ...connected, ...(ended && { ended }) },
        };
      }
      case 'attempt.dial':
        assert.fail(`${call.attemptId} is dialled twice`);
        break;
      case 'attempt.cancel':
        call.cancelReason = call.answeredAtMs === null ? command.reason : null;
        this.#later(call, END_MS, () => this.#end(call, 487, 'dialer'));
        break;
      case 'attempt.hangup':
        this.#later(call, END_MS, () => this.#end(call, 200, 'dialer'));
        break;
      case 'attempt.play':
        this.#later(call, PLAY_MS, () =>
          this.#emit(call, {
            ...{ type: 'attempt.played', playId: command.playId },
            ...{ status: 'done', playedMs: PLAY_MS },
          }),
        );
        break;
      case 'attempt.connect':
        if (command.target.kind === 'aiAgent') this.#connect(call, command.connectId);
        else return this.#join(call, command.connectId, command.target.lobbyId);
        break;
      default:
        return refused('BAD_STATE');
    }
    return { accepted: true };
  }

  #dial(command: Extract<AttemptCommand, { type: 'attempt.dial' }>): CommandReply {
    const { attemptId, destination, fence, notAfterMs, gatewayId } = command;
    const atMs = this.#nowMs();
    const earlier = this.dialsTo(destination);
    const farEnd = this.#farEnd(destination, earlier.length + 1);
    if (farEnd.does === 'refuse') return refused(farEnd.code);
    assert(atMs <= notAfterMs, `${attemptId} is dialled after its time`);
    const inFlight = [...this.#calls.values()].find(
      (call) => call.destination === destination && !call.isOver,
    );
    assert(inFlight === undefined, `two attempts in flight to one number: ${attemptId}`);
    const last = earlier.at(-1);
    const gapMs = last === undefined ? Infinity : atMs - last.atMs;
    assert(gapMs >= this.numberGapMinMs, `a number is dialled again after ${gapMs} ms`);
    const { lobbyId = null, failsafe } = command;
    if (lobbyId !== null) {
      const lobby = this.lobbies.get(lobbyId);
      assert(lobby?.readyAtMs != null, `${attemptId} is for nobody's lobby`);
      assert.equal(gatewayId, lobby.gatewayId, `${attemptId} is dialled away from its lobby`);
    }
    const dialled = { attemptId, destination, fence, atMs, lobbyId, gatewayId };
    this.dialled.push(dialled);
    const call: Call = {
      ...{ attemptId, destination, fence, seq: 0, phase: 'starting', ended: undefined, gatewayId },
      ...{ cancelReason: null, answeredAtMs: null, isOver: false, failsafe, isConnected: false },
      told: [],
    };
    this.#calls.set(attemptId, call);
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    this.onDial(dialled);
    this.#play(call, farEnd);
    return { accepted: true };
  }

  #play(call: Call, farEnd: Exclude<FarEnd, { does: 'refuse' }>): void {
    this.#later(call, SENT_AFTER_MS, () => {
      const callId = `call-${call.attemptId}`;
      this.#emit(call, { type: 'attempt.sent', callId, trunk: 'lab', invites: 1 }, 'sent');
    });
    if (farEnd.does === 'reject') {
      const { statusCode, afterMs = ALERTING_AFTER_MS } = farEnd;
      this.#later(call, afterMs, () => this.#end(call, statusCode, 'far'));
      return;
    }
    if (farEnd.does === 'ignore') {
      this.#later(call, TIMER_B_MS, () => this.#end(call, 408, 'trunk', 'stack'));
      return;
    }
    this.#later(call, ALERTING_AFTER_MS, () =>
      this.#emit(
        call,
        { type: 'attempt.alerting', statusCode: 180, afterSentMs: ALERTING_AFTER_MS },
        'alerting',
      ),
    );
    if (farEnd.does === 'ring') return;
    const { afterMs = ANSWER_AFTER_MS, hangUpAfterMs, verdict } = farEnd;
    this.#later(call, afterMs, () => {
      if (call.cancelReason !== null) return;
      call.answeredAtMs = this.#clock.now();
      this.#emit(
        call,
        {
          ...{ type: 'attempt.answered', afterSentMs: afterMs },
          ...{ dialogId: `dialog-${call.attemptId}`, channelId: `channel-${call.attemptId}` },
        },
        'answered',
      );
      if (verdict !== undefined) {
        this.#emit(call, {
          ...{ type: 'attempt.classified', verdict, humanProbability: verdict === 'human' ? 1 : 0 },
          ...{ afterAnswerMs: 0, evidence: { speechStartMs: 300, longestUtteranceMs: 900 } },
        });
        if (verdict === 'human' || verdict === 'unknown') this.#watchOver(call);
      }
      if (farEnd.optsOutAfterMs !== undefined) {
        this.#later(call, farEnd.optsOutAfterMs, () => {
          const pressed = { digit: '9', source: 'rtp', playId: null };
          this.#emit(call, { type: 'attempt.optOut', ...pressed });
          this.#end(call, 200, 'gateway');
        });
      }
      if (hangUpAfterMs === undefined) return;
      this.#later(call, hangUpAfterMs, () => this.#end(call, 200, 'far'));
    });
  }

  /** The abandonment clock: nobody came in time, so the message is said and the call ended. */
  #watchOver(call: Call): void {
    const { failsafe } = call;
    // Of calls without a representative: their dialer is alive and has ordered what follows.
    if (failsafe === undefined || failsafe.orderStops === true) return;
    this.#later(call, failsafe.connectWithinMs, () => {
      if (call.isConnected) return;
      const detail = 'nobody was connected in time';
      this.#emit(call, {
        ...{ type: 'attempt.connectFailed', connectId: null, reason: 'failsafe', detail },
      });
      this.#later(call, MESSAGE_MS, () => this.#end(call, 200, 'gateway'));
    });
  }

  #takeOfLobby(command: Exclude<TelephonyCommand, AttemptCommand>): CommandReply {
    if (command.type === 'lobby.open') {
      const { lobbyId, representativeId, fence, gatewayId } = command;
      const known = this.lobbies.get(lobbyId);
      if (known !== undefined) return this.#takeLobbyOver(known, fence);
      if (command.takesOver === true) return refused('LOBBY_GONE');
      const lobby = {
        ...{ lobbyId, representativeId, fence, gatewayId },
        ...{ seq: 0, readyAtMs: null, attemptId: null },
      };
      this.lobbies.set(lobbyId, lobby);
      this.#clock.setTimeout(() => this.#lobbyAnswers(lobby), PHONE_ANSWERS_MS);
    }
    if (command.type === 'lobby.close') this.lobbyLeaves(command.lobbyId, 'closed');
    return { accepted: true };
  }

  /** A new owner hears how far it has come. */
  #takeLobbyOver(lobby: Lobby, fence: number): CommandReply {
    assert(fence > lobby.fence, `${lobby.lobbyId} is opened twice`);
    lobby.fence = fence;
    lobby.seq = 0;
    if (lobby.readyAtMs !== null) {
      this.#emitOfLobby(lobby, { type: 'lobby.ready', mediaServerId: 'media-1' });
    }
    return { accepted: true, duplicate: true };
  }

  #lobbyAnswers(lobby: Lobby): void {
    if (this.lobbies.get(lobby.lobbyId) !== lobby) return;
    if (!this.phonesAnswer) {
      this.lobbyLeaves(lobby.lobbyId, 'notAnswered');
      return;
    }
    lobby.readyAtMs = this.#nowMs();
    this.#emitOfLobby(lobby, { type: 'lobby.ready', mediaServerId: 'media-1' });
  }

  /** The leg ends; a customer who was bridged to it is alone. */
  lobbyLeaves(lobbyId: string, reason: EventOf<'lobby.left'>['reason']): void {
    const lobby = this.lobbies.get(lobbyId);
    if (lobby === undefined) return;
    this.lobbies.delete(lobbyId);
    this.#emitOfLobby(lobby, { type: 'lobby.left', reason, heldMs: 0 });
  }

  /** Anything else that a gateway may tell, at this moment. */
  tell(event: TelephonyEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  lobbyOf(representativeId: string): Lobby | undefined {
    return [...this.lobbies.values()].find((one) => one.representativeId === representativeId);
  }

  #join(call: Call, connectId: string, lobbyId: string): CommandReply {
    const lobby = this.lobbies.get(lobbyId);
    if (lobby?.readyAtMs == null) return refused('BAD_STATE');
    assert.equal(call.gatewayId, lobby.gatewayId, 'no bridge between two gateways');
    assert(lobby.attemptId === null, `two customers for one representative: ${lobbyId}`);
    lobby.attemptId = call.attemptId;
    this.#later(call, JOIN_MS, () => {
      if (this.lobbies.get(lobbyId) !== lobby) {
        const detail = 'the representative has left';
        this.#emit(call, {
          type: 'attempt.connectFailed',
          connectId,
          reason: 'target_gone',
          detail,
        });
        return;
      }
      call.isConnected = true;
      this.#emit(call, {
        ...{ type: 'attempt.connected', connectId, target: 'lobby' },
        ...{ afterAnswerMs: JOIN_MS, afterGreetingEndMs: null },
      });
    });
    return { accepted: true };
  }

  #emitOfLobby(
    lobby: Lobby,
    body: Without<
      EventOf<'lobby.ready'> | EventOf<'lobby.left'>,
      'lobbyId' | 'fence' | 'seq' | 'atMs'
    >,
  ): void {
    lobby.seq += 1;
    const { lobbyId, fence, seq } = lobby;
    const event = { ...body, lobbyId, fence, seq, atMs: this.#nowMs() };
    for (const listener of [...this.#listeners]) listener(event);
  }

  #connect(call: Call, connectId: string): void {
    const agent = this.agentFor(call.destination);
    if (agent.does === 'escalate') {
      this.#later(call, CONNECT_MS, () => {
        call.isConnected = true;
        this.#emit(call, {
          ...{ type: 'attempt.connected', connectId, target: 'aiAgent' },
          ...{ afterAnswerMs: CONNECT_MS, afterGreetingEndMs: null },
        });
        this.#later(call, agent.afterMs, () =>
          this.#emit(call, {
            ...{ type: 'aiAgent.escalated', by: 'refer', referTo: null, attributes: {} },
          }),
        );
      });
      return;
    }
    if (agent.does === 'talk') {
      this.#later(call, CONNECT_MS, () => {
        this.#emit(call, {
          ...{ type: 'attempt.connected', connectId, target: 'aiAgent' },
          ...{ afterAnswerMs: CONNECT_MS, afterGreetingEndMs: null },
        });
        this.#later(call, agent.forMs, () =>
          this.#emit(call, {
            ...{ type: 'attempt.bridgeEnded', connectId },
            ...{ endedBy: 'target', bridgedMs: agent.forMs },
          }),
        );
      });
      return;
    }
    this.#later(call, agent.afterMs, () =>
      this.#emit(call, {
        ...{ type: 'aiAgent.failed', reason: 'setup', statusCode: 503 },
        detail: 'the agent answered 503',
      }),
    );
  }

  #end(
    call: Call,
    statusCode: number,
    endedBy: AttemptEnded['endedBy'],
    origin: AttemptEnded['sip']['origin'] = 'network',
  ): void {
    const { answeredAtMs, cancelReason } = call;
    call.ended = {
      sip: {
        statusCode: answeredAtMs === null ? statusCode : 200,
        reasonPhrase: null,
        origin,
      },
      // Q.850 17, user busy, as a gateway to the telephone network adds it (RFC 3326).
      q850: statusCode === 486 ? [{ cause: 17, text: null }] : [],
      ...{ reasonHeaders: [], endedBy, cancelReason, invites: 1 },
      answered: answeredAtMs !== null,
      ringMs: null,
      talkMs: answeredAtMs === null ? null : this.#clock.now() - answeredAtMs,
    };
    call.isOver = true;
    for (const lobby of this.lobbies.values()) {
      if (lobby.attemptId === call.attemptId) lobby.attemptId = null;
    }
    this.#emit(call, { type: 'attempt.ended', ...call.ended }, 'ended');
    const agent = this.agentFor(call.destination);
    if (agent.does !== 'talk' || agent.returnsAfterMs === undefined) return;
    this.#clock.setTimeout(() => {
      const attributes = { mood: 'good' };
      this.#emit(call, { type: 'aiAgent.returned', by: 'info', attributes });
    }, agent.returnsAfterMs);
  }

  #later(call: Call, delayMs: number, then: () => void): void {
    this.#clock.setTimeout(() => {
      if (!call.isOver) then();
    }, delayMs);
  }

  #emit(call: Call, body: EventBody, phase: AttemptPhase = call.phase): void {
    call.phase = phase;
    call.seq += 1;
    const { attemptId, fence, seq } = call;
    const event: AttemptEvent = { ...body, attemptId, fence, seq, atMs: this.#nowMs() };
    call.told = [...call.told, event];
    for (const listener of [...this.#listeners]) listener(event);
  }

  #tellAgain(call: Call, heard: AttemptQuery['heard']): void {
    if (heard === undefined) return;
    const isNews = ({ fence, seq }: AttemptEvent): boolean =>
      fence > heard.fence || (fence === heard.fence && seq > heard.seq);
    const again = call.told.filter(isNews).map((event, n) => {
      return { ...event, fence: call.fence, seq: n + 1 };
    });
    call.told = [...call.told.filter((event) => !isNews(event)), ...again];
    call.seq = again.length;
    for (const event of again) for (const listener of [...this.#listeners]) listener(event);
  }
}

function refused(code: RefusalCode): CommandReply {
  return { accepted: false, code, detail: 'by the simulation' };
}
