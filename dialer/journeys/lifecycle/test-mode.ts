/**
 * Test mode (spec G.11): contacts that were named for it go through a draft before it is published, with
 * real calls. A test run goes by a snapshot of the draft: a version of its own with a number below zero,
 * which nobody enters and which no report counts.
 */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { newRun } from '../../../journey-core/interpreter/run.ts';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { appendEvents } from '../../store/event-log.ts';
import { insertMany } from '../../store/insert-many.ts';
import { lockUnit } from '../../store/lock-unit.ts';
import type { Database } from '../../store/schema/database.ts';
import type {
  JourneyRow,
  JourneyRunRow,
  JourneyTestContactRow,
} from '../../store/schema/journey-tables.ts';
import { tellRuns } from '../runs/tell-runs.ts';
import { checkDefinition, type CheckOptions } from './check-journey.ts';
import { definitionToShow } from './copy-journey.ts';
import { inWrongState, journeyToChange } from './journey-row.ts';
import { newVersion } from './publish-journey.ts';

type Tx = Transaction<Database>;

export const TEST_CONTACTS_MAX = 100;

/** Named twice it is named once. Throws NOT_FOUND without the contact, REQUEST_INVALID when it is one too many. */
export async function nameTestContact(
  tx: Tx,
  { businessUnitId, nowMs, actor }: Writer,
  contactId: string,
): Promise<JourneyTestContactRow> {
  await requireContact(tx, businessUnitId, contactId);
  const known = await testContact(tx, businessUnitId, contactId);
  if (known !== undefined) return known;
  const { count } = await tx
    .selectFrom('journey_test_contacts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirstOrThrow();
  if (count >= TEST_CONTACTS_MAX) {
    const detail = `there are ${TEST_CONTACTS_MAX} test contacts, as many as there may be`;
    throw new DialerError('REQUEST_INVALID', detail);
  }
  const row = {
    ...{ business_unit_id: businessUnitId, contact_id: contactId },
    ...{ created_at_ms: nowMs, created_by: actor },
  };
  await tx
    .insertInto('journey_test_contacts')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return row;
}

/** False: it was none. */
export async function removeTestContact(
  tx: Tx,
  { businessUnitId }: Pick<Writer, 'businessUnitId'>,
  contactId: string,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('journey_test_contacts')
    .where('business_unit_id', '=', businessUnitId)
    .where('contact_id', '=', contactId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export interface TestRunRequest {
  readonly journeyId: string;
  readonly contactId: string;
  /** What the entry trigger is to have carried. */
  readonly attributes: Values;
}

/**
 * Lets a test contact in: at once, whatever the entry asks of others. Throws JOURNEY_NOT_READY when the
 * draft could not be published, JOURNEY_STATE when the contact is inside already.
 */
export async function startTestRun(
  tx: Tx,
  writer: Writer,
  { journeyId, contactId, attributes }: TestRunRequest,
  options: CheckOptions,
): Promise<JourneyRunRow> {
  const { businessUnitId, nowMs, actor, ids } = writer;
  const row = await journeyToChange(tx, writer, journeyId);
  if (row.state === 'stopping' || row.state === 'stopped') {
    throw inWrongState(row, 'make a copy to try it');
  }
  await requireContact(tx, businessUnitId, contactId);
  if ((await testContact(tx, businessUnitId, contactId)) === undefined) {
    const detail = 'is no test contact: name it as one first';
    const faults = [{ pointer: '/contactId', detail }];
    throw new DialerError('REQUEST_INVALID', `contact ${contactId} ${detail}`, { faults });
  }
  const inside = await tx
    .selectFrom('journey_runs')
    .select('id')
    .where('journey_id', '=', journeyId)
    .where('contact_id', '=', contactId)
    .where('status', '=', 'active')
    .executeTakeFirst();
  if (inside !== undefined) throw inWrongState(row, `the contact is inside, run ${inside.id}`);
  const version = await snapshot(tx, writer, row, options);
  const runId = ids.id();
  const run = newRun({ runId, journeyId, version, personId: contactId });
  const made: JourneyRunRow = {
    ...{ id: runId, business_unit_id: businessUnitId, journey_id: journeyId, version },
    ...{ contact_id: contactId, is_test: 1, status: 'active', step_id: null, waits_for: null },
    ...{ state: JSON.stringify(run), wake_at_ms: null, entered_at_ms: nowMs, goal_at_ms: null },
    ...{ exited_at_ms: null, exit_reason: null, fault: null, revision: 0 },
  };
  const [begun] = await insertMany<'journey_runs', { id: string }>(tx, 'journey_runs', [made], {
    ending: `on conflict (journey_id, contact_id) where status = 'active' do nothing returning id`,
  });
  if (begun === undefined) throw inWrongState(row, 'the contact has just entered it');
  const event = { type: 'enter', attributes } as const;
  await tellRuns(tx, writer, [{ runId, id: `enter:${runId}`, event }]);
  const payload = { runId, contactId, version };
  const streamId = `journey:${journeyId}`;
  const told = { streamId, type: 'journey.testStarted', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [told]);
  return made;
}

/** The number of the version that has this definition; one that was made before is used again. */
async function snapshot(
  tx: Tx,
  writer: Writer,
  row: JourneyRow,
  options: CheckOptions,
): Promise<number> {
  const definition = await definitionToShow(tx, row);
  await lockUnit(writer.database, tx, writer.businessUnitId);
  const { faults } = await checkDefinition(tx, writer.businessUnitId, definition, options);
  const inTheWay = faults.filter(({ severity }) => severity !== 'warning');
  if (inTheWay.length > 0) {
    const places = inTheWay.map(({ path, problem, remedy }) => {
      return { pointer: path, detail: `${problem}; ${remedy}` };
    });
    const detail = places.map((place) => `${place.pointer} ${place.detail}`).join('; ');
    throw new DialerError('JOURNEY_NOT_READY', detail, { faults: places });
  }
  const text = JSON.stringify(definition);
  const latest = await tx
    .selectFrom('journey_versions')
    .select(['number', 'definition'])
    .where('journey_id', '=', row.id)
    .where('number', '<', 0)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  if (latest?.definition === text) return latest.number;
  const number = (latest?.number ?? 0) - 1;
  const version = {
    ...newVersion(writer, row, definition as unknown as Journey, number),
    ...{ state: 'test', entry_due_at_ms: null, ended_at_ms: writer.nowMs },
  };
  await tx.insertInto('journey_versions').values(version).execute();
  return number;
}

function testContact(
  tx: Tx,
  businessUnitId: string,
  contactId: string,
): Promise<JourneyTestContactRow | undefined> {
  return tx
    .selectFrom('journey_test_contacts')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('contact_id', '=', contactId)
    .executeTakeFirst();
}

async function requireContact(tx: Tx, businessUnitId: string, contactId: string): Promise<void> {
  const contact = await tx
    .selectFrom('contacts')
    .select('id')
    .where('id', '=', contactId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (contact === undefined) throw new DialerError('NOT_FOUND', `there is no contact ${contactId}`);
}
