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
import type { EventOf } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { untilStored } from '../store/until-stored.ts';
import type { RepresentativeProfile } from './match-representatives.ts';
import { LOBBY_WORD_MS, LobbyLeg, type PhoneWay } from './lobby-leg.ts';
import { OFFLINE } from './representative-rules.schema.ts';
import { writeAssignment, writeWork } from './reservations.ts';
import type { KeptReservation } from './take-over.ts';

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

export interface RepresentativeParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly work: WorkInHand;
  readonly telephony: Pick<TelephonyPort, 'send'>;
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
  readonly gatewayId: string | null;
  /** With `free`: the call that they were wanted for, which may still ring. */
  readonly attemptId: string | null;
  readonly reason: ReleaseReason | null;
}

export class RepresentativeRuntime {
  profile: RepresentativeProfile;
  /** It is their engagement's turn: a call may be dialled for them. Dealt anew after each call. */
  isDealt = false;
  readonly #parts: RepresentativeParts;
  readonly #actor: Actor<typeof representativeMachine>;
  #invitation: Invitation | null = null;
  readonly #leg: LobbyLeg;
  /** From which their phone is called next. */
  #gatewayId: string;
  /** The call that is dialled for them, or that they are on. */
  #attemptId: string | null = null;
  #writing: Promise<void> = Promise.resolve();
  #unwritten = 0;
  #isStarted = false;
  #isStopped = false;
  #freeSinceMs: number;

  /** `left`: what another process had them at. */
  constructor(parts: RepresentativeParts, profile: RepresentativeProfile, left?: KeptReservation) {
    this.#parts = parts;
    this.profile = profile;
    this.#freeSinceMs = parts.clock.now();
    this.#gatewayId = left?.gatewayId ?? '';
    this.#invitation = left?.inHand.invitation ?? null;
    this.#attemptId = left?.inHand.attemptId ?? null;
    this.#leg = this.#makeLeg();
    const desk = fromCallback<RepresentativeOrder, { representativeId: string }>(({ receive }) => {
      receive((order) => this.#carryOut(order));
    });
    const { lobbyIdleMs, lobbyKeepMs, phoneRingMs } = parts.times;
    const isLeaving = profile.presence === OFFLINE;
    this.#actor = createActor(representativeMachine.provide({ actors: { desk } }), {
      clock: parts.clock,
      input: {
        representativeId: profile.id,
        ...{ lobbyIdleMs, lobbyKeepMs, lobbyOpenMs: phoneRingMs + LOBBY_WORD_MS },
        ...(left === undefined ? {} : { inHand: { ...left.inHand, isLeaving } }),
      },
    });
    this.#actor.start();
    this.#isStarted = true;
    if (left?.lobbyId == null) return;
    this.#leg.takeOver(left.lobbyId, this.#gatewayId, this.#idleLimitMs);
  }

  #makeLeg(): LobbyLeg {
    const { ids, clock, log, telephony, fence, times, phoneOf } = this.#parts;
    return new LobbyLeg({
      ...{ ids, clock, log, telephony, fence, phoneRingMs: times.phoneRingMs },
      representativeId: this.profile.id,
      way: () => phoneOf(this.profile),
      onReady: () => this.#actor.send({ type: 'lobby.ready' }),
      onGone: () => this.#actor.send({ type: 'lobby.left' }),
    });
  }

  get #idleLimitMs(): number {
    return (this.#invitation?.idleMs ?? this.#parts.times.lobbyIdleMs) + LOBBY_WORD_MS;
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
    return this.#leg.lobbyId;
  }

  get mediaServerId(): string | null {
    return this.#leg.mediaServerId;
  }

  /** Where their leg is: calls for them are dialled there. */
  get gatewayId(): string | null {
    return this.#leg.gatewayId;
  }

  get attemptId(): string | null {
    return this.#attemptId;
  }

  get isLeaving(): boolean {
    return this.#actor.getSnapshot().context.isLeaving;
  }

  /** After their reservation is on disk. A leg that is up elsewhere is no use to calls of that gateway. */
  invite(event: Extract<RepresentativeEvent, { type: 'desk.invite' }>, gatewayId: string): void {
    this.#gatewayId = gatewayId;
    if (this.#leg.lobbyId !== null && this.#leg.gatewayId !== gatewayId) {
      this.#leg.close('released');
      this.#actor.send({ type: 'lobby.left' });
    }
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
    const { database, fence } = this.#parts;
    this.#store(() => writeAssignment({ database, fence }, this.profile.id, attemptId));
  }

  onLobbyEvent(event: EventOf<'lobby.ready'> | EventOf<'lobby.left'>): void {
    this.#leg.hear(event);
  }

  /** Answers which lobby was lost with the gateway. */
  onGatewayLost(gatewayId: string): string | undefined {
    return this.#leg.lose(gatewayId);
  }

  onGatewayPresent(gatewayId: string): void {
    this.#leg.gatewayIsThere(gatewayId);
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  /** What a failing store has not taken by then, the next owner settles. */
  stop(): void {
    this.#isStopped = true;
    this.#actor.stop();
  }

  #carryOut(order: RepresentativeOrder): void {
    switch (order.type) {
      case 'desk.openLobby':
        this.#leg.open(this.#gatewayId, this.#idleLimitMs);
        return;
      case 'desk.closeLobby':
        this.#leg.close(order.reason);
        return;
      case 'desk.entered':
        this.#entered(order);
    }
  }

  #entered({ work, reason }: Extract<RepresentativeOrder, { type: 'desk.entered' }>): void {
    if (!this.#isStarted) return; // what they begin at: nothing has changed
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
      ...{ lobbyId: this.#leg.lobbyId, gatewayId: this.#leg.gatewayId, attemptId },
    };
    this.#write(entered, clock.now());
  }

  #write(entered: Entered, atMs: number): void {
    const { database, fence, actor, onEntered } = this.#parts;
    const payload = payloadOf(entered);
    this.#store(
      () => writeWork({ database, fence, actor }, { ...entered, atMs, payload }),
      () => onEntered(entered),
    );
  }

  /** In order, and for as long as it takes: what is not on disk is nobody's to rely on. */
  #store(write: () => Promise<void>, then: () => void = () => undefined): void {
    this.#unwritten += 1;
    const { work, clock, times, log } = this.#parts;
    const { id: representativeId } = this.profile;
    const before = this.#writing;
    const written = async (): Promise<void> => {
      await before;
      await untilStored(write, {
        ...{ clock, storeRetryMs: times.storeRetryMs, isGivenUp: () => this.#isStopped },
        onFailure: (error) =>
          log.error({ representativeId, error }, 'what a representative does is not written yet'),
      }).catch(() => undefined);
      this.#unwritten -= 1;
      then();
    };
    this.#writing = written();
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
