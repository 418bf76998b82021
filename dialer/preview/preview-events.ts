/** What a desktop hears of the contacts that it is shown, on its representative's stream. */
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { isDefect } from '../store/store-defect.ts';
import { lockStreams } from '../representatives/reservations.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { WorkInHand } from '../work-in-hand.ts';

export interface PreviewEventsParts {
  readonly database: OpenDatabase;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  readonly actor: string;
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly retryMs: number;
  readonly isStopping: () => boolean;
}

/** In the order in which they are told, for as long as it takes; a process that stops gives up. */
export class PreviewEvents {
  readonly #parts: PreviewEventsParts;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: PreviewEventsParts) {
    this.#parts = parts;
  }

  tell(representativeId: string, type: string, payload: Readonly<Record<string, unknown>>): void {
    const atMs = this.#parts.clock.now();
    const before = this.#writing;
    this.#writing = (async () => {
      await before;
      await this.#write(representativeId, type, payload, atMs);
    })();
    this.#parts.work.run(() => this.#writing);
  }

  async #write(
    representativeId: string,
    type: string,
    payload: Readonly<Record<string, unknown>>,
    atMs: number,
  ): Promise<void> {
    const { database, clock, log, actor, businessUnitId, engagementId, retryMs } = this.#parts;
    const streamId = `representative:${representativeId}`;
    const event = { streamId, type, actor, payload: { engagementId, ...payload } };
    for (;;) {
      try {
        await database.db.transaction().execute(async (tx) => {
          await lockStreams(tx, [representativeId], atMs);
          await appendEvents(tx, businessUnitId, atMs, [event]);
        });
        return;
      } catch (error) {
        log.warn({ representativeId, type, error }, 'a preview event could not be written yet');
        if (isDefect(error) || this.#parts.isStopping()) return;
        await new Promise<void>((resolve) => clock.setTimeout(resolve, retryMs));
      }
    }
  }
}
