/** The faint noise FreeSWITCH sends where silence would make a far end think the call is dead. */
import type { AudioSource } from './audio-source.ts';

/** As many random numbers make up a sample, which gives them a bell curve. */
const TERMS = 6;

/**
 * Endless. The level is that of FreeSWITCH's `switch_generate_sln_silence`: a sum of six 16-bit random
 * numbers over `divisor`; its usual 1400 gives about 33 of 32767, -60 dB.
 */
export function comfortNoise(divisor: number): AudioSource {
  let seed = 0x1234_5678;
  return {
    read: (into) => {
      for (let i = 0; i < into.length; i += 1) {
        let sum = 0;
        for (let term = 0; term < TERMS; term += 1) {
          seed = (Math.imul(seed, 31_821) + 13_849) | 0;
          sum += seed >> 16;
        }
        into[i] = Math.trunc(sum / divisor);
      }
      return true;
    },
  };
}
