/** One call as the lab's far end lives it: the steps of its number-plan entry, with real RTP. */
import { AudioNegotiation } from '../softswitch/media/audio-negotiation.ts';
import type { MediaClock } from '../softswitch/media/media-clock.ts';
import { RtpSession } from '../softswitch/media/rtp-session.ts';
import type { CallEndCause } from '../softswitch/sip/call-leg.ts';
import type { IncomingCall } from '../softswitch/sip/incoming-call.ts';
import type { Timer, TimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { openLabAudio, type LabAudio } from './lab-audio.ts';
import type { LabStep, NumberPlanEntry } from './number-plan.ts';

export interface FarEndCallOptions {
  readonly host: string;
  readonly entry: NumberPlanEntry;
  /** Dialled number, digits as received. */
  readonly number: string;
  readonly timers: TimerWheel;
  readonly clock: MediaClock;
  readonly onEnd: (record: FarEndRecord) => void;
}

/** What the far end saw of one call: an independent witness for tests. */
export interface FarEndRecord {
  readonly callId: string;
  readonly number: string;
  readonly behaviour: string;
  readonly answered: boolean;
  /** Who ended it: `caller` by CANCEL or BYE, `farEnd` by its script, `error` otherwise. */
  readonly endedBy: 'caller' | 'farEnd' | 'error';
  readonly receivedAudioPackets: number;
  readonly sentAudioPackets: number;
  readonly receivedDigits: string;
}

const ENDED_BY: Readonly<Record<CallEndCause, FarEndRecord['endedBy']>> = {
  cancelled: 'caller',
  byeReceived: 'caller',
  byeSent: 'farEnd',
  rejected: 'farEnd',
  ackTimeout: 'error',
  sessionExpired: 'error',
  peerLost: 'error',
};

export class FarEndCall {
  readonly #call: IncomingCall;
  readonly #options: FarEndCallOptions;
  readonly #variant: number;
  #session: RtpSession | undefined;
  #negotiation: AudioNegotiation | undefined;
  #timer: Timer | undefined;
  #step = 0;
  #answered = false;
  #ended = false;
  #digits = '';

  constructor(call: IncomingCall, options: FarEndCallOptions) {
    this.#call = call;
    this.#options = options;
    this.#variant = Number(options.number.at(-1) ?? 0);
    call.onEnded = (cause) => this.#end(ENDED_BY[cause]);
    call.onAck = (sdp) => this.#takeAnswer(sdp);
    call.onReinvite = (sdp) => this.#renegotiate(sdp);
  }

  /** Begins the script. */
  start(): void {
    this.#next();
  }

  /** Hangs up, whatever the script says: the lab is closing. It waits for no answer of a dead peer. */
  stop(): void {
    if (this.#ended) return;
    if (this.#answered) this.#call.bye();
    else this.#call.reject(503);
    this.#end('farEnd');
  }

  #next(): void {
    const step = this.#options.entry.steps[this.#step];
    this.#step += 1;
    if (this.#ended || step === undefined) return;
    this.#perform(step).catch((error: unknown) => this.#fail(error));
  }

  async #perform(step: LabStep): Promise<void> {
    switch (step.do) {
      case 'ring':
        this.#call.provisional(180);
        this.#after(step.forMs);
        break;
      case 'ringForEver':
        this.#call.provisional(180);
        break;
      case 'earlyMedia':
        await this.#playEarly(step.audio);
        this.#after(step.forMs);
        break;
      case 'answer':
        await this.#answer();
        break;
      case 'wait':
        this.#after(step.forMs);
        break;
      case 'play':
        this.#play(step.audio);
        break;
      case 'hangUp':
        this.#call.bye();
        break;
      case 'reject':
        this.#call.reject(step.statusCode, step.phrase, reasonFields(step.reasonHeader));
        break;
      case 'listen':
      case 'ignore':
        break;
    }
  }

  async #playEarly(audio: LabAudio): Promise<void> {
    const session = await this.#openMedia();
    if (this.#ended) return;
    this.#call.provisional(183, { sdp: this.#localSdp() });
    session.source = openLabAudio(audio, this.#variant);
  }

  async #answer(): Promise<void> {
    const session = await this.#openMedia();
    if (this.#ended) return;
    session.source = undefined;
    this.#answered = true;
    this.#call.answer({ sdp: this.#localSdp() });
    this.#next();
  }

  #play(audio: LabAudio): void {
    const session = this.#session;
    if (session === undefined) throw new Error('the script plays before it answers');
    session.onSourceEnd = () => this.#next();
    session.source = openLabAudio(audio, this.#variant);
  }

  #after(delayMs: number): void {
    if (this.#ended) return;
    this.#timer = this.#options.timers.schedule(delayMs, () => this.#next());
  }

  /** Opens the RTP leg once, for early media or the answer. */
  async #openMedia(): Promise<RtpSession> {
    if (this.#session !== undefined) return this.#session;
    const { host, clock } = this.#options;
    const session = await RtpSession.open({ host, clock });
    if (this.#ended) {
      await session.close();
      return session;
    }
    this.#session = session;
    session.sendSilence = true;
    session.onDtmf = (digit) => (this.#digits += digit);
    this.#negotiation = new AudioNegotiation({ address: host, port: session.localPort });
    const offer = this.#call.request.body.toString('utf8');
    if (offer === '') this.#negotiation.offer();
    else session.setRemote(this.#negotiation.answer(offer).remote);
    return session;
  }

  #localSdp(): string {
    return this.#negotiation?.localSdp ?? '';
  }

  /** The ACK carries the answer when the INVITE carried no offer (RFC 3261 §13.2.1). */
  #takeAnswer(sdp: string | undefined): void {
    if (sdp === undefined || this.#call.request.body.length > 0) return;
    const remote = this.#negotiation?.accept(sdp);
    if (remote !== undefined) this.#session?.setRemote(remote);
  }

  #renegotiate(sdp: string | undefined): string {
    const negotiation = this.#negotiation;
    if (negotiation === undefined) return '';
    if (sdp === undefined) return negotiation.offer();
    const { sdp: answer, remote } = negotiation.answer(sdp);
    this.#session?.setRemote(remote);
    return answer;
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#end('error');
    if (this.#answered) this.#call.bye();
    else
      this.#call.reject(
        488,
        String(error)
          .slice(0, 60)
          .replaceAll(/[\r\n]/g, ' '),
      );
  }

  #end(endedBy: FarEndRecord['endedBy']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const stats = this.#session?.stats();
    this.#options.onEnd({
      callId: this.#call.callId,
      number: this.#options.number,
      behaviour: this.#options.entry.behaviour,
      answered: this.#answered,
      endedBy,
      receivedAudioPackets: stats?.received.packets ?? 0,
      sentAudioPackets: stats?.sent.packets ?? 0,
      receivedDigits: this.#digits,
    });
    void this.#session?.close();
  }
}

function reasonFields(value: string | undefined): { name: string; value: string }[] {
  return value === undefined ? [] : [{ name: 'Reason', value }];
}
