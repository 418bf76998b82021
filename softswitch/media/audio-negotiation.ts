/** Offer and answer of one audio stream in one dialog (RFC 3264). */
import type { MediaDirection, RtpRemote } from './rtp-session.ts';

export type AudioCodec = 'PCMU' | 'PCMA';

export interface AudioNegotiationOptions {
  readonly address: string;
  readonly port: number;
  /** In order of preference. */
  readonly codecs?: readonly AudioCodec[];
  /** `o=` user and `s=` name; default `Ringfence`. */
  readonly originUser?: string;
}

/** Keeps what RFC 3264 §8 asks of a session: one session id, a version that counts changes. */
export class AudioNegotiation {
  constructor(options: AudioNegotiationOptions) {
    void options;
  }
  /** The last SDP we sent, and the last we were given. */
  get localSdp(): string | undefined {
    return undefined;
  }
  get remoteSdp(): string | undefined {
    return undefined;
  }
  /** What was agreed last. */
  get remote(): RtpRemote | undefined {
    return undefined;
  }
  offer(direction: MediaDirection = 'sendrecv'): string {
    throw new Error(direction);
  }
  /** Answers an offer. Throws `SDP_NOT_ACCEPTABLE` (488) or `INVALID_SDP` (400). */
  answer(
    offerSdp: string,
    direction: MediaDirection = 'sendrecv',
  ): { sdp: string; remote: RtpRemote } {
    throw new Error(offerSdp + direction);
  }
  /** Takes the answer to our last offer. Throws as `answer` does. */
  accept(answerSdp: string): RtpRemote {
    throw new Error(answerSdp);
  }
}
