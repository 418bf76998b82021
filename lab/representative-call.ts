/** One call on a representative's phone, whoever made it: what is said, heard and pressed in it. */
import { AudioNegotiation } from '../softswitch/media/audio-negotiation.ts';
import type { AudioSource } from '../softswitch/media/audio-source.ts';
import type { MediaClock } from '../softswitch/media/media-clock.ts';
import { RtpSession } from '../softswitch/media/rtp-session.ts';
import { openStream } from '../softswitch/media/tone-stream.ts';
import type { CallEndCause, CallLeg } from '../softswitch/sip/call-leg.ts';
import { HeardAudio } from './heard-audio.ts';

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1_209, 1_336, 1_477];
const DTMF_HZ: Readonly<Record<string, readonly [number, number]>> = Object.fromEntries(
  ['123', '456', '789', '*0#'].flatMap((keys, row) =>
    Array.from(keys, (key, column) => [key, [ROWS_HZ[row] ?? 0, COLUMNS_HZ[column] ?? 0]]),
  ),
);
/** Tone and pause of one key, and a little. */
const KEY_MS = 200;

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

  /** The same keys by SIP INFO (application/dtmf-relay), as phones without RFC 4733 send them. */
  async pressByInfo(digits: string): Promise<void> {
    for (const digit of digits) {
      const contentType = 'application/dtmf-relay';
      const body = `Signal=${digit}\r\nDuration=100\r\n`;
      await this.#leg.sendRequest('INFO', { contentType, body });
    }
  }

  /** The same keys as tones in the audio (ITU-T Q.23), each of 80 ms. */
  async pressByTones(digits: string): Promise<void> {
    for (const digit of digits) {
      const [low, high] = DTMF_HZ[digit] ?? [];
      if (low === undefined || high === undefined) throw new Error(`there is no key ${digit}`);
      this.speak(openStream(`tone_stream://v=-10;%(80,80,${low},${high})`));
      await new Promise((resolve) => setTimeout(resolve, KEY_MS));
    }
    this.hush();
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
