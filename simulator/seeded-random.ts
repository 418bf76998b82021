/**
 * Randomness of a simulated world, from one seed. Each purpose has a stream of its own, so that two
 * pacers in the same world meet the same nth call, and a change in one part disturbs no other.
 */

export class SeededRandom {
  #state: [number, number, number, number];
  #spareNormal: number | undefined;

  constructor(seed: number, stream: string) {
    let mix = hash(stream, seed);
    const next = (): number => {
      // SplitMix32, to fill the state.
      mix = (mix + 0x9e37_79b9) | 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
      return z ^ (z >>> 15);
    };
    this.#state = [next(), next(), next(), next()];
  }

  /** Uniform in [0, 1), 32 bits (xoshiro128**, Blackman & Vigna 2018). */
  uniform(): number {
    const s = this.#state;
    const scrambled = Math.imul(rotated(Math.imul(s[1], 5), 7), 9);
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 11);
    return (scrambled >>> 0) / 2 ** 32;
  }

  /** Standard normal by the polar method (Marsaglia & Bray 1964). */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square <= 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  /** Log-normal of that mean and coefficient of variation. */
  logNormal(mean: number, cv: number): number {
    const sigmaSquared = Math.log1p(cv * cv);
    return mean * Math.exp(Math.sqrt(sigmaSquared) * this.normal() - sigmaSquared / 2);
  }

  /** Beta of these two parameters, both above 0: a share of which so much is known. */
  beta(a: number, b: number): number {
    const [one, other] = [this.#gamma(a), this.#gamma(b)];
    return one / (one + other);
  }

  /** Gamma of that shape, scale 1 (Marsaglia & Tsang 2000). */
  #gamma(shape: number): number {
    if (shape < 1) return this.#gamma(shape + 1) * Math.max(1e-300, this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v <= 0) continue;
      const u = Math.max(1e-300, this.uniform());
      if (Math.log(u) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** FNV-1a of the name, mixed with the seed. */
function hash(text: string, seed: number): number {
  let value = 0x811c_9dc5 ^ seed;
  for (const character of text) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x0100_0193);
  }
  return Math.imul(value ^ (seed >>> 7) ^ Math.imul(seed, 0x85eb_ca6b), 0xc2b2_ae35);
}
