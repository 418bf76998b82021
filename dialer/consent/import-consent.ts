/**
 * A file of consent into the store, while it comes in. Nothing is kept of the file: when the line
 * breaks, what was read is taken down, and sending the file again changes nothing twice.
 */
import type { Transaction } from 'kysely';
import { DAY_MS } from '../../journey-core/definition/duration.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { DestinationRules } from '../intake/destination.ts';
import type {
  ComplianceProfileRow,
  ConsentImportRow,
  PurposeRow,
  TopicRow,
} from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { rowOf } from '../store/versioned-row.ts';
import { purposesOfProfile } from './compliance-settings.ts';
import { consentRows, type BadConsentRow, type ConsentRow } from './consent-csv.ts';
import { FUTURE_MAX_MS, recordStatements, type ConsentStatement } from './record-statements.ts';
import { topicsOf } from './sending-assets.ts';

export interface ConsentImport {
  readonly sourceName: string;
  readonly profileId: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly rules: DestinationRules;
  /** Rows of one transaction. Default 400. */
  readonly rowsPerTransaction?: number;
}

const ROWS_PER_TRANSACTION = 400;
/** Of the faults, the first are shown by line; all are counted. */
const FAULTS_SHOWN = 100;
const SOURCE = 'import';

export interface ImportFault {
  readonly line: number;
  readonly reason: string;
}

/** The finished import. Throws CONTACTS_INVALID when the file is none; what was read before stays. */
export async function importConsent(
  writer: Writer,
  options: ConsentImport,
): Promise<ConsentImportRow> {
  const { db } = writer.database;
  const known = await namesOf(db, writer.businessUnitId, options.profileId);
  const run = new ImportRun(writer, options, known);
  await db.insertInto('consent_imports').values(run.row()).execute();
  try {
    for await (const row of consentRows(options.chunks, options.rules)) await run.take(row);
    await run.end();
  } catch (error) {
    await run.fail();
    throw error;
  }
  return run.row();
}

interface Names {
  readonly profile: ComplianceProfileRow;
  readonly purposes: readonly PurposeRow[];
  readonly topics: readonly TopicRow[];
}

async function namesOf(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  profileId: string,
): Promise<Names> {
  const profile = await rowOf(db, businessUnitId, 'compliance_profiles', profileId);
  const purposes = await purposesOfProfile(db, profileId);
  return { profile, purposes, topics: await topicsOf(db, purposes) };
}

class ImportRun {
  readonly #writer: Writer;
  readonly #options: ConsentImport;
  readonly #names: Names;
  readonly #id: string;
  readonly #counts = { read: 0, applied: 0, unchanged: 0, failed: 0 };
  readonly #faults: ImportFault[] = [];
  #status = 'inProgress';
  #pending: ConsentStatement[] = [];

  constructor(writer: Writer, options: ConsentImport, names: Names) {
    this.#writer = writer;
    this.#options = options;
    this.#names = names;
    this.#id = writer.ids.id();
  }

  row(): ConsentImportRow {
    const { businessUnitId, nowMs, actor } = this.#writer;
    const { read, applied, unchanged, failed } = this.#counts;
    return {
      id: this.#id,
      business_unit_id: businessUnitId,
      source_name: this.#options.sourceName,
      status: this.#status,
      rows_read: read,
      rows_applied: applied,
      rows_unchanged: unchanged,
      rows_failed: failed,
      faults: JSON.stringify(this.#faults),
      created_at_ms: nowMs,
      created_by: actor,
      updated_at_ms: nowMs,
    };
  }

  async take(row: ConsentRow | BadConsentRow): Promise<void> {
    this.#counts.read += 1;
    const statement = row.kind === 'bad' ? row.reason : this.#statement(row);
    if (typeof statement === 'string') {
      this.#counts.failed += 1;
      if (this.#faults.length < FAULTS_SHOWN) {
        this.#faults.push({ line: row.line, reason: statement });
      }
      return;
    }
    this.#pending.push(statement);
    const { rowsPerTransaction = ROWS_PER_TRANSACTION } = this.#options;
    if (this.#pending.length >= rowsPerTransaction) await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    this.#status = this.#counts.failed === 0 ? 'completed' : 'completedWithErrors';
    await this.#note(this.#writer.database.db);
  }

  async fail(): Promise<void> {
    this.#status = 'failed';
    await this.#note(this.#writer.database.db);
  }

  async #flush(): Promise<void> {
    const statements = this.#pending;
    this.#pending = [];
    await this.#writer.database.db.transaction().execute(async (tx) => {
      const recorded = await recordStatements(tx, this.#writer, statements, this.#id);
      const applied = recorded.filter((one) => one.recorded === 'applied').length;
      this.#counts.applied += applied;
      this.#counts.unchanged += recorded.length - applied;
      await this.#note(tx);
    });
  }

  async #note(db: Pick<Transaction<Database>, 'updateTable'>): Promise<void> {
    const { status, rows_read, rows_applied, rows_unchanged, rows_failed, faults } = this.row();
    await db
      .updateTable('consent_imports')
      .set({ status, rows_read, rows_applied, rows_unchanged, rows_failed, faults })
      .where('id', '=', this.#id)
      .execute();
  }

  /** The statement, or what is wrong with the row. */
  #statement(row: ConsentRow): ConsentStatement | string {
    const { nowMs } = this.#writer;
    const { profile, purposes, topics } = this.#names;
    const name = row.purpose ?? purposes.find(({ type }) => type === 'commercial')?.name;
    const purpose = purposes.find((one) => one.name === name);
    if (purpose === undefined) return 'names a purpose that the profile does not have';
    const topic = topics.find((one) => one.purpose_id === purpose.id && one.name === row.topic);
    if (row.topic !== null && topic === undefined) {
      return 'names a topic that the purpose does not have';
    }
    const written = row.statedAtMs ?? nowMs;
    // A no of today that has only its day was said by now.
    const isToday = row.status === 'optedOut' && written < nowMs + DAY_MS;
    const statedAtMs = isToday ? Math.min(written, nowMs) : written;
    if (statedAtMs > nowMs + FUTURE_MAX_MS) return 'was said in the future';
    return {
      ...{ address: row.address, channel: row.channel, status: row.status, statedAtMs },
      ...{ purposeId: purpose.id, topicId: topic?.id ?? null, profileId: profile.id },
      ...{ source: row.source ?? SOURCE, reason: row.reason, contactId: null },
    };
  }
}
