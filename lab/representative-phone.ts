/**
 * A representative's phone: a SIP user agent that answers what calls it, can register and dial in, and
 * does what phones do: hangs up, holds, transfers, or vanishes without a word.
 */
import { MediaClock } from '../softswitch/media/media-clock.ts';
import { DigestClient } from '../softswitch/sip/digest-client.ts';
import type { IncomingCall } from '../softswitch/sip/incoming-call.ts';
import type { SipHeaderField, SipRequest, SipResponse } from '../softswitch/sip/message.ts';
import { newCallId, newTag } from '../softswitch/sip/sip-ids.ts';
import { SipStack } from '../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../softswitch/sip/user-agent.ts';
import { realTimerWheel, type TimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { openMedia, RepresentativeCall, type RepresentativeMedia } from './representative-call.ts';

export interface RepresentativePhoneOptions {
  readonly host: string;
  /** Default 0: any free one. */
  readonly sipPort?: number;
  /** User part of its address. */
  readonly user?: string;
  /** Said from the answer on; without it silence. Hz. */
  readonly voiceHz?: number;
  /** Refuses every call with it. */
  readonly rejectWith?: number;
  /** By which what is heard is timed. */
  readonly nowMs?: () => number;
}

export interface PhoneRegistration {
  /** Address of the registrar, `sip:host:port`, and the address of record's host. */
  readonly registrar: string;
  readonly realm: string;
  readonly username: string;
  readonly password: string;
  readonly expiresS?: number;
  /** Another Contact than its own; `*` removes all. */
  readonly contact?: string;
}

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'NOTIFY'];

export class RepresentativePhone {
  readonly #options: RepresentativePhoneOptions;
  readonly #stack: SipStack;
  readonly #timers: TimerWheel;
  readonly #clock = new MediaClock();
  readonly #agent: UserAgent;
  readonly #calls: RepresentativeCall[] = [];
  /** Of every call: one that never got its ACK, or its last answer, does not end by itself. */
  readonly #media: RepresentativeMedia[] = [];
  #isClosed = false;
  readonly #unclaimed: RepresentativeCall[] = [];
  readonly #waiting: ((call: RepresentativeCall) => void)[] = [];
  readonly #registrationId = newCallId();
  /** Methods of the requests that came, in order. */
  readonly received: string[] = [];
  /** Called with each. */
  onReceived: (method: string) => void = () => undefined;
  #registrations = 0;

  static async open(options: RepresentativePhoneOptions): Promise<RepresentativePhone> {
    const timers = realTimerWheel();
    const { host, sipPort: port = 0 } = options;
    const stack = await SipStack.open({ timers, listen: [{ protocol: 'udp', host, port }] });
    return new RepresentativePhone(options, stack, timers);
  }

