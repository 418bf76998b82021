/** The lab's AI agent: a SIP user agent server on UDP and TCP that talks to whoever is bridged to it. */
import { MediaClock } from '../softswitch/media/media-clock.ts';
import { SipStack } from '../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../softswitch/sip/user-agent.ts';
import { realTimerWheel, type TimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { AiAgentCall } from './ai-agent-call.ts';
import type { AiAgentRecord } from './ai-agent-record.ts';

export interface AiAgentOptions {
  readonly host: string;
  /** UDP and TCP; 0 takes any free port. */
  readonly sipPort: number;
}

const RECORDS_MAX = 10_000;
const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'NOTIFY'];

export class AiAgent {
  readonly #stack: SipStack;
  readonly #timers: TimerWheel;
  readonly #clock = new MediaClock();
  readonly #calls = new Set<AiAgentCall>();
  readonly #records: AiAgentRecord[] = [];

  static async open({ host, sipPort: port }: AiAgentOptions): Promise<AiAgent> {
    const timers = realTimerWheel();
    const listen = [
      { protocol: 'udp', host, port },
      { protocol: 'tcp', host, port },
    ] as const;
    return new AiAgent(await SipStack.open({ timers, listen }), timers, host);
  }

  private constructor(stack: SipStack, timers: TimerWheel, host: string) {
    this.#stack = stack;
    this.#timers = timers;
    const options = {
      timers,
      contactUser: 'agent',
      userAgent: 'Ringfence-Lab-Agent',
      allow: ALLOW,
    };
    const agent = new UserAgent(stack, options);
    agent.onInvite = (incoming) => {
      const call = new AiAgentCall(incoming, {
        ...{ host, timers, clock: this.#clock },
        onEnd: (record) => {
          this.#calls.delete(call);
          this.#records.push(record);
          if (this.#records.length > RECORDS_MAX) this.#records.shift();
        },
      });
      this.#calls.add(call);
      call.start();
    };
  }

  get sipPort(): number {
    return this.#stack.listening[0]?.port ?? 0;
  }

  /** Ended calls, oldest first. */
  get records(): readonly AiAgentRecord[] {
    return this.#records;
  }

  async close(): Promise<void> {
    for (const call of this.#calls) call.stop();
    await this.#stack.close();
    this.#clock.stop();
    this.#timers.stop();
  }
}
