/**
 * A gateway for tests of what carries the contract: it admits commands as the real one does, writes
 * down what it acted on, and tells events when it is told to.
 */
import { CommandGate } from '../../gateway/attempts/command-gate.ts';
import type { AttemptPhase, CommandReply } from '../../machines/command-reply.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { AttemptEvent, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { body, endedBody, type EventBody } from './attempt-under-test.ts';

interface Call {
  readonly gate: CommandGate;
  fence: number;
  seq: number;
  phase: AttemptPhase;
}

export class ScriptedGateway implements TelephonyPort {
  /** Once each, in the order in which they were acted on. */
  readonly acted: TelephonyCommand[] = [];
  /** As often as they came. */
  received = 0;
  /** Of the last call that it was to end without knowing it. */
  hungUpByDialog: string | undefined;
  /** Plays a whole call by itself: it rings, is answered, hears its prompts and is hung up. */
  readonly #playsCalls: boolean;
  readonly #calls = new Map<string, Call>();
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #watchers = new Set<() => void>();

  constructor({ playsCalls = false }: { playsCalls?: boolean } = {}) {
    this.#playsCalls = playsCalls;
  }

  send(command: TelephonyCommand): Promise<CommandReply> {
    this.received += 1;
    const reply = this.#take(command);
    for (const look of this.#watchers) look();
    return Promise.resolve(reply);
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(event: TelephonyEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The next event of an attempt that was dialled. */
  tell(attemptId: string, eventBody: EventBody): AttemptEvent {
    const call = this.#calls.get(attemptId);
    if (call === undefined) throw new Error(`${attemptId} was not dialled`);
    call.seq += 1;
    const { fence, seq } = call;
    const event: AttemptEvent = { ...eventBody, attemptId, fence, seq, atMs: Date.now() };
    this.publish(event);
    return event;
  }

  actedOn(attemptId: string): TelephonyCommand[] {
    return this.acted.filter(
      (command) => 'attemptId' in command && command.attemptId === attemptId,
    );
  }

  /** Resolves once `isSo`, looked at after each command. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  #take(command: TelephonyCommand): CommandReply {
    if (!('attemptId' in command)) return { accepted: true };
    const { attemptId, fence, type } = command;
    const known = this.#calls.get(attemptId);
    if (known === undefined && type === 'attempt.query') {
      return { accepted: true, state: { attemptId, fence, phase: 'unknown' } };
    }
    if (known === undefined && type === 'attempt.hangup') this.hungUpByDialog = command.dialogId;
    if (known === undefined && type !== 'attempt.dial') {
      return { accepted: false, code: 'UNKNOWN_ATTEMPT', detail: `${type} of ${attemptId}` };
    }
    const call = known ?? { gate: new CommandGate(fence), fence, seq: 0, phase: 'starting' };
    this.#calls.set(attemptId, call);
    const admission = call.gate.admit(command);
    if (admission.kind !== 'act') return admission.reply;
    if (fence > call.fence) call.seq = 0;
    call.fence = fence;
    const reply = this.#act(call, command);
    call.gate.remember(command, reply);
    return reply;
  }

  #act(call: Call, command: Extract<TelephonyCommand, { attemptId: string }>): CommandReply {
    this.acted.push(command);
    const { attemptId, fence } = command;
    if (command.type === 'attempt.query') {
      return { accepted: true, state: { attemptId, fence, phase: call.phase } };
    }
    if (command.type === 'attempt.sendDtmf' && command.digits === '0') {
      return { accepted: false, code: 'BAD_STATE', detail: 'nobody is there' };
    }
    if (this.#playsCalls) this.#play(call, command);
    return { accepted: true };
  }

  #play(call: Call, { type, attemptId }: Extract<TelephonyCommand, { attemptId: string }>): void {
    const soon = (phase: AttemptPhase, eventBody: EventBody): void => {
      setImmediate(() => {
        call.phase = phase;
        this.tell(attemptId, eventBody);
      });
    };
    if (type === 'attempt.dial') {
      soon('sent', body('sent'));
      soon('alerting', body('alerting'));
      soon('answered', body('answered'));
    }
    if (type === 'attempt.play') soon('answered', body('played'));
    if (type === 'attempt.hangup') {
      soon('ended', endedBody(200, { answered: true, endedBy: 'dialer', talkMs: 3_000 }));
    }
  }
}
