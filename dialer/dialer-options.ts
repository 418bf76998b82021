/** What a running dialer is made of: given by whoever starts it. */
import type { TelephonyPort } from '../machines/telephony.port.ts';
import type { DialerLimits } from './actors/dialer-parts.ts';
import type { LeaseOptions } from './actors/lease-keeper.ts';
import type { CallTimes } from './actors/start-attempt.ts';
import type { TrunkLimits } from './actors/trunk-budget.ts';
import type { DialerClock } from './clock.ts';
import type { DialerLog } from './dialer-log.ts';
import type { IdSource } from './ids/uuid7.ts';
import type { DeskTimes } from './representatives/make-desk.ts';
import type { RulePacks } from './rule-packs/rule-packs.ts';
import type { OpenDatabase } from './store/open-database.ts';
import type { WorkstreamRow } from './store/schema/engagement-tables.ts';
import type { PlanAfterAnswer } from './tasks/plan-after-answer.ts';

export interface DialerOptions {
  /** Names this dialer in the log and on its lease; the same after a restart. */
  readonly id: string;
  /** Open; it stays the caller's to close, after `stop`. */
  readonly database: OpenDatabase;
  readonly telephony: TelephonyPort;
  /**
   * The lease is held and what was left of representatives is known: events of the queue group may be
   * told from now on, and are before anything is made of the calls that were left.
   */
  readonly onOwned?: () => void;
  /** Dials where there is only one, and while no other is known. */
  readonly gatewayId: string;
  /**
   * Of several gateways: which one is to dial over a trunk now, the preferred one if it can. Undefined:
   * none can.
   */
  readonly gatewayFor?: (trunk: string, preferred?: string) => string | undefined;
  /** Those that are there now, to be told which trunks take no calls. Default: none. */
  readonly gatewayIds?: () => readonly string[];
  readonly trunks: readonly TrunkLimits[];
  readonly clock: DialerClock;
  readonly ids: IdSource;
  readonly log: DialerLog;
  readonly limits: DialerLimits;
  readonly times: CallTimes;
  readonly lease: Pick<LeaseOptions, 'leaseMs' | 'waitMs'>;
  /** Default: what an installation has that configures nothing. */
  readonly rulePacks?: RulePacks;
  /** Share of attempts whose machine verdict is drawn for an audit. Default: none. */
  readonly amdAuditShare?: number;
  /** How long pacing decisions are kept, ms. Default: two weeks. */
  readonly pacingLogMs?: number;
  /** Default: those of spec I.1. */
  readonly representatives?: DeskTimes;
  /** What calls of a workstream do once answered. Default: its prompts are played. */
  readonly planAfterAnswer?: (workstream: WorkstreamRow) => PlanAfterAnswer;
}
