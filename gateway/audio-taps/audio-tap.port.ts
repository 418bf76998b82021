/**
 * What a customer says, live, for whoever decides from it (is this a person, has the beep come). There
 * are two ways to get it out of FreeSWITCH, each with limits of its own *(measured)*: the caller picks
 * by capability, not by name.
 */

export interface AudioTapCapabilities {
  /** Audio goes on while something is played to the customer, and after it. */
  readonly survivesPlayback: boolean;
  /** Audio goes on while the customer is bridged to somebody. */
  readonly survivesBridge: boolean;
  /** Works when the media server is another host. */
  readonly reachesOtherHosts: boolean;
}

/**
 * 20 ms at a time, 16-bit linear, 8 kHz, valid during the call; undefined: nothing came from the far end
 * for 20 ms.
 */
export type OnAudio = (pcm: Int16Array | undefined) => void;

export interface AudioTap {
  readonly capabilities: AudioTapCapabilities;
  /** Frees everything on both sides. May be called twice, and after the channel has gone. */
  stop(): Promise<void>;
}

/** One channel of the media server, as a tap needs it. */
export interface TappedChannel {
  readonly channelId: string;
  /** The body of an API command's answer; rejects when there is none. */
  api(command: string, args: string): Promise<string>;
  /** `sendmsg` with these headers, to the channel itself; resolves with the reply's text. */
  message(headers: Readonly<Record<string, string>>): Promise<string>;
}

export interface AudioTapFactory {
  readonly capabilities: AudioTapCapabilities;
  /** Rejects with what the media server said when it cannot be had. */
  start(channel: TappedChannel, onAudio: OnAudio): Promise<AudioTap>;
}

export const FRAME_MS = 20;
/** 20 ms of L16 at 8 kHz. */
export const FRAME_BYTES = 320;

/** Samples of our own byte order, which is the media server's on the same host; the bytes are copied. */
export function samplesOf(frame: Buffer): Int16Array {
  const pcm = new Int16Array(frame.length >> 1);
  new Uint8Array(pcm.buffer).set(frame);
  return pcm;
}
