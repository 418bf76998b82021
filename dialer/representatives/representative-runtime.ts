/** One representative at work: their machine, their phone leg, and what is written of them. */
import { createActor, fromCallback, type Actor } from 'xstate';
import type {
  Invitation,
  ReleaseReason,
  RepresentativeEvent,
  RepresentativeOrder,
  RepresentativeWork,
} from '../../machines/representative.events.ts';
import { representativeMachine } from '../../machines/representative.machine.ts';
import type { LobbyClose, LobbyOpen } from '../../machines/lobby-commands.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { untilStored } from '../store/until-stored.ts';
import type { RepresentativeProfile } from './match-representatives.ts';
import { writeWork } from './reservations.ts';

export interface RepresentativeTimes {
  /** Phone rung → given up, ms. */
  readonly phoneRingMs: number;
  /** Reserved and nothing bridged → released, ms. */
  readonly lobbyIdleMs: number;
  /** Free → their leg is hung up, ms. */
  readonly lobbyKeepMs: number;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
}

/** How a lobby leg comes to be. */
export interface PhoneWay extends Pick<LobbyOpen, 'via' | 'sipUri'> {
  /** The one gateway that has their call; default: whichever. */
  readonly gatewayId?: string;
}

export interface RepresentativeParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly work: WorkInHand;
  readonly telephony: Pick<TelephonyPort, 'send'>;
  readonly gatewayId: string;
  /** Epoch of the lease under which they are worked. */
  readonly fence: number;
  readonly actor: string;
  readonly times: RepresentativeTimes;
  /** How their phone is reached now; undefined: nobody knows one. */
  readonly phoneOf: (
    profile: RepresentativeProfile,
  ) => PhoneWay | undefined | Promise<PhoneWay | undefined>;
  /** After it was written. */
  readonly onEntered: (entered: Entered) => void;
}

export interface Entered {
  readonly representativeId: string;
  readonly businessUnitId: string;
  readonly work: RepresentativeWork;
  readonly invitation: Invitation | null;
  readonly lobbyId: string | null;
  /** With `free`: the call that they were wanted for, which may still ring. */
  readonly attemptId: string | null;
  readonly reason: ReleaseReason | null;
}

/** The gateway needs a little longer than the phone may ring, to say that it did not answer. */
const LOBBY_WORD_MS = 5_000;

export class RepresentativeRuntime {
  profile: RepresentativeProfile;
  /** It is their engagement's turn: a call may be dialled for them. Dealt anew after each call. */
  isDealt = false;
  readonly #parts: RepresentativeParts;
  readonly #actor: Actor<typeof representativeMachine>;
  #invitation: Invitation | null = null;
  #lobbyId: string | null = null;
  #mediaServerId: string | null = null;
  #lobbySeq = 0;
  /** The call that is dialled for them, or that they are on. */
  #attemptId: string | null = null;
  #writing: Promise<void> = Promise.resolve();
  #unwritten = 0;
  #isStarted = false;
  #isStopped = false;
  #freeSinceMs: number;

