/** The directory of representatives over the store: what every gateway asks, wherever it runs. */
import type {
  AccountKey,
  DialInEntry,
  DialInVerdict,
  PhoneBinding,
  PhoneBindings,
  RepresentativeAccount,
  RepresentativeDirectory,
} from '../../machines/representative-directory.port.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { countTry, forgetLapsed, forgetTries } from './dial-in-locks.ts';
import { isPin } from './pin.ts';
import { OFFLINE } from './representative-rules.schema.ts';

export class StoreDirectory implements RepresentativeDirectory {
  readonly #database: Pick<OpenDatabase, 'db'>;
  readonly #nowMs: () => number;

  constructor(database: Pick<OpenDatabase, 'db'>, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  async accountOf(who: AccountKey): Promise<RepresentativeAccount | undefined> {
    const query = this.#database.db.selectFrom('representatives').selectAll();
    const row = await (
      'sipUser' in who
        ? query.where('sip_user', '=', who.sipUser)
        : query.where('id', '=', who.representativeId)
    ).executeTakeFirst();
    if (row === undefined || row.sip_user === null) return undefined;
    const ha1 = { MD5: row.ha1_md5, 'SHA-256': row.ha1_sha256 };
    return { representativeId: row.id, sipUser: row.sip_user, ha1 };
  }

  async bindingsOf(representativeId: string): Promise<PhoneBindings> {
    const row = await this.#database.db
      .selectFrom('phone_bindings')
      .select(['version', 'bindings'])
      .where('representative_id', '=', representativeId)
      .executeTakeFirst();
    if (row === undefined) return { version: 0, bindings: [] };
    return { version: row.version, bindings: JSON.parse(row.bindings) as PhoneBinding[] };
  }

  async replaceBindings(
    representativeId: string,
    version: number,
    bindings: readonly PhoneBinding[],
  ): Promise<boolean> {
    const { db } = this.#database;
    const changed = { bindings: JSON.stringify(bindings), updated_at_ms: this.#nowMs() };
    if (version === 0) {
      const made = await db
        .insertInto('phone_bindings')
        .values({ representative_id: representativeId, version: 1, ...changed })
        .onConflict((conflict) => conflict.column('representative_id').doNothing())
        .returning('version')
        .execute();
      return made.length > 0;
    }
    const replaced = await db
      .updateTable('phone_bindings')
      .set({ version: version + 1, ...changed })
      .where('representative_id', '=', representativeId)
      .where('version', '=', version)
      .returning('version')
      .execute();
    return replaced.length > 0;
  }

  async admitDialIn({ number, pin, source }: DialInEntry): Promise<DialInVerdict> {
    const { db } = this.#database;
    const nowMs = this.#nowMs();
    const row = await db
      .selectFrom('representatives')
      .select(['id', 'pin_hash', 'presence'])
      .where('dial_in_number', '=', number)
      .executeTakeFirst();
    const representativeId = row?.id ?? null;
    const refused = (reason: Extract<DialInVerdict, { admitted: false }>['reason']) =>
      ({ admitted: false, reason, representativeId }) as const;
    await forgetLapsed(db, nowMs);
    if (!(await countTry(db, { number, source }, nowMs))) return refused('locked');
    const isRight = await isPin(pin, row?.pin_hash ?? null);
    if (row === undefined) return refused('unknownNumber');
    if (!isRight) return refused('wrongPin');
    await forgetTries(db, { number, source });
    if (row.presence === OFFLINE) return refused('notSignedOn');
    if (await this.#isInLobby(row.id)) return refused('inLobby');
    return { admitted: true, representativeId: row.id };
  }

  async #isInLobby(representativeId: string): Promise<boolean> {
    const row = await this.#database.db
      .selectFrom('reservations')
      .select('work')
      .where('representative_id', '=', representativeId)
      .where('work', 'in', ['reserved', 'connected'])
      .executeTakeFirst();
    return row !== undefined;
  }
}
