/** How unevenly packets arrive: RFC 3550's jitter for reports, and the spread that a buffer must bridge. */

/** Extremes are forgotten after one to two windows: long enough to have seen a periodic stall. */
const WINDOW_MS = 3_000;

export class JitterEstimate {
  #started = false;
  #jitterSamples = 0;
  #lastTransit = 0;
  #windowEndsMs = 0;
  #min = 0;
  #max = 0;
  #previousMin = 0;
  #previousMax = 0;

  reset(): void {
    this.#started = false;
    this.#jitterSamples = 0;
  }

  /** `transit` = arrival time less RTP time, both in samples; its absolute value means nothing. */
  take(transit: number, nowMs: number): void {
    if (!this.#started) {
      this.#started = true;
      this.#lastTransit = transit;
      this.#min = this.#max = this.#previousMin = this.#previousMax = transit;
      this.#windowEndsMs = nowMs + WINDOW_MS;
      return;
    }
    this.#jitterSamples += (Math.abs(transit - this.#lastTransit) - this.#jitterSamples) / 16;
    this.#lastTransit = transit;
    if (nowMs >= this.#windowEndsMs) {
      this.#previousMin = this.#min;
      this.#previousMax = this.#max;
      this.#min = this.#max = transit;
      this.#windowEndsMs = nowMs + WINDOW_MS;
    } else if (transit < this.#min) this.#min = transit;
    else if (transit > this.#max) this.#max = transit;
  }

  /** Interarrival jitter in timestamp units (RFC 3550 §6.4.1). */
  get jitterSamples(): number {
    return this.#jitterSamples;
  }

  /** Difference of the slowest and the fastest packet of the last 3 to 6 s, in samples. */
  get spreadSamples(): number {
    if (!this.#started) return 0;
    return Math.max(this.#max, this.#previousMax) - Math.min(this.#min, this.#previousMin);
  }
}
