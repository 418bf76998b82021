/**
 * Whether a nailed-up leg is still there. A phone that loses power or its network sends no BYE: its RTP
 * stops. RTP alone proves nothing, since a phone may be silent by itself (hold, voice activity
 * detection), so a silent one is asked by OPTIONS in its dialog, and only no answer is a loss.
 *
 * Worst case from the last packet to the verdict: one look that still saw it grow, one that did not,
 * and the probe: 2 × 1 s + 2 s = 4 s; after a probe that was answered, 2 s + 2 s.
 */
import { elapsedMs, type GatewayClock } from '../clock.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { Probe } from './probe.ts';

/** Each look is two commands on the event socket: 300 legs cost 600 a second. */
const LOOK_MS = 1_000;
const PROBE_LIMIT_MS = 2_000;
/** Between two probes of a phone that stays silent and answers. */
const PROBE_PAUSE_MS = 2_000;

export interface PhoneWatchParts {
  readonly endpoint: Pick<MediaEndpoint, 'packetsReceived'>;
  readonly probe: (limitMs: number) => Promise<Probe>;
  readonly clock: GatewayClock;
  /** Once; nothing follows it. */
  readonly onLost: (problem: string) => void;
}

export class PhoneWatch {
  readonly #parts: PhoneWatchParts;
  #packets = 0;
  #heardAtMs: number;
  #timer: unknown;
  #stopped = false;

  constructor(parts: PhoneWatchParts) {
    this.#parts = parts;
    this.#heardAtMs = parts.clock.now();
  }

  start(): void {
    this.#later(LOOK_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.clock.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { endpoint, clock } = this.#parts;
    const outcome = await endpoint.packetsReceived();
    if (this.#stopped || outcome.kind === 'gone') return; // a channel that is gone tells it itself
    if (outcome.kind === 'done' && outcome.value !== this.#packets) {
      this.#packets = outcome.value;
      this.#heardAtMs = clock.now();
      this.#later(LOOK_MS);
      return;
    }
    await this.#ask();
  }

  async #ask(): Promise<void> {
    const { probe, clock, onLost } = this.#parts;
    const answer = await probe(PROBE_LIMIT_MS);
    if (this.#isStopped()) return;
    if (answer === 'gone') {
      this.stop();
      onLost(`no RTP for ${elapsedMs(this.#heardAtMs, clock.now())} ms and no answer to OPTIONS`);
      return;
    }
    this.#later(PROBE_PAUSE_MS);
  }

  /** A function, since it changes while something is awaited. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  #later(delayMs: number): void {
    this.#timer = this.#parts.clock.setTimeout(() => void this.#look(), delayMs);
  }
}
