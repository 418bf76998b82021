/** A version of a journey in numbers (spec G.12), each for itself: versions are compared, not mixed. */
import type { OpenDatabase } from '../../store/open-database.ts';
import { addedUp, readCounted, sumOf, type Counted } from './counted.ts';
import { versionOf, versionsOf, type Db, type JourneyVersion } from './journey-version.ts';
import { rateOf, stepAnalytics, type StepAnalytics } from './step-analytics.ts';

export interface GoalAnalytics {
  readonly trigger: string;
  readonly targetPercent: number;
  /** Runs that reached it. */
  readonly reached: number;
  /** Of those who entered; null: nobody has. */
  readonly percent: number | null;
  readonly isMet: boolean;
}

export interface ConversationTotals {
  readonly requested: number;
  readonly attempted: number;
  readonly notAttempted: number;
  readonly blocked: number;
  readonly blockedBy: Readonly<Record<string, number>>;
  /** attempted ÷ requested (JRN-65); null: nothing was requested. */
  readonly attemptedRate: number | null;
}

export interface VersionSummary {
  readonly version: number;
  readonly state: string;
  readonly publishedAtMs: number;
  readonly endedAtMs: number | null;
  /** Runs: a person who comes twice counts twice. */
  readonly entered: number;
  readonly inside: number;
  readonly exited: Readonly<Record<string, number>>;
  /** Null: the version has no goal. */
  readonly goal: GoalAnalytics | null;
  /** Calls and conversations by text message; messages are told by their steps. */
  readonly conversations: ConversationTotals;
  /** Of all kinds, waiting for the end of quiet time now. */
  readonly heldNow: number;
}

export interface VersionAnalytics extends VersionSummary {
  readonly steps: readonly StepAnalytics[];
}

type Reads = Pick<OpenDatabase, 'db'>;

export interface AnalyticsAsked {
  readonly businessUnitId: string;
  readonly journeyId: string;
  /** Default: the latest that was published. */
  readonly version?: number | undefined;
}

/** Throws NOT_FOUND. Its cost grows with the steps, not with the people. */
export async function readAnalytics(
  reads: Reads,
  asked: AnalyticsAsked,
): Promise<VersionAnalytics> {
  const { db } = reads;
  const version = await versionOf(db, asked.businessUnitId, asked.journeyId, asked.version);
  const [analytics] = await analyse(db, [version]);
  if (analytics === undefined) throw new Error('a version that was read has analytics');
  return analytics;
}

/** The latest version first. */
export async function compareVersions(
  { db }: Reads,
  asked: Pick<AnalyticsAsked, 'businessUnitId' | 'journeyId'>,
  page: { readonly limit: number; readonly before?: number | undefined },
): Promise<VersionAnalytics[]> {
  return analyse(db, await versionsOf(db, asked.businessUnitId, asked.journeyId, page));
}

async function analyse(db: Db, versions: readonly JourneyVersion[]): Promise<VersionAnalytics[]> {
  const [first] = versions;
  if (first === undefined) return [];
  const { journeyId } = first;
  const numbers = versions.map(({ number }) => number);
  const counted = await readCounted(db, journeyId, numbers);
  const heldNow = await readHeld(db, journeyId, numbers);
  const winners = await readWinners(db, journeyId, numbers);
  return versions.map((version) => {
    const { number, journey } = version;
    const source = {
      ...{ journey, counted: counted(number) },
      heldNow: (stepId: string) => heldNow.get(`${number}/${stepId}`) ?? 0,
      winnerOf: (stepId: string) => winners.get(`${number}/${stepId}`),
    };
    const steps = journey.steps.map((step) => stepAnalytics(source, step));
    return { ...summaryOf(version, counted(number), steps), steps };
  });
}

function summaryOf(
  { number: version, state, publishedAtMs, endedAtMs, journey }: JourneyVersion,
  counted: Counted,
  steps: readonly StepAnalytics[],
): VersionSummary {
  const entered = counted.of('', 'entry');
  return {
    ...{ version, state, publishedAtMs, endedAtMs, entered },
    inside: sumOf(steps.map(({ waiting }) => waiting)),
    exited: counted.overSteps('exit:'),
    goal: goalOf(journey.goal, counted.of('', 'goal'), entered),
    conversations: conversationsOf(steps),
    heldNow: sumOf(steps.map(({ sending }) => sending?.heldNow ?? 0)),
  };
}

function goalOf(
  goal: JourneyVersion['journey']['goal'],
  reached: number,
  entered: number,
): GoalAnalytics | null {
  if (goal === undefined) return null;
  const { trigger, targetPercent } = goal;
  const rate = rateOf(reached, entered);
  const percent = rate === null ? null : rate * 100;
  return { trigger, targetPercent, reached, percent, isMet: (percent ?? 0) >= targetPercent };
}

function conversationsOf(steps: readonly StepAnalytics[]): ConversationTotals {
  const sendings = steps.flatMap(({ type, sending }) =>
    sending === null || type === 'message' ? [] : [sending],
  );
  const outcomes = addedUp(sendings.map((sending) => sending.outcomes));
  const requested = sumOf(sendings.map((sending) => sending.requested));
  const attempted = outcomes['attempted'] ?? 0;
  return {
    ...{ requested, attempted, notAttempted: outcomes['notAttempted'] ?? 0 },
    blocked: outcomes['blocked'] ?? 0,
    blockedBy: addedUp(sendings.map(({ blockedBy }) => blockedBy)),
    attemptedRate: rateOf(attempted, requested),
  };
}

async function readHeld(
  db: Db,
  journeyId: string,
  versions: readonly number[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('journey_effects')
    .select((eb) => ['version', 'step_id', eb.fn.countAll<number>().as('count')])
    .where('journey_id', '=', journeyId)
    .where('version', 'in', [...versions])
    .where('state', '=', 'held')
    .where('is_test', '=', 0)
    .groupBy(['version', 'step_id'])
    .execute();
  return new Map(rows.map(({ version, step_id, count }) => [`${version}/${step_id}`, count]));
}

async function readWinners(
  db: Db,
  journeyId: string,
  versions: readonly number[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('journey_winners')
    .select(['version', 'step_id', 'variant'])
    .where('journey_id', '=', journeyId)
    .where('version', 'in', [...versions])
    .execute();
  return new Map(rows.map(({ version, step_id, variant }) => [`${version}/${step_id}`, variant]));
}