  private constructor(options: RepresentativePhoneOptions, stack: SipStack, timers: TimerWheel) {
    this.#options = options;
    this.#stack = stack;
    this.#timers = timers;
    this.#agent = new UserAgent(stack, {
      ...{ timers, contactUser: this.#user, userAgent: 'Ringfence-Lab-Phone', allow: ALLOW },
      supported: ['timer'],
    });
    this.#agent.onInvite = (call) => void this.#answer(call);
    const receive = stack.onRequest;
    stack.onRequest = (transaction) => {
      this.received.push(transaction.request.method);
      receive(transaction);
      this.onReceived(transaction.request.method);
    };
  }

  /** Where it can be called. */
  get address(): string {
    return `sip:${this.#user}@${this.#options.host}:${this.#stack.listening[0]?.port ?? 0}`;
  }

  /** Every call so far, the oldest first. */
  get calls(): readonly RepresentativeCall[] {
    return this.#calls;
  }

  /** The next call that nobody has asked for yet. */
  nextCall(): Promise<RepresentativeCall> {
    const call = this.#unclaimed.shift();
    if (call !== undefined) return Promise.resolve(call);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Calls somebody; resolves when they have answered, rejects with their refusal. */
  async dial(to: string, from = this.address): Promise<RepresentativeCall> {
    const { host } = this.#options;
    const media = await this.#openMedia(host);
    const outgoing = this.#agent.invite({ to, from, sdp: media.negotiation.offer() });
    const call = new RepresentativeCall(outgoing, media, this.#nowMs);
    this.#calls.push(call);
    return new Promise((resolve, reject) => {
      outgoing.onRejected = ({ statusCode }) => reject(new Error(`refused with ${statusCode}`));
      outgoing.onAnswer = (_response, sdp) => {
        media.session.setRemote(media.negotiation.accept(sdp ?? ''));
        this.#speak(call);
        resolve(call);
        return undefined;
      };
    });
  }

  /** One REGISTER, and a second with credentials when it is challenged. The last final response. */
  async register(registration: PhoneRegistration): Promise<SipResponse> {
    const { username, password, realm } = registration;
    const digest = new DigestClient({ username, password });
    let response = await this.#sendRegister(registration, []);
    for (let turn = 0; turn < 2 && digest.accept(response); turn += 1) {
      const headers = digest.headersFor('REGISTER', `sip:${realm}`);
      response = await this.#sendRegister(registration, headers);
    }
    return response;
  }

  /** As when its cable is pulled: nothing leaves it any more, and nothing is answered. */
  vanish(): void {
    this.#stack.onRequest = () => undefined;
    this.#stack.onAck = () => undefined;
    for (const call of this.#calls) call.fallSilent();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#calls) if (!call.isOver) call.hangUp();
    await this.#stack.close();
    await Promise.all(this.#media.map(({ session }) => session.close()));
    this.#clock.stop();
    this.#timers.stop();
  }

  get #user(): string {
    return this.#options.user ?? 'representative';
  }

  get #nowMs(): () => number {
    return this.#options.nowMs ?? ((): number => performance.now());
  }

  async #answer(incoming: IncomingCall): Promise<void> {
    const { host, rejectWith } = this.#options;
    if (rejectWith !== undefined) {
      incoming.reject(rejectWith);
      return;
    }
    incoming.provisional(180);
    const media = await this.#openMedia(host);
    if (incoming.state === 'ended' || this.#isClosed) {
      void media.session.close(); // cancelled meanwhile
      return;
    }
    const call = new RepresentativeCall(incoming, media, this.#nowMs);
    this.#calls.push(call);
    const { sdp, remote } = media.negotiation.answer(incoming.request.body.toString('utf8'));
    media.session.setRemote(remote);
    incoming.answer({ sdp });
    this.#speak(call);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#unclaimed.push(call);
    else waiting(call);
  }

  async #openMedia(host: string): Promise<RepresentativeMedia> {
    const media = await openMedia(host, this.#clock);
    this.#media.push(media);
    return media;
  }

  #speak(call: RepresentativeCall): void {
    const { voiceHz } = this.#options;
    if (voiceHz !== undefined) call.say(voiceHz);
  }

  #sendRegister(
    { registrar, realm, username, expiresS, contact }: PhoneRegistration,
    credentials: readonly SipHeaderField[],
  ): Promise<SipResponse> {
    this.#registrations += 1;
    const own = contact ?? `<${this.address}>`;
    const request: SipRequest = {
      kind: 'request',
      method: 'REGISTER',
      uri: `sip:${realm}`,
      headers: [
        { name: 'From', value: `<sip:${username}@${realm}>;tag=${newTag()}` },
        { name: 'To', value: `<sip:${username}@${realm}>` },
        { name: 'Call-ID', value: this.#registrationId },
        { name: 'CSeq', value: `${this.#registrations} REGISTER` },
        { name: 'Contact', value: own },
        ...(expiresS === undefined ? [] : [{ name: 'Expires', value: String(expiresS) }]),
        ...credentials,
      ],
      body: Buffer.alloc(0),
    };
    const [, host = '', port = '5060'] = /^sip:([^:;]+)(?::(\d+))?/.exec(registrar) ?? [];
    return new Promise((resolve) => {
      this.#stack.send(
        request,
        { destination: { protocol: 'udp', host, port: Number(port) } },
        {
          onResponse: (response) => {
            if (response.statusCode >= 200) resolve(response);
          },
        },
      );
    });
  }
}
