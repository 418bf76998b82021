/** Connects the desk of a running dialer with a meter: what representatives do, as they begin with it. */
import type { Meter } from '../../machines/meter.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { Dialer } from '../main.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import { REPRESENTATIVE_METRICS as metrics } from './representative-metrics.ts';
import { RepresentativeTime } from './representative-time.ts';
import { DIALER_METRICS } from './dialer-metrics.ts';

type Measured = Pick<Dialer, 'desk' | 'standing'>;

export class RepresentativeMeasure {
  readonly #dialer: Measured;
  readonly #meter: Meter;
  readonly #nowMs: () => number;
  readonly #time: RepresentativeTime;
  readonly #invitedAtMs = new Map<string, number>();
  readonly #ends: readonly (() => void)[];
  /** That some engagement takes representatives with. */
  #presences = new Set<string>();

  constructor(dialer: Measured, meter: Meter, nowMs: () => number) {
    this.#dialer = dialer;
    this.#meter = meter;
    this.#nowMs = nowMs;
    meter.register(metrics);
    this.#time = new RepresentativeTime(
      {
        inState: (state, seconds) => meter.add(metrics.time, { state }, seconds),
        idle: (seconds) => meter.observe(metrics.idle, {}, seconds),
        wrapUp: (seconds) => meter.observe(DIALER_METRICS.handle, { phase: 'wrapUp' }, seconds),
      },
      nowMs,
      (presence) => this.#presences.has(presence),
    );
    this.#lookAtPeople();
    this.#ends = [
      dialer.desk.subscribe((entered) => this.#entered(entered)),
      dialer.desk.whenPeopleChange(() => this.#lookAtPeople()),
    ];
    meter.onScrape({
      name: 'representatives',
      metrics: [metrics.states],
      read: (set) => {
        this.#lookAtPeople();
        for (const [state, count] of this.#time.states()) set(metrics.states, { state }, count);
      },
    });
  }

  hear(event: TelephonyEvent): void {
    if (event.type !== 'lobby.left') return;
    this.#meter.add(metrics.legsLeft, { reason: event.reason });
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  /** Workstreams say which presences count, and they may be edited. */
  #lookAtPeople(): void {
    const { desk, standing } = this.#dialer;
    this.#presences = new Set(standing.pacing.flatMap(({ presences }) => presences));
    for (const { id, presence, work } of desk.everybody()) this.#time.present(id, presence, work);
  }

  #entered({ representativeId: id, work, invitation, reason }: Entered): void {
    const before = this.#time.workOf(id);
    if (before === 'invited' && invitation !== null) {
      const { kind, isAutoAccepted } = invitation;
      const outcome = work === 'joining' ? 'accepted' : (reason ?? 'withdrawn');
      this.#meter.add(metrics.invitations, { kind, outcome });
      const shownMs = this.#nowMs() - (this.#invitedAtMs.get(id) ?? this.#nowMs());
      if (outcome === 'accepted' && !isAutoAccepted) {
        this.#meter.observe(metrics.invitationAnswer, { kind }, shownMs / 1_000);
      }
    }
    if (work === 'invited') this.#invitedAtMs.set(id, this.#nowMs());
    else this.#invitedAtMs.delete(id);
    if (work === 'free') this.#meter.add(metrics.released, { reason: reason ?? 'withdrawn' });
    this.#time.entered(id, work);
  }
}