  constructor(parts: RepresentativeParts, profile: RepresentativeProfile) {
    this.#parts = parts;
    this.profile = profile;
    this.#freeSinceMs = parts.clock.now();
    const desk = fromCallback<RepresentativeOrder, { representativeId: string }>(({ receive }) => {
      receive((order) => this.#carryOut(order));
    });
    const { lobbyIdleMs, lobbyKeepMs, phoneRingMs } = parts.times;
    this.#actor = createActor(representativeMachine.provide({ actors: { desk } }), {
      clock: parts.clock,
      input: {
        representativeId: profile.id,
        ...{ lobbyIdleMs, lobbyKeepMs, lobbyOpenMs: phoneRingMs + LOBBY_WORD_MS },
      },
    });
    this.#actor.start();
    this.#isStarted = true;
  }

  get work(): RepresentativeWork {
    const { value } = this.#actor.getSnapshot();
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as RepresentativeWork;
  }

  /** Nothing to do, and nobody's: also on disk. */
  get isFree(): boolean {
    return this.work === 'free' && this.#unwritten === 0;
  }

  get freeSinceMs(): number {
    return this.#freeSinceMs;
  }

  get invitation(): Invitation | null {
    return this.#invitation;
  }

  get lobbyId(): string | null {
    return this.#lobbyId;
  }

  get mediaServerId(): string | null {
    return this.#mediaServerId;
  }

  get attemptId(): string | null {
    return this.#attemptId;
  }

  get isLeaving(): boolean {
    return this.#actor.getSnapshot().context.isLeaving;
  }

  /** After their reservation is on disk. */
  invite(event: Extract<RepresentativeEvent, { type: 'desk.invite' }>): void {
    this.#invitation = event.invitation;
    this.isDealt = true;
    this.#attemptId = event.invitation.attemptId;
    this.#actor.send(event);
  }

  tell(event: Exclude<RepresentativeEvent, { type: 'desk.invite' }>): void {
    this.#actor.send(event);
  }

  /** A call is being dialled for them: nobody else's may be. Null: it has ended without them. */
  assign(attemptId: string | null): void {
    this.#attemptId = attemptId;
    if (attemptId === null) this.isDealt = false;
  }

  onLobbyEvent(event: EventOf<'lobby.ready'> | EventOf<'lobby.left'>): void {
    if (event.lobbyId !== this.#lobbyId) return;
    if (event.type === 'lobby.ready') {
      this.#mediaServerId = event.mediaServerId;
      this.#actor.send({ type: 'lobby.ready' });
    } else this.#lobbyGone();
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  /** What a failing store has not taken by then, the next owner settles. */
  stop(): void {
    this.#isStopped = true;
    this.#actor.stop();
  }

  #lobbyGone(): void {
    this.#lobbyId = this.#mediaServerId = null;
    this.#actor.send({ type: 'lobby.left' });
  }

  #carryOut(order: RepresentativeOrder): void {
    switch (order.type) {
      case 'desk.openLobby':
        this.#openLobby();
        return;
      case 'desk.closeLobby':
        this.#closeLobby(order.reason);
        return;
      case 'desk.entered':
        this.#entered(order);
    }
  }

  #openLobby(): void {
    const { ids, phoneOf } = this.#parts;
    const lobbyId = ids.id();
    this.#lobbyId = lobbyId;
    this.#lobbySeq = 1;
    const way = phoneOf(this.profile);
    if (way instanceof Promise) {
      way.then(
        (found) => this.#openLobbyBy(lobbyId, found),
        (error: unknown) => this.#lobbyFailed(lobbyId, error),
      );
    } else if (way === undefined) {
      // Not inside the order: the machine is still entering the state that asked for it.
      queueMicrotask(() => this.#openLobbyBy(lobbyId, undefined));
    } else this.#openLobbyBy(lobbyId, way);
  }

  #openLobbyBy(lobbyId: string, way: PhoneWay | undefined): void {
    if (this.#lobbyId !== lobbyId) return; // closed again before it was known where
    if (way === undefined) {
      const detail =
        'no phone is known: none is registered, no URI is set, and they cannot dial in';
      this.#lobbyFailed(lobbyId, detail);
      return;
    }
    const { telephony, gatewayId, fence, clock, times } = this.#parts;
    const command: LobbyOpen = {
      type: 'lobby.open',
      ...{ lobbyId, fence, seq: 1, atMs: clock.now() },
      ...{ gatewayId, representativeId: this.profile.id, ...way },
      ringLimitMs: times.phoneRingMs,
      idleLimitMs: (this.#invitation?.idleMs ?? times.lobbyIdleMs) + LOBBY_WORD_MS,
    };
    const failed = (detail: unknown): void => this.#lobbyFailed(lobbyId, detail);
    telephony.send(command).then((reply) => {
      if (!reply.accepted) failed(`${reply.code}: ${reply.detail}`);
    }, failed);
  }

  #lobbyFailed(lobbyId: string, detail: unknown): void {
    const { id: representativeId } = this.profile;
    this.#parts.log.warn({ representativeId, lobbyId, detail }, 'a lobby leg could not be opened');
    if (this.#lobbyId === lobbyId) this.#lobbyGone();
  }

  #closeLobby(reason: LobbyClose['reason']): void {
    const { telephony, fence, clock, log } = this.#parts;
    const lobbyId = this.#lobbyId;
    if (lobbyId === null) return;
    this.#lobbyId = this.#mediaServerId = null;
    this.#lobbySeq += 1;
    const envelope = { lobbyId, fence, seq: this.#lobbySeq, atMs: clock.now() };
    telephony.send({ type: 'lobby.close', ...envelope, reason }).catch((error: unknown) => {
      // The gateway's own idle limit ends it.
      log.warn({ lobbyId, error }, 'a lobby leg could not be closed');
    });
  }

  #entered({ work, reason }: Extract<RepresentativeOrder, { type: 'desk.entered' }>): void {
    if (!this.#isStarted) return; // free from the beginning: nothing has changed
    const { clock } = this.#parts;
    const { id: representativeId, businessUnitId } = this.profile;
    const invitation = this.#invitation;
    const attemptId = this.#attemptId;
    if (work === 'free') {
      this.#invitation = this.#attemptId = null;
      this.#freeSinceMs = clock.now();
    }
    const entered: Entered = {
      ...{ representativeId, businessUnitId, work, invitation, reason },
      ...{ lobbyId: this.#lobbyId, attemptId },
    };
    this.#write(entered, clock.now());
  }

  /** In order, and for as long as it takes: what is not on disk is nobody's to rely on. */
  #write(entered: Entered, atMs: number): void {
    this.#unwritten += 1;
    const { work, database, fence, actor, clock, times, log, onEntered } = this.#parts;
    const before = this.#writing;
    const write = async (): Promise<void> => {
      await before;
      const payload = payloadOf(entered);
      const { representativeId } = entered;
      await untilStored(
        () => writeWork({ database, fence, actor }, { ...entered, atMs, payload }),
        {
          ...{ clock, storeRetryMs: times.storeRetryMs, isGivenUp: () => this.#isStopped },
          onFailure: (error) =>
            log.error({ representativeId, error }, 'what a representative does is not written yet'),
        },
      ).catch(() => undefined);
      this.#unwritten -= 1;
      onEntered(entered);
    };
    this.#writing = write();
    work.run(() => this.#writing);
  }
}

function payloadOf({ invitation, reason, work }: Entered): Readonly<Record<string, unknown>> {
  return {
    engagementId: invitation?.engagementId ?? null,
    invitationId: invitation?.id ?? null,
    ...(work === 'invited' && invitation !== null ? shown(invitation) : {}),
    ...(reason === null ? {} : { reason }),
  };
}

/** What a desktop shows of an invitation. */
function shown(invitation: Invitation): Readonly<Record<string, unknown>> {
  const { kind, engagementName, engagementDescription, template } = invitation;
  const { isAutoAccepted, timeoutMs, taskId, attemptId } = invitation;
  return {
    ...{ kind, engagementName, engagementDescription, template },
    ...{ isAutoAccepted, timeoutMs, taskId, attemptId },
  };
}
