/**
 * Takes the commands of all attempts: checks who may command what, hands it to the attempt, answers.
 * Synchronous throughout, so that two commands for one attempt can never overtake each other here.
 */
import type { AttemptSnapshot, CommandReply, RefusalCode } from '../../machines/command-reply.ts';
import type { AttemptCommand, AttemptDial } from '../../machines/telephony-commands.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { CallRoute } from '../trunks/call-route.ts';
import { NO_FINAL } from '../sip/sip-final.ts';
import { admitDial, type AdmissionView, type DialAdmission } from './dial-admission.ts';
import { Attempt } from './attempt.ts';
import type { AttemptServices } from './attempt-parts.ts';
import type { AttemptRegistry, KnownAttempt } from './attempt-registry.ts';
import { CommandGate } from './command-gate.ts';
import { EventOutlet } from './event-outlet.ts';

/** A transfer waits no longer for the trunk's rate: the customer is listening. */
const TRANSFER_WAIT_MAX_MS = 2_000;

export interface DeskParts {
  readonly registry: AttemptRegistry;
  readonly services: AttemptServices;
  readonly view: () => Omit<AdmissionView, 'nowMs'>;
  readonly publish: (...events: AttemptEvent[]) => void;
  readonly onChange: () => void;
}

export class AttemptDesk {
  readonly #parts: DeskParts;
  readonly #releaseWaiters = new Map<string, (() => void)[]>();
  /** Ended, but their BYE is still on its way. */
  readonly #releasing = new Set<string>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  handle(command: AttemptCommand): CommandReply {
    const { registry, services } = this.#parts;
    const known = registry.get(command.attemptId);
    if (known === undefined) return this.#handleUnknown(command);
    const fenceBefore = known.gate.fence;
    const admission = known.gate.admit(command);
    if (known.gate.fence > fenceBefore) {
      const heard = command.type === 'attempt.query' ? command.heard : undefined;
      known.events?.raiseFence(known.gate.fence, heard);
    }
    if (admission.kind === 'refuse') {
      services.counters.commandsStale += 1;
      return admission.reply;
    }
    if (admission.kind === 'again') {
      services.counters.commandsDuplicate += 1;
      return admission.reply;
    }
    const reply = this.#act(command, known);
    known.gate.remember(command, reply);
    return reply;
  }

  /** Resolves when nothing of the attempt is left on the wire; at once when nothing is known of it. */
  whenReleased(attemptId: string): Promise<void> {
    const attempt = this.#parts.registry.get(attemptId)?.attempt;
    const isBusy = attempt !== undefined && this.#parts.registry.active.has(attempt);
    if (!isBusy && !this.#releasing.has(attemptId)) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#releaseWaiters.get(attemptId) ?? [];
      this.#releaseWaiters.set(attemptId, [...waiters, resolve]);
    });
  }

  get releasing(): ReadonlySet<string> {
    return this.#releasing;
  }

  #handleUnknown(command: AttemptCommand): CommandReply {
    const { attemptId, fence } = command;
    if (command.type === 'attempt.query') {
      return { accepted: true, state: { attemptId, fence, phase: 'unknown' } };
    }
    if (command.type === 'attempt.hangup' && command.dialogId !== undefined) {
      // Of a gateway before us. Idempotent by the dialog: there is nothing else to hold it against.
      void this.#parts.services.ender.byeUnknown(command.dialogId);
      return { accepted: true };
    }
    if (command.type !== 'attempt.dial') {
      return refusal('UNKNOWN_ATTEMPT', `nothing is known of ${attemptId}`);
    }
    const gate = new CommandGate(fence);
    const known = { gate, attempt: undefined, events: undefined };
    const reply = this.#dial(command, known);
    gate.remember(command, reply);
    return reply;
  }

  #act(command: AttemptCommand, known: KnownAttempt): CommandReply {
    const { attempt, gate } = known;
    if (command.type === 'attempt.query') {
      return { accepted: true, state: snapshotOf(command.attemptId, known) };
    }
    if (command.type === 'attempt.dial') {
      if (attempt === undefined) return this.#dial(command, known);
      // One id is dialled once, whoever asks: a new owner learns here how far it has come.
      return { accepted: true, duplicate: true, state: attempt.snapshot(gate.fence) };
    }
    if (attempt === undefined) return refusal('UNKNOWN_ATTEMPT', 'its dial was refused');
    switch (command.type) {
      case 'attempt.cancel':
        attempt.cancel(command);
        return { accepted: true };
      case 'attempt.hangup':
        attempt.hangup(command);
        return { accepted: true };
      case 'attempt.play':
        if (attempt.play(command)) return { accepted: true };
        return refusal('BAD_STATE', `nothing can be played while ${attempt.phase}`);
      case 'attempt.connect':
        if (attempt.connect(command)) return { accepted: true };
        return refusal('BAD_STATE', `${command.target.kind}: not while ${attempt.phase}`);
      default:
        return (
          attempt.control(command) ??
          refusal('BAD_STATE', `${command.type}: not while ${attempt.phase}`)
        );
    }
  }

  #dial(dial: AttemptDial, known: KnownAttempt): CommandReply {
    const { registry, services, view, publish } = this.#parts;
    const nowMs = services.clock.now();
    const admission = admitDial(dial, { nowMs, ...view() }, services.clock);
    if (!admission.ok) {
      services.counters.countRefusal(admission.code, admission.rule);
      registry.add(dial.attemptId, known);
      registry.end(dial.attemptId, undefined);
      return refusal(admission.code, admission.detail);
    }
    services.counters.attemptsAccepted += 1;
    const { route } = admission;
    const now = (): number => services.clock.now();
    known.events = new EventOutlet(dial.attemptId, known.gate.fence, { now, publish });
    known.attempt = new Attempt({
      dial,
      route,
      services,
      events: known.events,
      admitTransfer: (destination) => this.#admitTransfer(dial, route, destination),
      ...this.#endings(dial.attemptId, route),
    });
    registry.add(dial.attemptId, known);
    known.attempt.start();
    this.#parts.onChange();
    return { accepted: true };
  }

  /** On the trunk that the attempt is on, at once or not at all. */
  #admitTransfer(dial: AttemptDial, { trunk }: CallRoute, destination: string): DialAdmission {
    const { services, view } = this.#parts;
    const nowMs = services.clock.now();
    const notAfterMs = nowMs + TRANSFER_WAIT_MAX_MS;
    const transfer = { ...dial, trunk: trunk.name, destination, notAfterMs };
    const anyLobby = { lobbyProblem: () => undefined };
    return admitDial(transfer, { nowMs, ...view(), ...anyLobby }, services.clock);
  }

  #endings(attemptId: string, route: CallRoute) {
    return {
      onOver: (attempt: Attempt) => {
        this.#parts.services.counters.attemptsEnded += 1;
        this.#releasing.add(attemptId);
        this.#parts.registry.end(attemptId, attempt);
        this.#parts.onChange();
      },
      onReleased: () => {
        route.release();
        this.#releasing.delete(attemptId);
        const waiters = this.#releaseWaiters.get(attemptId) ?? [];
        this.#releaseWaiters.delete(attemptId);
        for (const resolve of waiters) resolve();
        this.#parts.onChange();
      },
    };
  }
}

function refusal(code: RefusalCode, detail: string): CommandReply {
  return { accepted: false, code, detail };
}

/** A refused dial has ended too, and its account says that nobody can have been rung. */
function snapshotOf(attemptId: string, { attempt, gate, events }: KnownAttempt): AttemptSnapshot {
  if (attempt !== undefined) {
    return { ...attempt.snapshot(gate.fence), told: events?.lastSeq ?? 0 };
  }
  const nothing = { cancelReason: null, answered: false, ringMs: null, talkMs: null, invites: 0 };
  return {
    ...{ attemptId, fence: gate.fence, phase: 'ended' },
    ended: { ...NO_FINAL, endedBy: 'gateway', ...nothing },
  };
}
