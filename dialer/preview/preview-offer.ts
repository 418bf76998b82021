/** One offer at work: its machine, and what the machine asks of the store, the desk and the calls. */
import { createActor, fromCallback, type Actor } from 'xstate';
import { CALL_DELAY_SECONDS_MAX } from '../engagements/dial-modes.schema.ts';
import type { ReleaseReason } from '../../machines/representative.events.ts';
import type {
  OfferDelay,
  OfferEnd,
  PreviewOfferEvent,
  PreviewOfferOrder,
} from '../../machines/preview-offer.events.ts';
import { previewOfferMachine } from '../../machines/preview-offer.machine.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { TaskChange } from '../tasks/task-changes.ts';
import type { ShownNumber } from './decide-shown.ts';
import type { GivingBack } from './held-tasks.ts';
import type { PreviewEvents } from './preview-events.ts';

/** What becomes of an order to dial. */
export type DialAnswer =
  | { readonly kind: 'begun'; readonly attemptId: string; readonly lobbyId: string }
  /** No channel is free, or the store failed. */
  | { readonly kind: 'later' }
  /** The task has gone where the store has put it. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface OfferWork {
  readonly dial: (
    taskId: string,
    representativeId: string,
    shown: ShownNumber,
  ) => Promise<DialAnswer>;
  readonly giveBack: (how: GivingBack) => Promise<TaskChange | undefined>;
  /** In the name of the representative; the task ends with the call, or at once. */
  readonly cancelTask: (taskId: string, representativeId: string) => Promise<void>;
  /** The call that rings is ended: called off, or taken back. */
  readonly endCall: (taskId: string, why: 'cancelled' | 'dialer_recall') => void;
  readonly events: PreviewEvents;
  readonly retryMs: number;
}

export interface OfferParts extends OfferWork {
  readonly desk: RepresentativeDesk;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
}

/** `called`: a call came of it. `broken`: a defect; its task is held still. */
export type OfferDone = 'called' | 'givenBack' | 'broken';

/** `refused`: the store did not let it be dialled. */
export type PreviewEnd = 'called' | 'broken' | 'refused' | OfferEnd;

export interface OfferGiven {
  readonly taskId: string;
  /** Who is shown, with the number that is dialled unless another one is chosen. */
  readonly target: ShownNumber;
  readonly delay: OfferDelay;
  readonly windowMs: number;
  readonly declined: Set<string>;
  readonly onDone: (as: OfferDone) => void;
}

export type OfferState =
  'seeking' | 'invited' | 'accepted' | 'starting' | 'ringing' | 'talking' | 'closing';

/** Beyond a countdown, for whoever is on the way back to the desk, ms. */
const IDLE_MS = 600_000;

export class PreviewOffer {
  readonly taskId: string;
  readonly target: ShownNumber;
  /** Contact point that the representative chose; null: that of the target. */
  #chosen: string | null = null;
  /** Who was asked and did not take it. */
  readonly declined: Set<string>;
  readonly delay: OfferDelay;
  attemptId: string | null = null;
  /** In which the call is heard; null: there is none yet. */
  lobbyId: string | null = null;
  /** Epoch ms; null: it does not start by itself, or was not accepted yet. */
  startsAtMs: number | null = null;
  /** Somebody is being reserved for it. */
  isInviting = false;
  /** Who declined it is asked again after its pause. */
  isForgotten = false;
  /** Epoch ms. */
  notBeforeMs = 0;
  readonly #parts: OfferParts;
  readonly #actor: Actor<typeof previewOfferMachine>;
  #representativeId: string | null = null;
  #hadCall = false;
  #end: 'refused' | OfferEnd = 'withdrawn';

