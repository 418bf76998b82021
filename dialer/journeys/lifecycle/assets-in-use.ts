/**
 * Journeys know what they rely on by its name. So what a version that people are in names stays what it
 * is: an edit that takes it away is refused, and names everybody who relies on it. A version is not
 * published while such an edit is made, nor an edit made while one is published.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql, type Transaction } from 'kysely';
import { testsOf, type Condition } from '../../../journey-core/definition/condition.schema.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { DialerError, type ErrorUser } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { lockUnit } from '../../store/lock-unit.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { checkAgainst } from './check-journey.ts';
import { engagementsMeant, storedAssets, type StoredAssets } from './journey-assets.ts';
import { definitionIn, versionRow } from './journey-row.ts';

type Tx = Transaction<Database>;

/**
 * Does `edit`, which changes one asset in `tx`. Throws IN_USE when a version that people enter or are
 * inside could not be published as it is afterwards, though it could before, or would mean another
 * engagement; or when a segment asks for one that it would not find any more.
 */
export async function keepingWhatIsNamed<T>(
  tx: Tx,
  writer: Writer,
  edit: () => Promise<T>,
): Promise<T> {
  const { businessUnitId, database } = writer;
  await lockUnit(database, tx, businessUnitId);
  const before = await thingsNamed(tx, businessUnitId);
  const edited = await edit();
  const after = await thingsNamed(tx, businessUnitId);
  if (isDeepStrictEqual(before, after)) return edited;
  const usedBy = [
    ...(await journeysLosing(tx, businessUnitId, before, after)),
    ...(await segmentsLosing(tx, businessUnitId, before, after)),
  ];
  if (usedBy.length > 0) throw inUse(usedBy);
  return edited;
}

interface ThingsNamed {
  readonly assets: StoredAssets;
  /** Ids by name. */
  readonly engagements: ReadonlyMap<string, string>;
}

async function thingsNamed(tx: Tx, businessUnitId: string): Promise<ThingsNamed> {
  const stored = await storedAssets(tx, businessUnitId);
  const meant = await engagementsMeant(tx, businessUnitId);
  // An inactive profile is enforced like any other: journeys that have it go on.
  const complianceProfiles = stored.complianceProfiles.map((profile) => {
    return { ...profile, state: 'ready' as const };
  });
  return {
    assets: { ...stored, complianceProfiles },
    engagements: new Map([...meant].map(([name, { id }]) => [name, id])),
  };
}

/** Told of one refusal. */
const USERS_MAX = 100;
const PLACES_MAX = 20;

async function journeysLosing(
  tx: Tx,
  businessUnitId: string,
  before: ThingsNamed,
  after: ThingsNamed,
): Promise<ErrorUser[]> {
  const versions = await tx
    .selectFrom('journey_versions as v')
    .innerJoin('journeys as j', 'j.id', 'v.journey_id')
    .select(['j.id', 'j.name', 'v.number as version'])
    .where('v.business_unit_id', '=', businessUnitId)
    .where(IS_IN_USE)
    .orderBy('j.id')
    .orderBy('v.number')
    .execute();
  const users: ErrorUser[] = [];
  for (const { id, name, version } of versions) {
    // One at a time: together they could be hundreds of megabytes.
    const row = await versionRow(tx, { id }, version);
    const pointers = lostPlaces(row, before, after);
    if (pointers.length > 0) users.push({ kind: 'journey', id, name, version, pointers });
  }
  return users;
}

/** Of `journey_versions as v` and `journeys as j`. Those inside a test go by theirs as others do. */
const IS_IN_USE = sql<boolean>`(v.state in ('live', 'finishing')
  or (v.state = 'stopped' and j.state = 'stopping')
  or (v.state = 'test' and exists (select 1 from journey_runs as r where r.journey_id = v.journey_id
    and r.version = v.number and r.status = 'active')))`;

function lostPlaces(
  row: JourneyVersionRow,
  before: ThingsNamed,
  after: ThingsNamed,
): readonly string[] {
  const journey = definitionIn(row);
  const known = new Set(faultsIn(journey, before).map(faultKey));
  const fresh = faultsIn(journey, after).filter((one) => !known.has(faultKey(one)));
  const others = journey.steps.flatMap((step, index) => {
    if (step.type !== 'voice' && step.type !== 'sms') return [];
    const [old, now] = [before, after].map(({ engagements }) => engagements.get(step.engagement));
    return old === undefined || old === now ? [] : [`/steps/${index}/engagement`];
  });
  return [...new Set([...fresh.map(({ path }) => path), ...others])].slice(0, PLACES_MAX);
}

/** Without what else is switched on here, which no edit changes. */
function faultsIn(journey: Journey, { assets }: ThingsNamed) {
  const { faults } = checkAgainst(assets, journey, { hasConversations: true });
  return faults.filter(({ severity }) => severity !== 'warning');
}

function faultKey({ code, path }: { readonly code: string; readonly path: string }): string {
  return `${code} ${path}`;
}

async function segmentsLosing(
  tx: Tx,
  businessUnitId: string,
  before: ThingsNamed,
  after: ThingsNamed,
): Promise<ErrorUser[]> {
  const left = new Set(after.assets.segments.map(({ name }) => name));
  const lost = new Set(
    before.assets.segments.flatMap(({ name }) => (left.has(name) ? [] : [name])),
  );
  if (lost.size === 0) return [];
  const rows = await tx
    .selectFrom('segments')
    .select(['id', 'name', 'condition'])
    .where('business_unit_id', '=', businessUnitId)
    .where('condition', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.flatMap(({ id, name, condition }): ErrorUser[] => {
    const tests = testsOf(JSON.parse(condition ?? '{}') as Condition, '/condition');
    const pointers = tests.flatMap(({ test, path }) =>
      'segment' in test && lost.has(test.segment) ? [`${path}/segment`] : [],
    );
    return pointers.length === 0 ? [] : [{ kind: 'segment', id, name, pointers }];
  });
}

/** Named in words; all are listed beside them. */
const NAMED_MAX = 3;

function inUse(users: readonly ErrorUser[]): DialerError {
  const named = users.slice(0, NAMED_MAX).map(({ kind, name, version, pointers }) => {
    const number = version === undefined ? '' : `, version ${version}`;
    return `${kind} '${name}'${number}, at ${pointers.join(' and ')}`;
  });
  const more = users.length - named.length;
  const rest = more === 0 ? '' : `; and ${more} more`;
  const remedy =
    'publish versions that do without it and let those inside finish, or stop them; or make another one';
  const detail = `relied on as it is by ${named.join('; ')}${rest}: ${remedy}`;
  return new DialerError('IN_USE', detail, { usedBy: users.slice(0, USERS_MAX) });
}
