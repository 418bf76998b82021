/** The numbers of splits by number: counted over all runs of a version, each given once. */
import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRunRow } from '../../store/schema/journey-tables.ts';

export interface NumberAsked {
  readonly row: JourneyRunRow;
  readonly stepId: string;
}

/** From 1, in the order asked. A test is shown the number that it would get, and takes none. */
export async function takeNumbers(
  tx: Transaction<Database>,
  asked: readonly NumberAsked[],
): Promise<readonly number[]> {
  const bySplit = new Map<string, NumberAsked[]>();
  for (const one of asked) {
    const key = `${one.row.journey_id}/${one.row.version}/${one.stepId}`;
    const known = bySplit.get(key);
    if (known === undefined) bySplit.set(key, [one]);
    else known.push(one);
  }
  const numbers = new Map<NumberAsked, number>();
  // In one order, so that workers wait for each other and not in a ring.
  for (const [, ofSplit] of [...bySplit].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const real = ofSplit.filter(({ row }) => row.is_test === 0).length;
    let next = (await takeMore(tx, ofSplit, real)) - real + 1;
    for (const one of ofSplit) {
      numbers.set(one, next);
      if (one.row.is_test === 0) next += 1;
    }
  }
  return asked.map((one) => numbers.get(one) ?? 1);
}

async function takeMore(
  tx: Transaction<Database>,
  [first]: readonly NumberAsked[],
  taken: number,
): Promise<number> {
  if (first === undefined) return 0;
  const { journey_id, version, business_unit_id } = first.row;
  const counted = await tx
    .insertInto('journey_numbers')
    .values({ journey_id, version, step_id: first.stepId, business_unit_id, taken })
    .onConflict((at) =>
      at
        .columns(['journey_id', 'version', 'step_id'])
        .doUpdateSet({ taken: sql`journey_numbers.taken + excluded.taken` }),
    )
    .returning('taken')
    .executeTakeFirstOrThrow();
  return counted.taken;
}
