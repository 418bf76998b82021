/** One call attempt machine on a virtual clock, its gateway played by the test. */
import assert from 'node:assert/strict';
import { createActor, fromCallback, type ActorRefFrom } from 'xstate';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type {
  AttemptOrder,
  CallAttemptEvent,
  CallAttemptInput,
  CallAttemptOutput,
} from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { AttemptCommandType } from '../../machines/telephony-commands.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { TelephonyInput } from '../../machines/telephony-input.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type EventBody = Without<AttemptEvent, 'attemptId' | 'fence' | 'seq' | 'atMs'>;

export const ATTEMPT_INPUT: CallAttemptInput = {
  attemptId: 'a1',
  fence: 7,
  dial: {
    gatewayId: 'g1',
    notAfterMs: 60_000,
    trunk: 'lab',
    destination: '+15555550100',
    callerId: '+15555550199',
    setupTimeoutMs: 40_000,
    ringLimitMs: 60_000,
    callLengthMaxMs: 600_000,
  },
  ringTimeoutMs: 30_000,
  setupTimeoutMs: 20_000,
  afterAnswer: { prompts: ['greeting'] },
  playTimeoutMs: 15_000,
};

const BODIES = {
  sent: { type: 'attempt.sent', callId: 'c1', trunk: 'lab', invites: 1 },
  alerting: { type: 'attempt.alerting', statusCode: 180, afterSentMs: 80 },
  earlyMedia: { type: 'attempt.earlyMedia', statusCode: 183, afterSentMs: 90, verdict: null },
  answered: { type: 'attempt.answered', dialogId: 'd1', channelId: 'ch1', afterSentMs: 4_000 },
  played: { type: 'attempt.played', playId: 'afterAnswer', status: 'done', playedMs: 3_000 },
} as const satisfies Record<string, EventBody>;

/** The body of an event that a gateway sends in an ordinary attempt. */
export function body(name: keyof typeof BODIES): EventBody {
  return BODIES[name];
}

export function endedBody(statusCode: number | null, more: Partial<AttemptEnded> = {}) {
  return {
    type: 'attempt.ended' as const,
    sip: {
      statusCode,
      reasonPhrase: null,
      origin: statusCode === null ? ('none' as const) : ('network' as const),
    },
    q850: [],
    reasonHeaders: [],
    endedBy: 'far' as const,
    cancelReason: null,
    answered: false,
    ringMs: null,
    talkMs: null,
    invites: 1,
    ...more,
  };
}

export class AttemptUnderTest {
  readonly clock = new VirtualClock();
  readonly orders: AttemptOrder[] = [];
  readonly actor: ActorRefFrom<typeof callAttemptMachine>;
  #push: (event: CallAttemptEvent) => void = () => {
    assert.fail('the telephony actor has not been started');
  };
  #seq = 0;

  constructor(input: Partial<CallAttemptInput> = {}) {
    const telephony = fromCallback<AttemptOrder, TelephonyInput>(({ receive, sendBack }) => {
      receive((order) => this.orders.push(order));
      this.#push = sendBack;
    });
    const machine = callAttemptMachine.provide({ actors: { telephony } });
    const options = { clock: this.clock, input: { ...ATTEMPT_INPUT, ...input } };
    this.actor = createActor(machine, options);
    this.actor.start();
  }

  /** Types of the commands so far, `attempt.` left out. */
  get ordered(): string[] {
    return this.orders.map(({ type }) => type.replace('attempt.', ''));
  }

  get state(): string {
    return JSON.stringify(this.actor.getSnapshot().value).replaceAll('"', '');
  }

  get output(): CallAttemptOutput {
    const { output } = this.actor.getSnapshot();
    assert(output !== undefined, `the attempt has not ended but is ${this.state}`);
    return output;
  }

  /** The gateway sends the next event; `seq` only to repeat, skip or reorder. */
  event(given: EventBody, seq = this.#seq + 1, fence = ATTEMPT_INPUT.fence): void {
    this.#seq = Math.max(this.#seq, seq);
    this.#push({ ...given, attemptId: 'a1', fence, seq, atMs: 0 });
  }

  events(...names: (keyof typeof BODIES)[]): void {
    for (const name of names) this.event(body(name));
  }

  ended(statusCode: number | null, more: Partial<AttemptEnded> = {}): void {
    this.event(endedBody(statusCode, more));
  }

  /** The gateway answers the last command of that type. */
  reply(command: AttemptCommandType, reply: CommandReply = { accepted: true }): void {
    const order = this.orders.findLast(({ type }) => type === command);
    assert(order !== undefined, `${command} was not ordered`);
    this.#push({ type: 'telephony.reply', command, seq: order.seq, reply });
  }

  refuse(command: AttemptCommandType, code: Extract<CommandReply, { accepted: false }>['code']) {
    this.reply(command, { accepted: false, code, detail: 'by the test' });
  }

  lost(): void {
    this.#push({ type: 'telephony.lost', detail: 'by the test' });
  }

  /** A representative is there for this call. */
  lobby(lobbyId: string): void {
    this.actor.send({ type: 'dialer.connectLobby', lobbyId });
  }

  recall(): void {
    this.actor.send({ type: 'dialer.recall' });
  }

  cancel(reason: 'cancelled' | 'dialer_recall' | 'shutdown' = 'cancelled'): void {
    this.actor.send({ type: 'dialer.cancel', reason });
  }

  /** Dialled, accepted, the INVITE sent. */
  sent(): this {
    this.reply('attempt.dial');
    this.events('sent');
    return this;
  }
}
