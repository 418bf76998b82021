/** What the goal has shown of variants: facts of the steps that choose between them (spec G.1). */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { StepOf } from '../../../journey-core/definition/step.schemas.ts';
import { stepGraph } from '../../../journey-core/validation/step-graph.ts';
import type { Database } from '../../store/schema/database.ts';
import { abWinner, type VariantTally } from './ab-winner.ts';

type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

export interface VariantsAsked {
  readonly businessUnitId: string;
  readonly journeyId: string;
  readonly version: number;
  /** Of that version. */
  readonly journey: Journey;
  /** `variantsOf` of what the interpreter asked; steps of other types are passed over. */
  readonly stepIds: readonly string[];
  readonly contactIds: readonly string[];
}

/** By step, as the facts of a person have it: those that are known. */
export type VariantsOfContact = (contactId: string) => Readonly<Record<string, string>>;

/**
 * The winners of A/B tests and, for choices of channel, the variant by which this person has reached
 * the goal best. A winner is written down with this transaction and stays: who came by it counts for
 * it afterwards, which would be no test any more.
 */
export async function variantsOf(
  tx: Tx,
  nowMs: number,
  asked: VariantsAsked,
): Promise<VariantsOfContact> {
  const winners: Record<string, string> = {};
  const channels: string[] = [];
  for (const stepId of asked.journey.goal === undefined ? [] : new Set(asked.stepIds)) {
    const step = stepGraph(asked.journey).stepOf.get(stepId);
    if (step?.type === 'bestChannel') channels.push(stepId);
    if (step?.type !== 'abTest') continue;
    const winner = await winnerOf(tx, nowMs, asked, step);
    if (winner !== undefined) winners[stepId] = winner;
  }
  const best = await bestOfContacts(tx, asked, channels);
  return (contactId) => ({ ...winners, ...best.get(contactId) });
}

async function winnerOf(
  tx: Tx,
  nowMs: number,
  { journeyId: journey_id, version, businessUnitId: business_unit_id }: VariantsAsked,
  step: StepOf<'abTest'>,
): Promise<string | undefined> {
  const known = await tx
    .selectFrom('journey_winners')
    .select('variant')
    .where('journey_id', '=', journey_id)
    .where('version', '=', version)
    .where('step_id', '=', step.id)
    .executeTakeFirst();
  if (known !== undefined) return known.variant;
  const winner = abWinner(await talliesOf(tx, journey_id, version, step));
  if (winner === undefined) return undefined;
  const row = { journey_id, version, step_id: step.id, business_unit_id };
  await tx
    .insertInto('journey_winners')
    .values({ ...row, variant: winner, decided_at_ms: nowMs })
    .onConflict((at) => at.columns(['journey_id', 'version', 'step_id']).doNothing())
    .execute();
  return winner;
}

/** In the order of the step's variants. */
export async function talliesOf(
  db: Db,
  journeyId: string,
  version: number,
  { id, variants }: StepOf<'abTest'> | StepOf<'bestChannel'>,
): Promise<VariantTally[]> {
  const rows = await db
    .selectFrom('journey_counts')
    .select(['place', 'count'])
    .where('journey_id', '=', journeyId)
    .where('version', '=', version)
    .where('step_id', '=', id)
    .execute();
  const counts = new Map(rows.map(({ place, count }) => [place, count]));
  return variants.map(({ id: variant }) => ({
    variant,
    runs: counts.get(`variant:${variant}`) ?? 0,
    goals: counts.get(`goal:${variant}`) ?? 0,
  }));
}

interface Tried {
  runs: number;
  goals: number;
  lastGoalMs: number;
}

/**
 * From this person's earlier runs of the journey, in any version. Of the variants by which the goal
 * was reached the one with the highest rate; of equals the one that reached it last.
 */
async function bestOfContacts(
  db: Db,
  { businessUnitId, journeyId, journey, contactIds }: VariantsAsked,
  stepIds: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const best = new Map<string, Record<string, string>>();
  if (stepIds.length === 0 || contactIds.length === 0) return best;
  const choices = await db
    .selectFrom('journey_runs as run')
    .innerJoin('journey_path as path', 'path.run_id', 'run.id')
    .select(['path.contact_id', 'path.step_id', 'path.code', 'path.at_ms', 'run.goal_at_ms'])
    .where('run.business_unit_id', '=', businessUnitId)
    .where('run.contact_id', 'in', [...contactIds])
    .where('run.journey_id', '=', journeyId)
    .where('path.kind', '=', 'choice')
    .where('path.step_id', 'in', [...stepIds])
    .where('path.visit', '=', 1)
    .where('path.is_test', '=', 0)
    .execute();
  const tried = new Map<string, Map<string, Tried>>();
  for (const { contact_id, step_id, code, at_ms, goal_at_ms } of choices) {
    const key = JSON.stringify([contact_id, step_id]);
    const variants = tried.get(key) ?? new Map<string, Tried>();
    tried.set(key, variants);
    const one = variants.get(code ?? '') ?? { runs: 0, goals: 0, lastGoalMs: 0 };
    variants.set(code ?? '', one);
    one.runs += 1;
    if (goal_at_ms === null || goal_at_ms < at_ms) continue;
    one.goals += 1;
    one.lastGoalMs = Math.max(one.lastGoalMs, goal_at_ms);
  }
  for (const [key, variants] of tried) {
    const [contactId = '', stepId = ''] = JSON.parse(key) as string[];
    const variant = bestOf(variants, variantIds(journey, stepId));
    if (variant === undefined) continue;
    const own = best.get(contactId) ?? {};
    best.set(contactId, own);
    own[stepId] = variant;
  }
  return best;
}

function bestOf(
  variants: ReadonlyMap<string, Tried>,
  offered: readonly string[],
): string | undefined {
  const [best] = [...variants]
    .filter(([variant, { goals }]) => goals > 0 && offered.includes(variant))
    .toSorted(([, one], [, other]) => {
      const byRate = other.goals / other.runs - one.goals / one.runs;
      return byRate === 0 ? other.lastGoalMs - one.lastGoalMs : byRate;
    });
  return best?.[0];
}

function variantIds(journey: Journey, stepId: string): readonly string[] {
  const step = stepGraph(journey).stepOf.get(stepId);
  return step?.type === 'bestChannel' ? step.variants.map(({ id }) => id) : [];
}
