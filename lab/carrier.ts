/** The lab's carrier: a SIP user agent server that treats every INVITE by the number plan. */
import { MediaClock } from '../softswitch/media/media-clock.ts';
import type { IncomingCall } from '../softswitch/sip/incoming-call.ts';
import { headerOf } from '../softswitch/sip/message.ts';
import { SipStack } from '../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../softswitch/sip/user-agent.ts';
import { realTimerWheel, type TimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { FarEndCall, type FarEndRecord } from './far-end-call.ts';
import { planEntryFor } from './number-plan.ts';

export interface CarrierOptions {
  readonly host: string;
  /** UDP and TCP; 0 takes any free port. */
  readonly sipPort: number;
  /** Ended calls to remember for `records`; older ones are forgotten. Default 10,000. */
  readonly recordsMax?: number;
}

const RECORDS_MAX = 10_000;

/** A call as it arrived, whatever becomes of it. */
export interface ReceivedInvite {
  readonly callId: string;
  readonly number: string;
  /** The caller's own name for the attempt and its fence, from X-Ringfence-Attempt. */
  readonly attempt: string | null;
}

export class Carrier {
  readonly #options: CarrierOptions;
  readonly #stack: SipStack;
  readonly #timers: TimerWheel;
  readonly #clock = new MediaClock();
  readonly #calls = new Set<FarEndCall>();
  readonly #records: FarEndRecord[] = [];
  /** Each call once: retransmissions and challenges do not come this far. */
  onInvite: (invite: ReceivedInvite) => void = () => undefined;

  static async open(options: CarrierOptions): Promise<Carrier> {
    const timers = realTimerWheel();
    const { host, sipPort: port } = options;
    const listen = [
      { protocol: 'udp', host, port },
      { protocol: 'tcp', host, port },
    ] as const;
    const stack = await SipStack.open({ timers, listen });
    return new Carrier(options, stack, timers);
  }

  private constructor(options: CarrierOptions, stack: SipStack, timers: TimerWheel) {
    this.#options = options;
    this.#stack = stack;
    this.#timers = timers;
    const agent = new UserAgent(stack, {
      ...{ timers, contactUser: 'lab', userAgent: 'Ringfence-Lab' },
      supported: ['100rel', 'timer'],
    });
    agent.onInvite = (call) => this.#take(call);
  }

  get sipPort(): number {
    return this.#stack.listening[0]?.port ?? 0;
  }

  get liveCalls(): number {
    return this.#calls.size;
  }

  /** Ended calls, oldest first. */
  get records(): readonly FarEndRecord[] {
    return this.#records;
  }

  async close(): Promise<void> {
    for (const call of this.#calls) call.stop();
    await this.#stack.close();
    this.#clock.stop();
    this.#timers.stop();
  }

  #take(incoming: IncomingCall): void {
    const number = userOf(incoming.request.uri);
    const attempt = headerOf(incoming.request, 'X-Ringfence-Attempt') ?? null;
    this.onInvite({ callId: incoming.callId, number, attempt });
    const call = new FarEndCall(incoming, {
      host: this.#options.host,
      entry: planEntryFor(number),
      number,
      timers: this.#timers,
      clock: this.#clock,
      onEnd: (record) => {
        this.#calls.delete(call);
        this.#records.push(record);
        if (this.#records.length > (this.#options.recordsMax ?? RECORDS_MAX)) this.#records.shift();
      },
    });
    this.#calls.add(call);
    call.start();
  }
}

/** The user part of a Request-URI: the dialled number. */
function userOf(uri: string): string {
  return /^sips?:([^@;]*)@/i.exec(uri)?.[1] ?? '';
}
