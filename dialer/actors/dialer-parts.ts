/** What every part of one running dialer shares. */
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { NewsFeed } from '../dialer-news.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import type { Lease } from '../store/leases.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { WorkstreamRow } from '../store/schema/engagement-tables.ts';
import type { PlanAfterAnswer } from '../tasks/plan-after-answer.ts';
import type { RecordContext } from '../tasks/record-attempt-end.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { CallTimes } from './start-attempt.ts';

export interface DialerLimits {
  /** Least time between two attempts to one number, from any engagement. ms */
  readonly numberGapMinMs: number;
  /** Pause of a task whose last Result is Unknown: the person may have been rung. ms */
  readonly unknownGapMs: number;
  /** Pause before a number of which no INVITE left is tried again. ms */
  readonly untriedGapMs: number;
  /** Pause before a store that failed is asked again. ms */
  readonly storeRetryMs: number;
  /** Starts asked for in one transaction. */
  readonly claimSizeMax: number;
  /** Looks for tasks and engagements that changed unannounced this often. ms */
  readonly recheckMs: number;
}

export interface DialerParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly news: NewsFeed;
  readonly work: WorkInHand;
  readonly lease: Lease;
  /** Of several gateways the one that is to dial over the trunk now: the preferred one, if it can. */
  readonly gatewayFor: (trunk: string, preferred?: string) => string;
  /** `dialer:<id>`, for the event log. */
  readonly actor: string;
  readonly limits: DialerLimits;
  readonly times: CallTimes;
  readonly rulePacks: RulePacks;
  /** Share of attempts whose machine verdict is drawn for an audit. */
  readonly amdAuditShare: number;
  readonly planAfterAnswer: (workstream: WorkstreamRow) => PlanAfterAnswer;
  /** True from the moment a stop was asked for, or the lease was lost: nothing more starts. */
  readonly isStopping: () => boolean;
  readonly onLeaseLost: (error: unknown) => void;
  /** A task was made to wait: the promoter may have to wake earlier. */
  readonly onWaiting: () => void;
}

export function recordContextOf(parts: DialerParts): RecordContext {
  const { database, clock, actor, lease, limits, amdAuditShare } = parts;
  const { unknownGapMs, untriedGapMs } = limits;
  return {
    ...{ database, nowMs: clock.now(), fence: lease.epoch, actor },
    ...{ unknownGapMs, untriedGapMs, amdAuditShare },
  };
}
