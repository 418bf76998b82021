/** One call on a representative's phone, whoever made it: what is said, heard and pressed in it. */
import { AudioNegotiation } from '../softswitch/media/audio-negotiation.ts';
import type { AudioSource } from '../softswitch/media/audio-source.ts';
import type { MediaClock } from '../softswitch/media/media-clock.ts';
import { RtpSession } from '../softswitch/media/rtp-session.ts';
import { openStream } from '../softswitch/media/tone-stream.ts';
import type { CallEndCause, CallLeg } from '../softswitch/sip/call-leg.ts';
import { HeardAudio } from './heard-audio.ts';

export interface RepresentativeMedia {
  readonly session: RtpSession;
  readonly negotiation: AudioNegotiation;
}

export async function openMedia(host: string, clock: MediaClock): Promise<RepresentativeMedia> {
  const session = await RtpSession.open({ host, clock });
  const negotiation = new AudioNegotiation({ address: host, port: session.localPort });
  session.sendSilence = true;
  return { session, negotiation };
}

export class RepresentativeCall {
  readonly heard: HeardAudio;
  /** Digits that came, by RFC 4733. */
  digits = '';
  /** First lines of the NOTIFYs' bodies: how a transfer of ours went. */
  readonly notified: string[] = [];
  readonly ended: Promise<CallEndCause>;
  readonly #leg: CallLeg;
  readonly #media: RepresentativeMedia;
  #isOver = false;

  constructor(leg: CallLeg, media: RepresentativeMedia, nowMs: () => number) {
    this.#leg = leg;
    this.#media = media;
    this.heard = new HeardAudio(nowMs);
    const { session } = media;
    session.onFrame = (pcm) => this.heard.take(pcm);
    session.onDtmf = (digit) => (this.digits += digit);
    leg.onReinvite = (sdp) => this.#renegotiate(sdp);
    leg.onOther = (request) => {
      if (request.method !== 'NOTIFY') return undefined;
      this.notified.push(request.body.toString('utf8').split('\r\n')[0] ?? '');
      return { statusCode: 200 };
    };
    this.ended = new Promise((resolve) => {
      leg.onEnded = (cause) => {
        this.#isOver = true;
        void session.close();
        resolve(cause);
      };
    });
  }

  get callId(): string {
    return this.#leg.callId;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A tone for ever, until told otherwise. */
  say(hz: number): void {
    this.speak(openStream(`tone_stream://v=-10;%(1000,0,${hz});loops=-1`));
  }

  speak(source: AudioSource): void {
    this.#media.session.source = source;
  }

  hush(): void {
    this.#media.session.source = undefined;
  }

  press(digits: string): Promise<void> {
    return this.#media.session.sendDtmf(digits, 100);
  }

  hangUp(): void {
    this.#leg.bye();
  }

  /** The network is gone: no RTP leaves any more. That no SIP does either is the phone's to do. */
  fallSilent(): void {
    this.hush();
    this.#media.session.sendSilence = false;
  }

  /** Holds or resumes by re-INVITE (RFC 3264 §8.4). */
  async hold(isHeld: boolean): Promise<number> {
    const { negotiation, session } = this.#media;
    const sdp = negotiation.offer(isHeld ? 'sendonly' : 'sendrecv');
    const response = await this.#leg.sendRequest('INVITE', { sdp });
    if (response.statusCode === 200) {
      session.setRemote(negotiation.accept(response.body.toString('utf8')));
    }
    return response.statusCode;
  }

  /** The transfer key: REFER (RFC 3515). */
  async refer(to: string): Promise<number> {
    const headers = [
      { name: 'Refer-To', value: `<${to}>` },
      { name: 'Referred-By', value: '<sip:representative@ringfence.invalid>' },
    ];
    return (await this.#leg.sendRequest('REFER', { headers })).statusCode;
  }

  #renegotiate(sdp: string | undefined): string {
    const { negotiation, session } = this.#media;
    if (sdp === undefined) return negotiation.offer();
    const { sdp: answer, remote } = negotiation.answer(sdp);
    session.setRemote(remote);
    return answer;
  }
}
