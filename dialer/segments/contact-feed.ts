/**
 * Contacts that changed: their facets are made anew, and ongoing segments are asked about them, in one
 * transaction. A contact's change is seen within a poll of it, however it came.
 */
import type { Selectable, Transaction } from 'kysely';
import type { Writer } from '../engagements/create-engagement.ts';
import { insertMany } from '../store/insert-many.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { facetsOf } from './contact-facets.ts';
import { settleContacts, type Moved } from './evaluate-segments.ts';

/**
 * Changes are dated before they are committed, and by clocks that differ: what is this old is looked
 * at again. Versions tell what has been seen already. An import that holds its transaction for longer
 * is found by the next round of everything.
 */
export const LOOK_BACK_MS = 120_000;
const PAGE = 500;

export interface Fed extends Moved {
  readonly contacts: number;
  /** False: it was stopped before the end. */
  readonly isComplete: boolean;
}

/** All that changed since the last time, in pages of one transaction each. */
export async function feedContacts(
  writer: Writer,
  { stopped }: { readonly stopped: () => boolean } = { stopped: () => false },
): Promise<Fed> {
  const total = { contacts: 0, entered: 0, left: 0 };
  const sinceMs = (await fedUntil(writer)) - LOOK_BACK_MS;
  for (let after = { atMs: sinceMs, id: '' }; !stopped();) {
    const page = await changedContacts(writer, after);
    const last = page.at(-1);
    if (last === undefined) break;
    const moved = await feedPage(writer, page);
    total.contacts += page.length;
    total.entered += moved.entered;
    total.left += moved.left;
    after = { atMs: last.updated_at_ms, id: last.id };
    if (page.length < PAGE) break;
  }
  const isComplete = !stopped();
  if (isComplete) await rememberFed(writer);
  return { ...total, isComplete };
}

async function fedUntil({ database, businessUnitId }: Writer): Promise<number> {
  const row = await database.db
    .selectFrom('facet_feeds')
    .select('fed_until_ms')
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  return row?.fed_until_ms ?? 0;
}

async function rememberFed({ database, businessUnitId, nowMs }: Writer): Promise<void> {
  await database.db
    .insertInto('facet_feeds')
    .values({ business_unit_id: businessUnitId, fed_until_ms: nowMs })
    .onConflict((at) => at.column('business_unit_id').doUpdateSet({ fed_until_ms: nowMs }))
    .execute();
}

/** Whose facets are of another version than they are, or missing. */
function changedContacts(
  { database, businessUnitId }: Writer,
  after: { readonly atMs: number; readonly id: string },
): Promise<Selectable<ContactRow>[]> {
  return database.db
    .selectFrom('contacts as c')
    .leftJoin('contact_facets as f', 'f.contact_id', 'c.id')
    .selectAll('c')
    .where('c.business_unit_id', '=', businessUnitId)
    .where((eb) =>
      eb.or([
        eb('c.updated_at_ms', '>', after.atMs),
        eb.and([eb('c.updated_at_ms', '=', after.atMs), eb('c.id', '>', after.id)]),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb('f.contact_version', 'is', null),
        eb('f.contact_version', '<>', eb.ref('c.version')),
      ]),
    )
    .orderBy('c.updated_at_ms')
    .orderBy('c.id')
    .limit(PAGE)
    .execute();
}

function feedPage(writer: Writer, contacts: readonly Selectable<ContactRow>[]): Promise<Moved> {
  const { database, businessUnitId } = writer;
  return database.db.transaction().execute(async (tx) => {
    await writeFacets(tx, contacts);
    const ongoing = await tx
      .selectFrom('segments')
      .selectAll()
      .where('business_unit_id', '=', businessUnitId)
      .where('evaluation', '=', 'ongoing')
      .orderBy('id')
      .execute();
    const ids = contacts.map(({ id }) => id);
    const total = { entered: 0, left: 0 };
    for (const segment of ongoing) {
      const { entered, left } = await settleContacts(tx, writer, segment, ids);
      total.entered += entered;
      total.left += left;
    }
    return total;
  });
}

/** One that is older than what is there is not written: two may feed at once. */
async function writeFacets(
  tx: Transaction<Database>,
  contacts: readonly Selectable<ContactRow>[],
): Promise<void> {
  const rows = contacts
    .map((contact) => ({
      contact_id: contact.id,
      business_unit_id: contact.business_unit_id,
      contact_version: contact.version,
      facets: facetsOf(contact),
    }))
    .sort((a, b) => (a.contact_id < b.contact_id ? -1 : 1));
  await insertMany(tx, 'contact_facets', rows, {
    ending:
      'on conflict (contact_id) do update set contact_version = excluded.contact_version, ' +
      'facets = excluded.facets where contact_facets.contact_version < excluded.contact_version',
  });
}
