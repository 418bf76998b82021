/**
 * One call as the lab's AI agent lives it: it reads its context, answers, greets, listens, returns what
 * it learned and hangs up. The customer's input attributes may ask it to behave otherwise:
 *
 * labReturnBy    `info` (default), `bye` or `post`: how the attributes come back
 * labFailure     `setup` 503; `midCall` BYE with a failure once it has greeted, with attributes if
 *                labReturnBy is `bye`, after them if it is `post`; `silent` never sends audio;
 *                `vanish` stops its audio once it has greeted, and does nothing more
 * labEscalate    `refer` or `post`: asks for a human once it has greeted, then waits to be let go
 * labGreetingHz  greets by a second of this tone instead of by voice: an ear for tests
 * labStay        any value: does not hang up by itself
 * labOutcome     returns it as `Outcome` as well
 */
import { AudioNegotiation } from '../softswitch/media/audio-negotiation.ts';
import type { MediaClock } from '../softswitch/media/media-clock.ts';
import { RtpSession } from '../softswitch/media/rtp-session.ts';
import { openStream } from '../softswitch/media/tone-stream.ts';
import type { CallEndCause } from '../softswitch/sip/call-leg.ts';
import type { IncomingCall } from '../softswitch/sip/incoming-call.ts';
import { headerOf } from '../softswitch/sip/message.ts';
import type { Timer, TimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { ContextReference, type AgentContext } from './ai-agent-context.ts';
import type { AiAgentRecord } from './ai-agent-record.ts';
import { openLabAudio } from './lab-audio.ts';
import { VoiceMeter } from './voice-meter.ts';

export interface AiAgentCallOptions {
  readonly host: string;
  readonly timers: TimerWheel;
  readonly clock: MediaClock;
  readonly onEnd: (record: AiAgentRecord) => void;
}

/** After the greeting: how long a pause ends the customer's turn, and how long it waits for one. */
const PAUSE_MS = 500;
const LISTEN_MAX_MS = 2_500;
const LOOK_MS = 100;

const ENDED_BY: Readonly<Record<CallEndCause, AiAgentRecord['endedBy']>> = {
  cancelled: 'caller',
  byeReceived: 'caller',
  byeSent: 'agent',
  rejected: 'agent',
  ackTimeout: 'error',
  sessionExpired: 'error',
  peerLost: 'error',
};

export class AiAgentCall {
  readonly #call: IncomingCall;
  readonly #options: AiAgentCallOptions;
  readonly #reference: ContextReference;
  readonly #voice = new VoiceMeter();
  readonly #notified: string[] = [];
  #context: AgentContext = { by: null, attributes: {} };
  #session: RtpSession | undefined;
  #negotiation: AudioNegotiation | undefined;
  #timer: Timer | undefined;
  #returnStatus: number | null = null;
  #escalationStatus: number | null = null;
  #byeAnswered: Promise<void> | undefined;
  #ended = false;
  /** The customer has had their turn, and taken it or not. */
  #hasListened = false;

  constructor(call: IncomingCall, options: AiAgentCallOptions) {
    this.#call = call;
    this.#options = options;
    this.#reference = new ContextReference(call.request);
    call.onReinvite = (sdp) => this.#renegotiate(sdp);
    call.answerBye = () => this.#lastWords();
    call.onEnded = (cause) => void this.#end(ENDED_BY[cause]);
    call.onOther = (request) => {
      if (request.method !== 'NOTIFY') return undefined;
      this.#notified.push(request.body.toString('utf8').split('\r\n')[0] ?? '');
      return { statusCode: 200 };
    };
  }

  start(): void {
    this.#begin().catch(() => this.#call.reject(500));
  }

  /** The lab is closing; a peer that has died answers no BYE. */
  stop(): void {
    this.#call.bye();
    void this.#end('agent');
  }

  async #begin(): Promise<void> {
    this.#context = await this.#reference.read();
    if (this.#wish('labFailure') === 'setup') {
      this.#call.reject(503);
      return;
    }
    const { host, clock } = this.#options;
    const session = await RtpSession.open({ host, clock });
    if (this.#ended) {
      await session.close();
      return;
    }
    this.#session = session;
    this.#negotiation = new AudioNegotiation({ address: host, port: session.localPort });
    session.onFrame = (pcm) => this.#voice.take(pcm);
    const answer = this.#negotiation.answer(this.#call.request.body.toString('utf8'));
    this.#call.onAck = () => this.#greet(session);
    session.setRemote(answer.remote);
    this.#call.answer({ sdp: answer.sdp });
  }

  #greet(session: RtpSession): void {
    if (this.#ended || this.#wish('labFailure') === 'silent') return;
    const hz = this.#wish('labGreetingHz');
    session.sendSilence = true;
    session.onSourceEnd = () => this.#afterGreeting(session);
    session.source =
      hz === undefined ? openLabAudio('agentGreeting', 0) : openStream(toneOf(Number(hz)));
  }

  #afterGreeting(session: RtpSession): void {
    if (this.#ended) return;
    const failure = this.#wish('labFailure');
    if (failure === 'midCall') {
      void this.#breakOff();
      return;
    }
    if (failure === 'vanish') {
      session.sendSilence = false;
      return;
    }
    const escalation = this.#wish('labEscalate');
    if (escalation === 'refer') void this.#refer();
    else if (escalation === 'post') void this.#escalateByPost();
    else this.#listen(0);
  }

  /** Waits until the customer has had a turn, or takes none. */
  #listen(forMs: number): void {
    const hasSpoken = this.#voice.voiceMs > 0 && this.#voice.quietMs >= PAUSE_MS;
    if (hasSpoken || forMs >= LISTEN_MAX_MS) {
      void this.#finish();
      return;
    }
    this.#timer = this.#options.timers.schedule(LOOK_MS, () => this.#listen(forMs + LOOK_MS));
  }

  async #finish(): Promise<void> {
    this.#hasListened = true;
    const by = this.#wish('labReturnBy') ?? 'info';
    if (this.#wish('labStay') !== undefined) return;
    if (by === 'info') {
      const { statusCode } = await this.#call.sendRequest('INFO', this.#json());
      if (this.#ended) return; // the customer hung up meanwhile: what remains is to post it
      this.#returnStatus = statusCode;
      this.#call.bye();
    } else if (by === 'bye') {
      await this.#byeWith(this.#json());
    } else {
      await this.#post();
      this.#call.bye();
    }
  }

  /** As a bot whose model fails: it says why, and returns what it has if it was asked to. */
  async #breakOff(): Promise<void> {
    const by = this.#wish('labReturnBy');
    const headers = [{ name: 'Reason', value: 'SIP;cause=500;text="model failure"' }];
    if (by === 'post') await this.#post();
    if (by === 'bye') await this.#byeWith({ ...this.#json(), headers });
    else this.#call.bye(headers);
  }

  async #byeWith(options: Parameters<IncomingCall['sendRequest']>[1]): Promise<void> {
    const { promise, resolve } = deferred();
    this.#byeAnswered = promise;
    this.#returnStatus = (await this.#call.sendRequest('BYE', options)).statusCode;
    resolve();
  }

  async #refer(): Promise<void> {
    const headers = [
      { name: 'Refer-To', value: '<sip:human@ringfence.invalid>' },
      { name: 'Referred-By', value: '<sip:agent@ringfence.invalid>' },
    ];
    const { statusCode } = await this.#call.sendRequest('REFER', { headers });
    this.#escalationStatus = statusCode;
  }

  async #escalateByPost(): Promise<void> {
    this.#escalationStatus = await this.#reference
      .post('escalation', { reason: 'the customer asked for a human' })
      .catch(() => 0);
  }

  async #post(): Promise<void> {
    if (this.#returnStatus !== null || !this.#reference.hasUrl) return;
    this.#returnStatus = 0;
    this.#returnStatus = await this.#reference.post('results', this.#learned()).catch(() => 0);
  }

  /** The customer hangs up first: what was learned goes into the answer to the BYE. */
  #lastWords() {
    if (this.#wish('labReturnBy') !== 'bye' || this.#returnStatus !== null) return {};
    this.#returnStatus = 200;
    return this.#json();
  }

  #json() {
    const body = JSON.stringify({ attributes: this.#learned() });
    return { body, contentType: 'application/json' };
  }

  #learned(): Record<string, string> {
    const { voiceMs } = this.#voice;
    const outcome = this.#wish('labOutcome');
    return {
      ...(outcome === undefined ? {} : { Outcome: outcome }),
      customerSpoke: String(voiceMs > 0),
      customerVoiceMs: String(voiceMs),
      // Of whoever spoke, the gateway's detector knows more.
      ...(voiceMs === 0 && this.#hasListened ? { answeredBy: 'silence' } : {}),
    };
  }

  #renegotiate(sdp: string | undefined): string {
    const negotiation = this.#negotiation;
    if (negotiation === undefined) return '';
    if (sdp === undefined) return negotiation.offer();
    const { sdp: answer, remote } = negotiation.answer(sdp);
    this.#session?.setRemote(remote);
    return answer;
  }

  #wish(name: string): string | undefined {
    return this.#context.attributes[name];
  }

  async #end(endedBy: AiAgentRecord['endedBy']): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const via = headerOf(this.#call.request, 'Via') ?? '';
    const stats = this.#session?.stats();
    const closed = this.#session?.close();
    // Whatever way was meant: after a BYE of the customer's only the POST is left.
    if (endedBy === 'caller' && this.#session !== undefined) await this.#post();
    await Promise.all([closed, this.#byeAnswered]);
    this.#options.onEnd({
      callId: this.#call.callId,
      transport: /^SIP\/2\.0\/TCP\b/i.test(via) ? 'tcp' : 'udp',
      contextBy: this.#context.by,
      attributesAtFirstTurn: this.#context.attributes,
      heardVoiceMs: this.#voice.voiceMs,
      receivedAudioPackets: stats?.received.packets ?? 0,
      sentAudioPackets: stats?.sent.packets ?? 0,
      notified: this.#notified,
      returnStatus: this.#returnStatus,
      escalationStatus: this.#escalationStatus,
      endedBy,
    });
  }
}

function toneOf(hz: number): string {
  return `tone_stream://v=-10;%(1000,0,${hz})`;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
