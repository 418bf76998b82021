/**
 * Remembers which trunks take no calls, for gateways that forget it when they are started again. Whoever
 * becomes present is told first of what holds for it, in front of any dial, and asked then what it has
 * closed by itself while nobody listened.
 */
import type { Transaction } from 'kysely';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { TrunkClosure } from '../../machines/gateway-events.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { TrunkReport } from '../../machines/trunk-commands.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { untilStored } from '../store/until-stored.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import {
  ALL_GATEWAYS,
  isInForce,
  readClosures,
  removeClosure,
  writeClosure,
  type StoredClosure,
} from './trunk-closures.ts';

export interface ClosureKeeperParts {
  readonly database: OpenDatabase;
  readonly telephony: Pick<TelephonyPort, 'send'>;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly work: WorkInHand;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
  /** Those of the configuration: of others nothing is remembered. */
  readonly trunks: readonly string[];
  /** The trunk takes no calls at this gateway, as it says itself. */
  readonly onClosed: (trunk: string) => void;
}

const RETELL_MIN_MS = 2_000;
const RETELL_MAX_MS = 60_000;

export class ClosureKeeper {
  readonly #parts: ClosureKeeperParts;
  #closures: readonly StoredClosure[] = [];
  /** Gateways that have not heard yet what they forgot: what they say of their trunks is too early. */
  readonly #restoring = new Set<string>();
  /** Those that are there, with the pause after which one that did not answer is told again, ms. */
  readonly #present = new Map<string, number>();
  readonly #retelling = new Map<string, unknown>();
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: ClosureKeeperParts) {
    this.#parts = parts;
  }

  /** Those that hold now. */
  get closures(): readonly StoredClosure[] {
    const nowMs = this.#parts.clock.now();
    return this.#closures.filter((closure) => isInForce(closure, nowMs));
  }

  /** Before anything is dialled: what was left is told to the gateways that are there. */
  async begin(gatewayIds: readonly string[]): Promise<void> {
    const { database, clock, trunks, log } = this.#parts;
    const nowMs = clock.now();
    const all = await readClosures(database.db);
    const isOver = (one: StoredClosure): boolean =>
      !trunks.includes(one.trunk) || (one.resumedAtMs === null && !isInForce(one, nowMs));
    this.#closures = all.filter((one) => !isOver(one));
    const over = all.filter(isOver);
    if (over.length > 0) log.info({ trunks: over.map(({ trunk }) => trunk) }, 'trunks are open');
    this.#write(async (tx) => {
      for (const one of over) await removeClosure(tx, one);
    });
    await this.#writing;
    await Promise.all(gatewayIds.map((gatewayId) => this.#greet(gatewayId)));
  }

  /** An operator has written something; those who did not answer are told again. */
  async changed(unheard: readonly string[] = []): Promise<void> {
    for (let before: Promise<void> | undefined; before !== this.#writing;) {
      before = this.#writing;
      await before;
      const read = await readClosures(this.#parts.database.db);
      // What was heard meanwhile is not among them.
      if (before === this.#writing) this.#closures = read;
    }
    for (const gatewayId of unheard) this.#retellLater(gatewayId);
  }

  onTelephony(event: TelephonyEvent): void {
    if (event.type === 'gateway.present') {
      this.#parts.work.run(() => this.#greet(event.gatewayId));
    } else if (event.type === 'gateway.lost') this.#lost(event.gatewayId);
    else if (event.type === 'trunk.state') this.#heard(event);
  }

  /** Resolves when what was heard is on disk. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  stop(): void {
    this.#isStopped = true;
    for (const gatewayId of [...this.#present.keys()]) this.#lost(gatewayId);
  }

  #greet(gatewayId: string): Promise<void> {
    this.#lost(gatewayId);
    this.#present.set(gatewayId, RETELL_MIN_MS);
    return this.#restore(gatewayId);
  }

  #lost(gatewayId: string): void {
    this.#parts.clock.clearTimeout(this.#retelling.get(gatewayId));
    this.#retelling.delete(gatewayId);
    this.#present.delete(gatewayId);
  }

  /** It is there and did not answer: it may be dialling over a trunk that somebody has closed. */
  #retellLater(gatewayId: string): void {
    const { clock, work } = this.#parts;
    const pauseMs = this.#present.get(gatewayId);
    if (pauseMs === undefined || this.#isStopped || this.#retelling.has(gatewayId)) return;
    this.#present.set(gatewayId, Math.min(RETELL_MAX_MS, 2 * pauseMs));
    const retell = (): void => {
      this.#retelling.delete(gatewayId);
      work.run(() => this.#restore(gatewayId));
    };
    this.#retelling.set(gatewayId, clock.setTimeout(retell, pauseMs));
  }

  /** The commands leave before this returns for the first time: dials come behind them. */
  async #restore(gatewayId: string): Promise<void> {
    const { log } = this.#parts;
    this.#restoring.add(gatewayId);
    const known = this.closures;
    // The last word is the operator's: what the trunk itself would end, or try, stays closed by it.
    const told = [gatewayId, ALL_GATEWAYS]
      .flatMap((place) => known.filter((one) => one.gatewayId === place))
      .map((one) => this.#tell(gatewayId, one));
    const asked = this.#send({ type: 'trunk.query', gatewayId, atMs: this.#parts.clock.now() });
    try {
      const areTold = await Promise.all(told);
      const reply = await asked;
      this.#restoring.delete(gatewayId);
      if (reply === undefined || areTold.includes(false)) this.#retellLater(gatewayId);
      else if (this.#present.has(gatewayId)) this.#present.set(gatewayId, RETELL_MIN_MS);
      if (reply?.accepted !== true) return;
      for (const report of reply.trunks ?? []) await this.#reconcile(gatewayId, report);
    } catch (error) {
      log.warn({ gatewayId, error }, 'a gateway was not told which trunks take no calls');
    } finally {
      this.#restoring.delete(gatewayId);
    }
  }

  /** False when it did not answer. */
  async #tell(gatewayId: string, closure: StoredClosure): Promise<boolean> {
    const { clock, log } = this.#parts;
    const { trunk, detail, cause, sinceMs, untilMs } = closure;
    const reply = await this.#send({
      ...{ type: 'trunk.suspend', gatewayId, atMs: clock.now(), trunk, detail },
      restored: { cause, sinceMs, untilMs },
    });
    if (reply === undefined) return false;
    if (reply.accepted) log.info({ gatewayId, trunk, cause }, 'a trunk stays closed');
    else if (reply.code === 'UNKNOWN_TRUNK' && closure.gatewayId === gatewayId) {
      this.#forget(closure);
    }
    return true;
  }

  /** What it says after it was told everything. */
  async #reconcile(gatewayId: string, { trunk, detail, closure }: TrunkReport): Promise<void> {
    if (closure === undefined) {
      this.#opened(trunk, gatewayId);
      return;
    }
    const { clock } = this.#parts;
    const word = this.#find(trunk, ALL_GATEWAYS);
    if (word?.resumedAtMs != null && closure.sinceMs <= word.resumedAtMs) {
      // It was away when somebody said so.
      const reply = await this.#send({ type: 'trunk.resume', gatewayId, atMs: clock.now(), trunk });
      if (reply === undefined) this.#retellLater(gatewayId);
      return;
    }
    if (closure.cause !== 'auth') this.#parts.onClosed(trunk);
    if (this.#find(trunk, gatewayId)?.cause === closure.cause) return;
    this.#closed({ gatewayId, trunk, detail, atMs: clock.now() }, closure);
  }

  #heard(event: EventOf<'trunk.state'>): void {
    if (this.#restoring.has(event.gatewayId)) return;
    if (event.closure !== undefined) this.#closed(event, event.closure);
    else if (event.state === 'up') this.#opened(event.trunk, event.gatewayId);
  }

  /** By itself; what an operator says is written by whoever heard it. */
  #closed(
    { gatewayId, trunk, detail, atMs }: Closed,
    { cause, sinceMs, untilMs }: TrunkClosure,
  ): void {
    if (cause === 'operator') return;
    const nowMs = this.#parts.clock.now();
    const ownTime = (theirsMs: number): number => nowMs + Math.round(theirsMs - atMs);
    const closure: StoredClosure = {
      ...{ trunk, gatewayId, cause, detail, resumedAtMs: null },
      ...{ sinceMs: ownTime(sinceMs), untilMs: untilMs === null ? null : ownTime(untilMs) },
    };
    this.#closures = [...this.#closures.filter((one) => !isSame(one, closure)), closure];
    this.#write((tx) => writeClosure(tx, closure));
  }

  /** It takes calls: credentials that were refused are accepted, or its time was over. */
  #opened(trunk: string, gatewayId: string): void {
    const own = this.#find(trunk, gatewayId);
    if (own !== undefined) this.#forget(own);
  }

  #find(trunk: string, gatewayId: string): StoredClosure | undefined {
    return this.#closures.find((one) => isSame(one, { trunk, gatewayId }));
  }

  #forget(closure: StoredClosure): void {
    this.#closures = this.#closures.filter((one) => !isSame(one, closure));
    this.#write((tx) => removeClosure(tx, closure));
  }

  /** Undefined when no answer came. */
  #send(command: Parameters<TelephonyPort['send']>[0]): Promise<CommandReply | undefined> {
    const { telephony, log } = this.#parts;
    return telephony.send(command).catch((error: unknown) => {
      log.warn({ command: command.type, error }, 'a gateway did not answer about its trunks');
      return undefined;
    });
  }

  /** One after the other, and for as long as it takes. */
  #write(work: (tx: Transaction<Database>) => Promise<void>): void {
    const before = this.#writing;
    const { database, log, clock, storeRetryMs } = this.#parts;
    const write = async (): Promise<void> => {
      await before;
      const stored = untilStored(() => database.db.transaction().execute(work), {
        ...{ clock, storeRetryMs, isGivenUp: () => this.#isStopped },
        onFailure: (error) => log.error({ error }, 'which trunks take calls is not written yet'),
      });
      await stored.catch(() => undefined); // told above
    };
    this.#writing = write();
    this.#parts.work.run(() => this.#writing);
  }
}

type Closed = Pick<EventOf<'trunk.state'>, 'gatewayId' | 'trunk' | 'detail' | 'atMs'>;
type Place = Pick<StoredClosure, 'trunk' | 'gatewayId'>;

function isSame(one: Place, other: Place): boolean {
  return one.trunk === other.trunk && one.gatewayId === other.gatewayId;
}
