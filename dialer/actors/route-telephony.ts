/** What the gateway tells, to everybody in the dialer whom it concerns, in the order that they need. */
import {
  isAttemptEvent,
  type EventOf,
  type TelephonyEvent,
} from '../../machines/telephony-events.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { OptOutKeeper } from '../opt-outs/opt-out-keeper.ts';
import { referredNumber } from '../representatives/referred-number.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { ClosureKeeper } from '../trunks/closure-keeper.ts';
import type { AttemptJournal } from './attempt-journal.ts';
import type { ChainRegistry } from './chain-registry.ts';
import type { EngagementRuntimes } from './engagement-runtimes.ts';
import type { Escalations } from './escalations.ts';
import type { TrunkBudgets } from './trunk-budget.ts';

export interface TelephonyListeners {
  readonly closures: ClosureKeeper;
  readonly journal: AttemptJournal;
  readonly optOuts: OptOutKeeper;
  readonly desk: RepresentativeDesk;
  readonly runtimes: EngagementRuntimes;
  readonly escalations: Escalations;
  readonly registry: ChainRegistry;
  readonly budgets: TrunkBudgets;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  /** A trunk that one gateway gives no calls may be open at another one. */
  readonly worksElsewhere: (trunk: string) => boolean;
  readonly log: DialerLog;
}

export function routeTelephony(event: TelephonyEvent, to: TelephonyListeners): void {
  // Before anything is dialled through a gateway that has come.
  to.closures.onTelephony(event);
  if (isAttemptEvent(event)) to.journal.note(event);
  to.optOuts.onTelephony(event);
  // Before the pacers: a call that has ended leaves its representative free for the next.
  to.desk.onTelephony(event);
  if (isAttemptEvent(event)) {
    to.runtimes.onAttempt(event);
    to.escalations.onAttempt(event);
  } else if (event.type === 'lobby.left') to.runtimes.onLobbyLeft(event.lobbyId);
  else if (event.type === 'lobby.referred') referred(event, to);
  else if (event.type === 'trunk.state') trunkState(event, to);
  else if (event.type === 'gateway.present') gatewayPresent(event, to);
  else if (event.type === 'gateway.lost') gatewayLost(event, to);
}

/** The transfer key of a representative's phone: their customer goes on to a number, or nowhere. */
function referred(
  { attemptId, referTo }: EventOf<'lobby.referred'>,
  { log, ids, registry }: TelephonyListeners,
): void {
  const destination = referredNumber(referTo);
  if (attemptId === null || destination === undefined) {
    log.info({ attemptId }, 'a phone asked for a transfer that is not to a number');
    return;
  }
  const transferId = ids.id();
  registry.tellAttempt(attemptId, { type: 'dialer.transfer', transferId, destination });
}

/** What was refused for want of a gateway is tried again at once. */
function gatewayPresent(
  { trunks }: EventOf<'gateway.present'>,
  { budgets }: TelephonyListeners,
): void {
  for (const trunk of trunks) budgets.of(trunk).works();
}

/** Legs that it had are gone; calls that it had are asked about, each by its own machine. */
function gatewayLost(
  { gatewayId }: EventOf<'gateway.lost'>,
  { desk, runtimes }: TelephonyListeners,
): void {
  for (const lobbyId of desk.gatewayLost(gatewayId)) runtimes.onLobbyLeft(lobbyId);
}

function trunkState(
  { trunk, state }: EventOf<'trunk.state'>,
  { budgets, clock, worksElsewhere }: TelephonyListeners,
): void {
  const budget = budgets.of(trunk);
  if (state === 'suspended') {
    if (!worksElsewhere(trunk)) budget.close();
    return;
  }
  budget.open();
  // A trunk that refuses our credentials lets one call try from time to time: so is it claimed for.
  const isRefusing = state === 'down' || state === 'authFailed';
  if (isRefusing) budget.refused(clock.now());
  if (state === 'up') budget.works();
}
