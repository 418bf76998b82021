/** `tone_stream://` and `silence_stream://`, as FreeSWITCH reads them. */
import type { AudioSource } from './audio-source.ts';

/** True for what `openStream` takes. */
export function isStreamUri(uri: string): boolean {
  return /^(?:tone_stream|silence_stream):\/\//i.test(uri);
}

/** `silence_stream://1000` and `tone_stream://%(400,200,440)`; throws `INVALID_TONE_STREAM`. */
export function openStream(uri: string): AudioSource {
  throw new Error(uri);
}
