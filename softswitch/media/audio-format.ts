/** The one audio format inside the switch: mono, 16-bit linear, 8 kHz, in frames of 20 ms. */
export const SAMPLE_RATE_HZ = 8_000;
export const FRAME_MS = 20;
export const FRAME_SAMPLES = (SAMPLE_RATE_HZ * FRAME_MS) / 1_000;
export const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1_000;
