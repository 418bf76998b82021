/** A trunk's far end in the test's own process: it can be stopped and come back on the same port. */
import type { DigestChallenge } from '../../softswitch/sip/digest-challenge.ts';
import { createResponse } from '../../softswitch/sip/create-response.ts';
import { headerOf, headersOf, type SipRequest } from '../../softswitch/sip/message.ts';
import type { SipProtocol } from '../../softswitch/sip/sip-address.ts';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import type { SipTlsOptions } from '../../softswitch/sip/tls-sockets.ts';
import { UserAgent } from '../../softswitch/sip/user-agent.ts';
import { realTimerWheel, type TimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { SDP } from './scripted-peer.ts';

const HOST = '127.0.0.1';

export interface TrunkFarEndOptions {
  readonly port?: number;
  readonly protocol?: SipProtocol;
  readonly tls?: SipTlsOptions;
  readonly digest?: DigestChallenge;
  /** Final code of every call; default 200. */
  readonly finalCode?: number;
  /** Answers an offer. Default: with plain audio. */
  readonly answer?: (offer: string) => string;
  /** Shortest registration it takes, seconds. */
  readonly registerSecondsMin?: number;
}

export class TrunkFarEnd {
  readonly invites: { readonly atMs: number; readonly request: SipRequest }[] = [];
  /** Seconds that each accepted REGISTER asked for. */
  readonly registered: number[] = [];
  /** Every request as it came, also those that are challenged. */
  readonly received: string[] = [];
  readonly port: number;
  readonly #stack: SipStack;
  readonly #protocol: SipProtocol;
  readonly #timers: TimerWheel;

  static async open(options: TrunkFarEndOptions = {}): Promise<TrunkFarEnd> {
    const timers = realTimerWheel();
    const { port = 0, protocol = 'udp', tls } = options;
    const received: string[] = [];
    const stack = await SipStack.open({
      timers,
      listen: [{ protocol, host: HOST, port }],
      ...(tls === undefined ? {} : { tls }),
      trace: ({ direction, bytes }) => {
        if (direction === 'received') received.push(bytes.toString('utf8'));
      },
    });
    return new TrunkFarEnd(stack, timers, received, options);
  }

  private constructor(
    stack: SipStack,
    timers: TimerWheel,
    received: string[],
    options: TrunkFarEndOptions,
  ) {
    this.#stack = stack;
    this.#timers = timers;
    this.received = received;
    this.port = stack.listening[0]?.port ?? 0;
    this.#protocol = options.protocol ?? 'udp';
    const { digest, finalCode = 200, answer = () => SDP, registerSecondsMin = 0 } = options;
    const agent = new UserAgent(stack, { timers, ...(digest === undefined ? {} : { digest }) });
    agent.onInvite = (call) => {
      this.invites.push({ atMs: Date.now(), request: call.request });
      const offer = call.request.body.toString('utf8');
      if (finalCode === 200) call.answer({ sdp: answer(offer) });
      else call.reject(finalCode);
    };
    agent.onRegister = (transaction) => {
      const { request } = transaction;
      const seconds = Number(headerOf(request, 'Expires'));
      if (seconds > 0 && seconds < registerSecondsMin) {
        const headers = [{ name: 'Min-Expires', value: String(registerSecondsMin) }];
        transaction.respond(createResponse(request, 423, { headers }));
        return;
      }
      this.registered.push(seconds);
      const contact = headersOf(request, 'Contact')[0] ?? '';
      const headers = [{ name: 'Contact', value: `${contact};expires=${seconds}` }];
      transaction.respond(createResponse(request, 200, { headers }));
    };
  }

  get address(): string {
    const transport = this.#protocol === 'udp' ? '' : `;transport=${this.#protocol}`;
    return `sip:${HOST}:${this.port}${transport}`;
  }

  /** Requests of that method, challenged ones included. */
  count(method: string): number {
    return this.received.filter((text) => text.startsWith(`${method} `)).length;
  }

  async close(): Promise<void> {
    await this.#stack.close();
    this.#timers.stop();
  }
}
