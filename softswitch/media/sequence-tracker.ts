/** Sequence numbers of one SSRC: extension to 32 bits, order, duplicates, loss (RFC 3550 A.1, A.3). */

/** A jump forward of this many packets is a restart of the sender, not loss. */
const DROPOUT_MAX = 3_000;
/** Packets older than this are taken for a restart too, when two come in a row. */
const MISORDER_MAX = 100;
const SEQUENCE_MODULUS = 65_536;
/** Window in which a duplicate is told from a late packet; a power of two above MISORDER_MAX. */
const WINDOW = 128;

export type SequenceVerdict = 'next' | 'jumped' | 'reordered' | 'duplicate' | 'restart' | 'invalid';

export class SequenceTracker {
  #highest = -1;
  #first = 0;
  #received = 0;
  #restartAt = -1;
  readonly #seen = new Float64Array(WINDOW).fill(-1);
  #expectedPrior = 0;
  #receivedPrior = 0;

  /** Forgets everything: another SSRC. */
  reset(): void {
    this.#highest = -1;
    this.#received = 0;
    this.#restartAt = -1;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#seen.fill(-1);
  }

  /** Judges one packet by its 16-bit number. After `invalid` the packet is to be dropped. */
  take(sequence: number): SequenceVerdict {
    if (this.#highest < 0) {
      this.#begin(sequence);
      return 'restart';
    }
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead !== 0 && ahead < DROPOUT_MAX) {
      this.#highest += ahead;
      this.#note(this.#highest);
      return ahead === 1 ? 'next' : 'jumped';
    }
    const behind = SEQUENCE_MODULUS - (ahead === 0 ? SEQUENCE_MODULUS : ahead);
    if (behind >= MISORDER_MAX) return this.#judgeRestart(sequence);
    const extended = this.#highest - behind;
    if (this.#seen[slotOf(extended)] === extended) return 'duplicate';
    if (extended < this.#first) return 'invalid';
    this.#note(extended);
    return 'reordered';
  }

  /** Highest sequence number with its cycles, as receiver reports carry it. */
  get extendedHighest(): number {
    return Math.max(0, this.#highest) >>> 0;
  }

  /** Expected less received; never negative here, since duplicates are not counted as received. */
  get lost(): number {
    return this.#highest < 0 ? 0 : Math.max(0, this.#expected - this.#received);
  }

  /** Loss since the last call, as a fraction of 256 (RFC 3550 A.3). */
  takeFractionLost(): number {
    const expected = this.#expected - this.#expectedPrior;
    const lost = expected - (this.#received - this.#receivedPrior);
    this.#expectedPrior = this.#expected;
    this.#receivedPrior = this.#received;
    return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected));
  }

  get #expected(): number {
    return this.#highest < 0 ? 0 : this.#highest - this.#first + 1;
  }

  #begin(sequence: number): void {
    this.reset();
    this.#highest = sequence;
    this.#first = sequence;
    this.#note(sequence);
  }

  #note(extended: number): void {
    this.#restartAt = -1;
    this.#received += 1;
    this.#seen[slotOf(extended)] = extended;
  }

  /** One packet far off is a stray; the one that follows on it makes it a restart. */
  #judgeRestart(sequence: number): SequenceVerdict {
    if (sequence === this.#restartAt) {
      this.#begin(sequence);
      return 'restart';
    }
    this.#restartAt = (sequence + 1) & 0xffff;
    return 'invalid';
  }
}

function slotOf(extended: number): number {
  return extended & (WINDOW - 1);
}
