/** The rule of thumb: k calls in flight for each idle representative. */
import type { PacerEvent } from '../../dialer/pacing/pacer-events.ts';
import type { SimulatedPacer } from '../../simulator/simulated-pacer.ts';

export class FixedRatioPacer implements SimulatedPacer {
  readonly #ratio: number;
  readonly #idle = new Set<string>();
  readonly #inFlight = new Set<string>();

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  note(_atMs: number, event: PacerEvent): void {
    switch (event.event) {
      case 'rep.ready':
        this.#idle.add(event.rep);
        return;
      case 'rep.busy':
      case 'rep.wrapUp':
      case 'rep.gone':
        this.#idle.delete(event.rep);
        return;
      case 'attempt.started':
        this.#inFlight.add(event.attempt);
        return;
      case 'attempt.connected':
        this.#idle.delete(event.rep);
        this.#inFlight.delete(event.attempt);
        return;
      case 'attempt.answered':
      case 'attempt.abandoned':
      case 'attempt.ended':
        this.#inFlight.delete(event.attempt);
        return;
      default:
        return;
    }
  }

  tick(): { start: number; cancel: readonly string[]; binding: string } {
    const target = Math.floor(this.#ratio * this.#idle.size);
    return { start: Math.max(0, target - this.#inFlight.size), cancel: [], binding: 'ratio' };
  }
}
