/**
 * Session attempts of one trunk over a sliding window, and the ratios of RFC 6076 and the ITU.
 *
 * A session attempt is one logical dial: a challenge that was answered with credentials is not a
 * failure, so its INVITEs count once, with the last final response. What our own stack makes up counts
 * as what it stands for: 408 for silence, 503 for no transport.
 */
export interface SessionOutcome {
  /** Final response to the INVITE; a 2xx of any kind is an answer. */
  readonly statusCode: number;
}

export interface TrunkRatioValues {
  readonly sessions: number;
  /** NaN while nothing was dialled: 0 / 0 says nothing, and no alert compares with it. */
  readonly ser: number;
  readonly seer: number;
  readonly isa: number;
  readonly asr: number;
  readonly ner: number;
}

interface Counts {
  sessions: number;
  answered: number;
  redirected: number;
  effective: number;
  ineffective: number;
}

interface Slot extends Counts {
  readonly startsAtMs: number;
}

const EFFECTIVE_CODES = new Set([480, 486, 600, 603]);
const INEFFECTIVE_CODES = new Set([408, 500, 503, 504]);

const WINDOW_MS = 300_000;
const SLOT_MS = 10_000;

export class TrunkRatios {
  /** Oldest first; at most one window's worth. */
  #slots: Slot[] = [];

  count({ statusCode }: SessionOutcome, nowMs: number): void {
    const slot = this.#slotAt(nowMs);
    const isAnswer = statusCode >= 200 && statusCode < 300;
    slot.sessions += 1;
    if (isAnswer) slot.answered += 1;
    if (statusCode >= 300 && statusCode < 400) slot.redirected += 1;
    if (isAnswer || EFFECTIVE_CODES.has(statusCode)) slot.effective += 1;
    if (INEFFECTIVE_CODES.has(statusCode)) slot.ineffective += 1;
  }

  values(nowMs: number): TrunkRatioValues {
    this.#forget(nowMs);
    const sum = noCounts();
    for (const slot of this.#slots) {
      sum.sessions += slot.sessions;
      sum.answered += slot.answered;
      sum.redirected += slot.redirected;
      sum.effective += slot.effective;
      sum.ineffective += slot.ineffective;
    }
    const { sessions, answered, redirected, effective, ineffective } = sum;
    return {
      sessions,
      ser: answered / (sessions - redirected),
      seer: effective / (sessions - redirected),
      isa: ineffective / sessions,
      asr: answered / sessions,
      ner: (sessions - ineffective) / sessions,
    };
  }

  #slotAt(nowMs: number): Slot {
    const last = this.#slots.at(-1);
    if (last !== undefined && nowMs < last.startsAtMs + SLOT_MS) return last;
    this.#forget(nowMs);
    const slot = { startsAtMs: nowMs, ...noCounts() };
    this.#slots.push(slot);
    return slot;
  }

  #forget(nowMs: number): void {
    this.#slots = this.#slots.filter(({ startsAtMs }) => startsAtMs > nowMs - WINDOW_MS);
  }
}

function noCounts(): Counts {
  return { sessions: 0, answered: 0, redirected: 0, effective: 0, ineffective: 0 };
}
