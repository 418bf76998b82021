/** A customer whom a test speaks for: a SIP phone that answers at once, with ears for tones. */
import type { CallEndCause } from '../../softswitch/sip/call-leg.ts';
import type { IncomingCall } from '../../softswitch/sip/incoming-call.ts';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import { UserAgent, type UserAgentOptions } from '../../softswitch/sip/user-agent.ts';
import { realTimerWheel, type TimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { OUR_HOST } from './named-servers.ts';
import { RtpFarEnd } from './rtp-far-end.ts';

export class CustomerCall {
  readonly media: RtpFarEnd;
  /** Where the switch listens for this call's RTP. */
  readonly switchPort: number;
  readonly ended: Promise<CallEndCause>;
  isOver = false;
  readonly #call: IncomingCall;

  /** `isEarly`: rings with media of its own until it is picked up. */
  constructor(call: IncomingCall, media: RtpFarEnd, isEarly = false) {
    this.#call = call;
    this.media = media;
    this.ended = new Promise((resolve) => {
      call.onEnded = (cause) => {
        media.hush();
        this.isOver = true;
        resolve(cause);
      };
    });
    call.onReinvite = () => media.sdp();
    const offer = call.request.body.toString('utf8');
    this.switchPort = Number(/^m=audio (\d+)/m.exec(offer)?.[1]);
    media.aim(offer);
    if (isEarly) call.provisional(183, { sdp: media.sdp() });
    else this.pickUp();
  }

  /** The number that was called. */
  get number(): string {
    return /^sip:([^@;]+)@/.exec(this.#call.request.uri)?.[1] ?? '';
  }

  /** Its 200 has been acknowledged. */
  get isConfirmed(): boolean {
    return this.#call.state === 'confirmed';
  }

  pickUp(): void {
    this.#call.answer({ sdp: this.media.sdp() });
  }

  /** Refuses a call that rings. */
  decline(statusCode: number): void {
    this.#call.reject(statusCode);
  }

  /** A digit as SIP INFO (application/dtmf-relay). */
  async info(digit: string): Promise<void> {
    const body = Buffer.from(`Signal=${digit}\r\nDuration=160\r\n`);
    const headers = [{ name: 'Content-Type', value: 'application/dtmf-relay' }];
    await this.#call.sendRequest('INFO', { headers, body });
  }

  hangUp(): void {
    this.#call.bye();
  }
}

export class CustomerPhone {
  readonly #stack: SipStack;
  readonly #timers: TimerWheel;
  readonly #media: RtpFarEnd[] = [];
  readonly #waiting: ((call: CustomerCall) => void)[] = [];
  #isClosed = false;
  /** From now on calls ring with media until they are picked up. */
  isEarly = false;

  /** `agent`: e.g. another clock for what its calls wait for, besides the stack's own repeats. */
  static async open(agent: Partial<UserAgentOptions> = {}): Promise<CustomerPhone> {
    const timers = realTimerWheel();
    const listen = [{ protocol: 'udp', host: OUR_HOST, port: 0 }] as const;
    return new CustomerPhone(await SipStack.open({ timers, listen }), timers, agent);
  }

  private constructor(stack: SipStack, timers: TimerWheel, options: Partial<UserAgentOptions>) {
    this.#stack = stack;
    this.#timers = timers;
    const agent = new UserAgent(stack, { timers, contactUser: 'customer', ...options });
    agent.onInvite = (call) => void this.#answer(call);
  }

  get address(): string {
    return `sip:${OUR_HOST}:${this.#stack.listening[0]?.port ?? 0}`;
  }

  /** The next call that nobody has asked for yet, from now on. */
  nextCall(): Promise<CustomerCall> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#stack.close();
    this.#timers.stop();
    for (const media of this.#media) media.close();
  }

  async #answer(incoming: IncomingCall): Promise<void> {
    const media = await RtpFarEnd.open(OUR_HOST);
    this.#media.push(media);
    if (this.#isClosed) {
      media.close();
      return;
    }
    const call = new CustomerCall(incoming, media, this.isEarly);
    this.#waiting.shift()?.(call);
  }
}
