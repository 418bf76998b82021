/** A gateway played by a test: a TelephonyPort whose far end follows a script on a virtual clock. */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { CommandReply, RefusalCode } from '../../machines/command-reply.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { AttemptEvent, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { VirtualClock } from '../../machines/virtual-clock.ts';

export type FarEnd =
  | { readonly does: 'answers'; readonly afterMs: number; readonly invites?: number }
  | { readonly does: 'rejects'; readonly statusCode: number; readonly afterMs: number }
  | { readonly does: 'rings' }
  | { readonly does: 'isSilent'; readonly afterMs: number }
  | { readonly does: 'isRefused'; readonly code: RefusalCode };

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type EventBody = Without<AttemptEvent, 'attemptId' | 'fence' | 'seq' | 'atMs'>;

const NO_REPLY_FROM_STACK = 408;

export class ScriptedGateway implements TelephonyPort {
  readonly commands: TelephonyCommand[] = [];
  /** When each dial arrived, and what it was for. */
  readonly dials: { readonly destination: string; readonly atMs: number }[] = [];
  inFlightMax = 0;
  readonly #clock: VirtualClock;
  readonly #farEnd: (destination: string, nth: number) => FarEnd;
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #seqs = new Map<string, number>();
  readonly #open = new Map<string, { isAnswered: boolean; invites: number }>();

  /** `nth` counts the dials of one destination from 1. */
  constructor(clock: VirtualClock, farEnd: (destination: string, nth: number) => FarEnd) {
    this.#clock = clock;
    this.#farEnd = farEnd;
  }

  send(command: TelephonyCommand): Promise<CommandReply> {
    this.commands.push(command);
    if (!('attemptId' in command)) throw new Error(`not an attempt command: ${command.type}`);
    const { attemptId } = command;
    switch (command.type) {
      case 'attempt.dial':
        return Promise.resolve(this.#dial(attemptId, command.destination));
      case 'attempt.play':
        this.#later(1_000, attemptId, () =>
          this.#emit(attemptId, {
            type: 'attempt.played',
            playId: command.playId,
            status: 'done',
            playedMs: 1_000,
          }),
        );
        break;
      case 'attempt.cancel':
        this.#later(10, attemptId, () => this.#end(attemptId, 487, 'dialer', command.reason));
        break;
      case 'attempt.hangup':
        this.#later(10, attemptId, () => this.#end(attemptId, 200, 'dialer', null));
        break;
      default:
        throw new Error(`not in the script: ${command.type}`);
    }
    return Promise.resolve({ accepted: true });
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get inFlight(): number {
    return this.#open.size;
  }

  #dial(attemptId: string, destination: string): CommandReply {
    this.dials.push({ destination, atMs: this.#clock.now() });
    const nth = this.dials.filter((dial) => dial.destination === destination).length;
    const farEnd = this.#farEnd(destination, nth);
    if (farEnd.does === 'isRefused') {
      return { accepted: false, code: farEnd.code, detail: 'as the script has it' };
    }
    const invites = farEnd.does === 'answers' ? (farEnd.invites ?? 1) : 1;
    this.#open.set(attemptId, { isAnswered: false, invites });
    this.inFlightMax = Math.max(this.inFlightMax, this.#open.size);
    this.#later(1, attemptId, () => {
      this.#emit(attemptId, { type: 'attempt.sent', callId: attemptId, trunk: 't', invites: 1 });
      this.#play(attemptId, farEnd);
    });
    return { accepted: true };
  }

  #play(attemptId: string, farEnd: Exclude<FarEnd, { does: 'isRefused' }>): void {
    if (farEnd.does === 'isSilent') {
      this.#later(farEnd.afterMs, attemptId, () => this.#end(attemptId, null, 'trunk', null));
      return;
    }
    if (farEnd.does === 'rejects') {
      const { afterMs, statusCode } = farEnd;
      this.#later(afterMs, attemptId, () => this.#end(attemptId, statusCode, 'far', null));
      return;
    }
    this.#emit(attemptId, { type: 'attempt.alerting', statusCode: 180, afterSentMs: 1 });
    if (farEnd.does === 'rings') return;
    this.#later(farEnd.afterMs, attemptId, () => {
      this.#open.set(attemptId, { isAnswered: true, invites: farEnd.invites ?? 1 });
      this.#emit(attemptId, {
        type: 'attempt.answered',
        ...{ dialogId: 'd', channelId: 'c', afterSentMs: farEnd.afterMs },
      });
    });
  }

  #end(
    attemptId: string,
    statusCode: number | null,
    endedBy: AttemptEnded['endedBy'],
    cancelReason: string | null,
  ): void {
    const call = this.#open.get(attemptId);
    this.#open.delete(attemptId);
    this.#emit(attemptId, {
      type: 'attempt.ended',
      sip: {
        statusCode: statusCode ?? NO_REPLY_FROM_STACK,
        reasonPhrase: null,
        origin: statusCode === null ? 'stack' : 'network',
      },
      ...{ q850: [], reasonHeaders: [], endedBy, cancelReason, ringMs: null, talkMs: null },
      answered: call?.isAnswered ?? false,
      invites: call?.invites ?? 1,
    });
  }

  /** Nothing happens any more in an attempt that has ended. */
  #later(delayMs: number, attemptId: string, act: () => void): void {
    this.#clock.setTimeout(() => {
      if (this.#open.has(attemptId)) act();
    }, delayMs);
  }

  #emit(attemptId: string, body: EventBody): void {
    const seq = (this.#seqs.get(attemptId) ?? 0) + 1;
    this.#seqs.set(attemptId, seq);
    const event = { ...body, attemptId, fence: 1, seq, atMs: this.#clock.now() };
    for (const listener of this.#listeners) listener(event);
  }
}
