/** Representatives as the desk knows them, read from their rows. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/schema/database.ts';
import type { RepresentativeProfile } from './match-representatives.ts';

/** All of them, or one. */
export async function readProfiles(
  db: Kysely<Database>,
  id?: string,
): Promise<readonly RepresentativeProfile[]> {
  const people = db.selectFrom('representatives').selectAll();
  const rows = await (id === undefined ? people : people.where('id', '=', id)).execute();
  const queues = await belongings(db, 'representative_queues', id);
  const skills = await belongings(db, 'representative_skills', id);
  return rows.map((row) => ({
    id: row.id,
    businessUnitId: row.business_unit_id,
    name: row.name,
    sipUri: row.sip_uri,
    sipUser: row.sip_user,
    canDialIn: row.dial_in_number !== null,
    queueIds: new Set((queues.get(row.id) ?? []).map(({ queue_id }) => queue_id)),
    skills: new Map(
      (skills.get(row.id) ?? []).map(({ skill_id, proficiency }) => [skill_id, proficiency]),
    ),
    capacityUnits: row.capacity_units,
    presence: row.presence,
  }));
}

async function belongings<T extends 'representative_queues' | 'representative_skills'>(
  db: Kysely<Database>,
  table: T,
  id: string | undefined,
): Promise<ReadonlyMap<string, Database[T][]>> {
  const all = db.selectFrom(table as 'representative_queues').selectAll();
  const rows = await (id === undefined ? all : all.where('representative_id', '=', id)).execute();
  const byPerson = new Map<string, Database[T][]>();
  for (const row of rows as unknown as Database[T][]) {
    const known = byPerson.get(row.representative_id);
    if (known === undefined) byPerson.set(row.representative_id, [row]);
    else known.push(row);
  }
  return byPerson;
}
