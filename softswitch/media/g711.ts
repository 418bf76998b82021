/**
 * G.711 µ-law and A-law (ITU-T G.711, 11/88). Decoding is a table of 256 entries; encoding a table
 * too, over the bits that a law looks at (14 and 12): 16 and 4 KiB stay in the cache where a table
 * over all 16 bits does not.
 *
 * Both directions agree bit for bit with the ITU-T G.191 software tools: µ-law is defined on 14 bits
 * and A-law on 13, left-justified in 16.
 */
/** The bias that makes every segment a power of two: 33 of 14 bits, 132 of 16. */
const MULAW_BIAS_14 = 33;
const MULAW_BIAS = MULAW_BIAS_14 * 4;
const MULAW_BIASED_MAX = 0x1fff;

/** The code for silence: the smallest positive µ-law magnitude (which decodes to 0). */
export const MULAW_SILENCE = 0xff;
/** The code for silence: A-law has no zero; 0xD5 decodes to +8. */
export const ALAW_SILENCE = 0xd5;

function decodeMulawCode(code: number): number {
  const inverted = ~code & 0xff;
  const exponent = (inverted >> 4) & 0x07;
  const mantissa = inverted & 0x0f;
  const magnitude = (((mantissa << 3) + MULAW_BIAS) << exponent) - MULAW_BIAS;
  return (inverted & 0x80) !== 0 ? -magnitude : magnitude;
}

function encodeMulawSample(sample: number): number {
  // One's complement for negatives, as the reference has it: the 14-bit value is truncated, not rounded.
  const positive = sample >= 0;
  const biased = Math.min(((positive ? sample : ~sample) >> 2) + MULAW_BIAS_14, MULAW_BIASED_MAX);
  const exponent = 31 - Math.clz32(biased) - 5;
  const mantissa = (biased >> (exponent + 1)) & 0x0f;
  return ~((positive ? 0 : 0x80) | (exponent << 4) | mantissa) & 0xff;
}

function decodeAlawCode(code: number): number {
  const even = code ^ 0x55;
  const exponent = (even >> 4) & 0x07;
  const mantissa = even & 0x0f;
  const magnitude =
    exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return (even & 0x80) !== 0 ? magnitude : -magnitude;
}

function encodeAlawSample(sample: number): number {
  const positive = sample >= 0;
  const magnitude = (positive ? sample : ~sample) >> 4;
  const exponent = magnitude < 32 ? (magnitude >> 4) & 1 : 31 - Math.clz32(magnitude) - 3;
  const mantissa = (exponent < 2 ? magnitude : magnitude >> (exponent - 1)) & 0x0f;
  return ((positive ? 0x80 : 0) | (exponent << 4) | mantissa) ^ 0x55;
}

const mulawLevels = Int16Array.from({ length: 256 }, (_, code) => decodeMulawCode(code));
const alawLevels = Int16Array.from({ length: 256 }, (_, code) => decodeAlawCode(code));

/** Bits that a law drops before it looks at a sample. */
const MULAW_SHIFT = 2;
const ALAW_SHIFT = 4;

function encodingTable(encodeSample: (sample: number) => number, shift: number): Uint8Array {
  const table = new Uint8Array(65_536 >> shift);
  for (let sample = -32_768; sample <= 32_767; sample += 1 << shift) {
    table[(sample & 0xffff) >> shift] = encodeSample(sample);
  }
  return table;
}

const mulawCodes = encodingTable(encodeMulawSample, MULAW_SHIFT);
const alawCodes = encodingTable(encodeAlawSample, ALAW_SHIFT);

/** One companding law. Neither direction allocates. */
export interface G711 {
  /** Codes of `pcm` into `into` from `offset` on. */
  encode(pcm: Int16Array, into: Uint8Array, offset: number): void;
  /** Decodes `length` codes of `codes` from `offset` on into the first samples of `into`. */
  decode(codes: Uint8Array, offset: number, length: number, into: Int16Array): void;
  readonly silence: number;
}

function law(codes: Uint8Array, shift: number, levels: Int16Array, silence: number): G711 {
  return {
    silence,
    encode(pcm, into, offset) {
      for (let i = 0; i < pcm.length; i += 1) {
        into[offset + i] = codes[((pcm[i] as number) & 0xffff) >> shift] as number;
      }
    },
    decode(from, offset, length, into) {
      for (let i = 0; i < length; i += 1) {
        into[i] = levels[from[offset + i] as number] as number;
      }
    },
  };
}

export const mulaw: G711 = law(mulawCodes, MULAW_SHIFT, mulawLevels, MULAW_SILENCE);
export const alaw: G711 = law(alawCodes, ALAW_SHIFT, alawLevels, ALAW_SILENCE);

/** Static payload types of RFC 3551 table 4. */
export const PCMU_PAYLOAD_TYPE = 0;
export const PCMA_PAYLOAD_TYPE = 8;

export function g711ByPayloadType(payloadType: number): G711 | undefined {
  if (payloadType === PCMU_PAYLOAD_TYPE) return mulaw;
  return payloadType === PCMA_PAYLOAD_TYPE ? alaw : undefined;
}
