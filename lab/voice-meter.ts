/** How much voice has been heard, by the energy of frames: enough for a lab where lines are clean. */
import { FRAME_MS } from '../softswitch/media/audio-format.ts';

/** -40 dBFS: speech is far above, comfort noise and mu-law's idle pattern far below. */
const VOICE_MEAN_SQUARE_MIN = (32_768 * 10 ** (-40 / 20)) ** 2;

export class VoiceMeter {
  #voiceMs = 0;
  #quietMs = 0;

  take(pcm: Int16Array): void {
    let sum = 0;
    for (const sample of pcm) sum += sample * sample;
    if (sum / pcm.length >= VOICE_MEAN_SQUARE_MIN) {
      this.#voiceMs += FRAME_MS;
      this.#quietMs = 0;
    } else this.#quietMs += FRAME_MS;
  }

  get voiceMs(): number {
    return this.#voiceMs;
  }

  /** Since the last voice. */
  get quietMs(): number {
    return this.#quietMs;
  }
}