  constructor(parts: OfferParts, given: OfferGiven) {
    this.#parts = parts;
    this.taskId = given.taskId;
    this.target = given.target;
    this.declined = given.declined;
    this.delay = given.delay;
    const desk = fromCallback<PreviewOfferOrder, { taskId: string }>(({ receive, sendBack }) => {
      receive((order) => this.#carryOut(order, sendBack));
    });
    this.#actor = createActor(previewOfferMachine.provide({ actors: { desk } }), {
      clock: parts.clock,
      input: {
        ...{ taskId: given.taskId, delay: given.delay },
        ...{ windowMs: given.windowMs, retryMs: parts.retryMs },
      },
    });
    this.#actor.subscribe({
      complete: () => {
        this.#letGo('callOver');
        given.onDone(this.#hadCall ? 'called' : 'givenBack');
      },
      error: (error) => {
        parts.log.error({ taskId: given.taskId, error }, 'an offer broke');
        this.#letGo('withdrawn');
        given.onDone('broken');
      },
    });
    this.#actor.start();
  }

  /** Shown to them, or accepted by them. */
  get representativeId(): string | null {
    return this.#representativeId;
  }

  /** Why no call came of it, once it is over. */
  get end(): 'refused' | OfferEnd {
    return this.#end;
  }

  get isSeeking(): boolean {
    return this.state === 'seeking';
  }

  /** How long whoever accepts it may sit in the lobby before the call, ms. */
  get idleMs(): number {
    const { delay } = this;
    if (delay.kind === 'direct') return IDLE_MS;
    return (delay.kind === 'timer' ? delay.ms : CALL_DELAY_SECONDS_MAX * 1_000) + IDLE_MS;
  }

  get state(): OfferState {
    const snapshot = this.#actor.getSnapshot();
    if (snapshot.matches({ open: 'seeking' })) return 'seeking';
    if (snapshot.matches({ open: 'invited' })) return 'invited';
    if (snapshot.matches({ open: { accepted: 'starting' } })) return 'starting';
    if (snapshot.matches({ open: 'accepted' })) return 'accepted';
    if (snapshot.matches('dialing')) return 'starting';
    if (snapshot.matches('ringing')) return 'ringing';
    return snapshot.matches('talking') ? 'talking' : 'closing';
  }

  invited(representativeId: string): void {
    this.#representativeId = representativeId;
    this.#parts.events.tell(representativeId, 'preview.offered', { taskId: this.taskId });
    this.send({ type: 'rep.invited', representativeId });
  }

  /** What of the contact is dialled; null: the number of the target. */
  start(phoneType: string | null, contactPointId: string | null): void {
    this.#chosen = contactPointId;
    this.send({ type: 'rep.start', phoneType });
  }

  send(event: PreviewOfferEvent): void {
    this.#actor.send(event);
    if (event.type !== 'rep.left') return;
    if (this.#actor.getSnapshot().context.representativeId !== null) return;
    this.#representativeId = null;
    this.startsAtMs = null;
  }

  #carryOut(order: PreviewOfferOrder, sendBack: (event: PreviewOfferEvent) => void): void {
    const { work, endCall } = this.#parts;
    switch (order.type) {
      case 'offer.accepted':
        this.#accepted(order.startsInMs);
        return;
      case 'offer.dial':
        work.run(async () => sendBack(await this.#dial(order.phoneType)));
        return;
      case 'offer.hangUp':
        this.#tell('preview.cancelled', { keepTask: order.keepTask });
        endCall(this.taskId, 'cancelled');
        return;
      case 'offer.recall':
        endCall(this.taskId, 'dialer_recall');
        return;
      case 'offer.close':
        this.#end = order.end;
        work.run(async () => sendBack(await this.#close(order.end, order.wasAccepted)));
    }
  }

  #accepted(startsInMs: number | null): void {
    this.#tell('preview.accepted', { delay: this.delay.kind });
    if (startsInMs === null) return;
    this.startsAtMs = this.#parts.clock.now() + startsInMs;
    this.#tell('preview.startsAt', { startsAtMs: this.startsAtMs });
  }

  async #dial(phoneType: string | null): Promise<PreviewOfferEvent> {
    const id = this.#representativeId;
    if (id === null) return { type: 'dial.later' };
    try {
      const answer = await this.#parts.dial(this.taskId, id, this.#shown(phoneType));
      if (answer.kind === 'later') return { type: 'dial.later' };
      if (answer.kind === 'refused') {
        this.#end = 'refused';
        this.#tell('preview.cancelled', { reason: answer.reason });
        this.#letGo('withdrawn');
        return { type: 'dial.refused' };
      }
      this.#hadCall = true;
      this.attemptId = answer.attemptId;
      this.lobbyId = answer.lobbyId;
      this.#tell('preview.started', { attemptId: answer.attemptId });
      return { type: 'dial.begun' };
    } catch (error) {
      const { taskId } = this;
      this.#parts.log.warn({ taskId, error }, 'a preview call could not be claimed yet');
      return { type: 'dial.later' };
    }
  }

  /** A choice is gone with whoever made it: the machine names no type then. */
  #shown(phoneType: string | null): ShownNumber {
    const chosen = phoneType === null ? null : this.#chosen;
    return chosen === null ? this.target : { ...this.target, contactPointId: chosen };
  }

  async #close(end: OfferEnd, wasAccepted: boolean): Promise<PreviewOfferEvent> {
    const { giveBack, log } = this.#parts;
    const { taskId, notBeforeMs } = this;
    try {
      const change = await giveBack({ taskId, wasAccepted, notBeforeMs });
      const isTerminated = change?.kind === 'finished' && change.status === 'Expired';
      if (isTerminated) this.#tell('preview.terminated', {});
      else this.#tell('preview.cancelled', { reason: end, keepTask: change?.kind !== 'finished' });
      this.#letGo('withdrawn');
      return { type: 'offer.closed' };
    } catch (error) {
      log.warn({ taskId, error }, 'a held task could not be given back yet');
      return { type: 'store.failed' };
    }
  }

  /** Whoever is on the call leaves it by its end; who only waits for it is nobody's again. */
  #letGo(reason: ReleaseReason): void {
    const id = this.#representativeId;
    const person = id === null ? undefined : this.#parts.desk.get(id);
    if (id === null || person?.invitation?.taskId !== this.taskId) return;
    if (person.work === 'connected') {
      if (this.attemptId === null) return;
      person.tell({ type: 'call.ended', attemptId: this.attemptId });
    } else if (person.work !== 'wrapUp') this.#parts.desk.releaseOne(id, reason);
  }

  #tell(type: string, payload: Readonly<Record<string, unknown>>): void {
    const id = this.#representativeId;
    if (id !== null) this.#parts.events.tell(id, type, { taskId: this.taskId, ...payload });
  }
}
