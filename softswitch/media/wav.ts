/** WAV files in and out. */
export interface WavAudio {
  /** Mono, 8 kHz. */
  readonly pcm: Int16Array;
  readonly durationMs: number;
}
/** Reads a RIFF file to mono 8 kHz. Throws `INVALID_WAV` with what is wrong with it. */
export function decodeWav(bytes: Buffer): WavAudio {
  throw new Error(String(bytes.length));
}
/** A RIFF file of mono 16-bit PCM, 8 kHz unless told. */
export function encodeWav(pcm: Int16Array, sampleRateHz = 8_000): Buffer {
  throw new Error(String(pcm.length + sampleRateHz));
}
