/**
 * Takes down who opts out at the edge, by a digit in a message of ours or by calling us back, and which
 * calls came in. A store that fails is asked again until it has taken it.
 */
import type { Transaction } from 'kysely';
import { maskNumber } from '../../machines/masked-number.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { untilStored } from '../store/until-stored.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import { numbersOfCaller } from './caller-numbers.ts';
import { isContactNumber } from './listed-number.ts';
import { addOptOutIn } from './opt-outs.ts';

export interface OptOutKeeperParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly work: WorkInHand;
  readonly actor: string;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
}

type InboundEvent = EventOf<'inbound.call'> | EventOf<'inbound.optOut'> | EventOf<'inbound.ended'>;

export class OptOutKeeper {
  readonly #parts: OptOutKeeperParts;
  /** Whose number was called, by inbound call that is up. */
  readonly #units = new Map<string, readonly string[]>();
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: OptOutKeeperParts) {
    this.#parts = parts;
  }

  /** For every event of the gateway's. */
  onTelephony(event: TelephonyEvent): void {
    if (event.type === 'attempt.optOut') this.#write((tx) => this.#fromAttempt(tx, event));
    else if (isInbound(event)) this.#write((tx) => this.#fromInbound(tx, event));
  }

  /**
   * Before an attempt's number is free again: that its person opted out is on disk, whatever became of
   * the event. Rejects when the store does not take it.
   */
  ensure(attemptId: string, digit: string): Promise<void> {
    const { database } = this.#parts;
    const event = { attemptId, digit, source: 'recorded', playId: null };
    return database.db.transaction().execute((tx) => this.#fromAttempt(tx, event));
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** One after the other, and for as long as it takes. */
  #write(work: (tx: Transaction<Database>) => Promise<void>): void {
    const before = this.#writing;
    const { database, log, clock, storeRetryMs } = this.#parts;
    const write = async (): Promise<void> => {
      await before;
      const once = () => database.db.transaction().execute(work);
      const stored = untilStored(once, {
        ...{ clock, storeRetryMs, isGivenUp: () => this.#isStopped },
        onFailure: (error) => {
          log.error({ error }, 'an opt-out or an inbound call is not written yet');
        },
      });
      await stored.catch(() => undefined); // told above
    };
    this.#writing = write();
    this.#parts.work.run(() => this.#writing);
  }

  /** Whoever owns the attempt by now: that somebody opted out is true for all. */
  async #fromAttempt(
    tx: Transaction<Database>,
    event: Pick<EventOf<'attempt.optOut'>, 'attemptId' | 'digit' | 'source' | 'playId'>,
  ): Promise<void> {
    const { attemptId, digit, source, playId } = event;
    const found = await tx
      .selectFrom('attempts')
      .innerJoin('contact_points', 'contact_points.id', 'attempts.contact_point_id')
      .select(['attempts.business_unit_id', 'attempts.engagement_id', 'contact_points.value'])
      .where('attempts.id', '=', attemptId)
      .executeTakeFirst();
    if (found === undefined || found.value === '') {
      this.#parts.log.error({ attemptId }, 'somebody opted out whose number is not known');
      return;
    }
    const { business_unit_id: businessUnitId, engagement_id: engagementId, value: number } = found;
    const during = playId ?? 'failsafe';
    const detail = `pressed ${digit} (${source}) during ${during}`;
    const optOut = { number, source: 'message', detail, engagementId, attemptId } as const;
    await addOptOutIn(tx, this.#writer(businessUnitId), optOut);
  }

  async #fromInbound(tx: Transaction<Database>, event: InboundEvent): Promise<void> {
    const { inboundId, gatewayId, type } = event;
    const units =
      'calledNumber' in event
        ? await unitsOf(tx, event.calledNumber)
        : (this.#units.get(inboundId) ?? []);
    if (type === 'inbound.ended') this.#units.delete(inboundId);
    else this.#units.set(inboundId, units);
    const { clock, actor } = this.#parts;
    for (const [at, unit] of units.entries()) {
      const streamId = `inbound:${inboundId}${at === 0 ? '' : `:${at}`}`;
      const payload = { inboundId, gatewayId, ...told(event) };
      await appendEvents(tx, unit, clock.now(), [{ streamId, type, actor, payload }]);
    }
    if (type === 'inbound.optOut') await this.#fromCaller(tx, event, units);
  }

  /** Whatever the caller's number may be stored as: one act, and as many entries as it takes. */
  async #fromCaller(
    tx: Transaction<Database>,
    event: EventOf<'inbound.optOut'>,
    units: readonly string[],
  ): Promise<void> {
    const { log } = this.#parts;
    const { inboundId, callerNumber, callerAsReceived, calledNumber } = event;
    if (callerNumber === null) {
      log.warn(
        { inboundId },
        'a caller who withholds their number cannot be kept from being called',
      );
      return;
    }
    const read = numbersOfCaller({ callerNumber, callerAsReceived, calledNumber });
    if (read.length === 0) {
      log.warn(
        { inboundId, caller: maskNumber(callerNumber), called: maskNumber(calledNumber) },
        'a caller opted out whose number cannot be read: it is listed as it came, and may be called',
      );
    }
    const numbers = read.length === 0 ? [callerNumber] : read;
    const detail = `pressed ${event.digit} (${event.source}) on a call to ${calledNumber}`;
    for (const unit of units) {
      const asStored = await storedAs(tx, unit, callerAsReceived);
      for (const number of new Set([...numbers, ...asStored])) {
        await addOptOutIn(tx, this.#writer(unit), { number, source: 'inbound', detail });
      }
    }
  }

  #writer(businessUnitId: string) {
    const { ids, clock, actor } = this.#parts;
    return { ids, nowMs: clock.now(), businessUnitId, actor };
  }
}

function isInbound(event: TelephonyEvent): event is InboundEvent {
  return event.type.startsWith('inbound.');
}

/** Those who show the number; when nobody is known to, it may have been any of them. */
async function unitsOf(
  tx: Transaction<Database>,
  calledNumber: string,
): Promise<readonly string[]> {
  const showing = await tx
    .selectFrom('workstreams')
    .select('business_unit_id as id')
    .where('number', '=', calledNumber)
    .distinct()
    .execute();
  const units =
    showing.length > 0 ? showing : await tx.selectFrom('business_units').select('id').execute();
  return units.map(({ id }) => id).sort();
}

/** For the log: numbers masked, what was pressed as it is. */
function told(event: InboundEvent): Readonly<Record<string, unknown>> {
  if (event.type === 'inbound.ended') return { endedBy: event.endedBy, heldMs: event.heldMs };
  const caller = event.callerNumber === null ? null : maskNumber(event.callerNumber);
  const numbers = { caller, called: maskNumber(event.calledNumber) };
  return event.type === 'inbound.call'
    ? numbers
    : { ...numbers, digit: event.digit, source: event.source };
}

/** Where a trunk takes any string, contacts may have exactly what the network wrote. */
async function storedAs(
  tx: Transaction<Database>,
  businessUnitId: string,
  received: string | undefined,
): Promise<readonly string[]> {
  if (received === undefined) return [];
  return (await isContactNumber(tx, businessUnitId, received)) ? [received] : [];
}
