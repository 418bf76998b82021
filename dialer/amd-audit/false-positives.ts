/**
 * The share of machine verdicts that were people, as far as the audited ones tell: counts, ratio and
 * exact interval, for auditors and for AI agents apart.
 */
import { sql, type RawBuilder } from 'kysely';
import type { OpenDatabase } from '../store/open-database.ts';
import { HEARD, type Heard } from './amd-sample.ts';
import { exactInterval } from './exact-interval.ts';

/** So far back an audit looks unless it is asked otherwise. */
export const AUDIT_WINDOW_MS = 30 * 86_400_000;

/** Who said who was there: auditors, or AI agents that were left with whoever answered. */
export const AUDIT_SOURCES = ['auditor', 'aiAgent'] as const;
export type AuditSource = (typeof AUDIT_SOURCES)[number];

/** Audits by what was heard; `pending`: of those it could say, nothing has been said. */
export type AuditCounts = Readonly<Record<Heard | 'pending', number>>;
export type AmdSample = Readonly<Record<AuditSource, AuditCounts>>;

export interface SampleOf {
  /** Ends of attempts from here on, epoch ms, */
  readonly fromMs: number;
  /** and before this. */
  readonly beforeMs: number;
  /** Default: all of the store. */
  readonly businessUnitId?: string | undefined;
  readonly engagementId?: string | undefined;
}

/** One pass over an index alone: an entry for each audit of the time. */
export async function readAmdSample(
  { db }: Pick<OpenDatabase, 'db'>,
  { fromMs, beforeMs, businessUnitId, engagementId }: SampleOf,
): Promise<AmdSample> {
  let query = db
    .selectFrom('amd_audits')
    .select([...countsOf('auditor', AUDITED), ...countsOf('aiAgent', BY_AGENT)])
    .where('ended_at_ms', '>=', fromMs)
    .where('ended_at_ms', '<', beforeMs);
  if (businessUnitId !== undefined) query = query.where('business_unit_id', '=', businessUnitId);
  if (engagementId !== undefined) query = query.where('engagement_id', '=', engagementId);
  const row = await query.executeTakeFirstOrThrow();
  const of = (source: AuditSource): AuditCounts => {
    const [human, machine, unclear, pending] = COUNTED.map((what) => row[`${source}_${what}`]);
    return {
      human: human ?? 0,
      machine: machine ?? 0,
      unclear: unclear ?? 0,
      pending: pending ?? 0,
    };
  };
  return { auditor: of('auditor'), aiAgent: of('aiAgent') };
}

const COUNTED = [...HEARD, 'pending'] as const;
const AUDITED = sql.raw("coalesce(heard, 'pending')");
/** No word of an agent that was not left to talk. */
const BY_AGENT = sql.raw("case when agent_listened = 1 then coalesce(agent_heard, 'pending') end");

function countsOf<S extends AuditSource>(source: S, said: RawBuilder<unknown>) {
  return COUNTED.map((what) => {
    const name: `${S}_${typeof what}` = `${source}_${what}`;
    const rows = sql<number>`count(case when ${said} = ${sql.lit(what)} then 1 end)`;
    return sql<number>`cast(${rows} as integer)`.as(name);
  });
}

export interface FalsePositives {
  /** human / (human + machine), a fraction. */
  readonly ratio: number;
  /** 95 %, Clopper and Pearson. */
  readonly low: number;
  readonly high: number;
  /** The upper bound if whoever is unclear had been a person: the most that they can hide. */
  readonly highIfUnclearHuman: number;
}

/** Undefined while nothing has been audited: no share is known then, not 0. */
export function falsePositivesOf({
  human,
  machine,
  unclear,
}: AuditCounts): FalsePositives | undefined {
  const audited = human + machine;
  if (audited === 0) return undefined;
  return {
    ratio: human / audited,
    ...exactInterval(human, audited),
    highIfUnclearHuman: exactInterval(human + unclear, audited + unclear).high,
  };
}
