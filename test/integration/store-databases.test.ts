/** Goal: both databases keep what the store promises: tables, values, durable commits, order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { sql, type Transaction } from 'kysely';
import Libsql from 'libsql';
import t, { type Test } from 'tap';
import { appendEvents } from '../../dialer/store/event-log.ts';
import { BEFORE_FIRST_EVENT, readEvents } from '../../dialer/store/event-reader.ts';
import { joinDatabase } from '../../dialer/store/join-database.ts';
import { acquireLease, releaseLease, renewLease } from '../../dialer/store/leases.ts';
import type { Migration } from '../../dialer/store/migration.ts';
import { MIGRATIONS } from '../../dialer/store/migrations.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { Database } from '../../dialer/store/schema/database.ts';
import { GroupCommit } from '../../dialer/store/sqlite/group-commit.ts';
import { runTogether } from '../../dialer/store/run-together.ts';
import { schemaInterfaces, type ColumnShape } from '../support/schema-interfaces.ts';
import {
  openStore,
  storeTargets,
  TEST_NOW_MS as NOW,
  type StoreAddress,
} from '../support/store-target.ts';
import { ownScript } from '../support/own-script.ts';

const unit = (id: string, more: { name?: string; created_at_ms?: number } = {}) => ({
  id,
  name: id,
  created_at_ms: 1,
  ...more,
});

async function unitIds({ db }: Pick<OpenDatabase, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('business_units').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** A promise and what settles it, to hold a transaction open at a chosen point. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

const extra: Migration = {
  id: '9999-extra',
  statements: () => ['create table extra (id text not null primary key)'],
};

const deferredKey: Migration = {
  id: '9999-deferred-key',
  statements: () => [
    'create table parent (id text not null primary key)',
    'create table child (id text not null primary key, parent text not null references parent (id) deferrable initially deferred)',
  ],
};

/** Made by test/support/write-store-fixture.ts, and never again once it is released. */
const FIRST_RELEASE = fileURLToPath(new URL('../fixtures/store-0001.sqlite.gz', import.meta.url));

const targets = await storeTargets(t);
const [sqlite, postgres] = targets;

for (const target of targets) {
  const { name } = target;

  t.test(
    `${name}: statements sent together fail as the first that fails, and leave nothing`,
    async (t) => {
      const database = await target.place(t).open();
      const row = (id: string) => database.db.insertInto('business_units').values(unit(id));
      const broken = database.db
        .transaction()
        .execute((tx) => runTogether(tx, ['a', 'b', 'a', 'c'].map(row)));
      await t.rejects(broken, /unique/i);
      t.same(await unitIds(database), []);
      const [none, both] = await database.db
        .transaction()
        .execute((tx) =>
          runTogether(tx, [row('d'), tx.selectFrom('business_units').select('id'), row('e')]),
        );
      t.same([none, both], [[], [{ id: 'd' }]], 'in their order, each with its own rows');
      t.same(await unitIds(database), ['d', 'e']);
    },
  );

  t.test(`${name}: migrations run once, and are recorded with their checksums`, async (t) => {
    const place = target.place(t);
    const first = await place.open();
    const recorded = await first.db.selectFrom('schema_migrations').selectAll().execute();
    t.same(
      recorded.map(({ id }) => id),
      MIGRATIONS.map(({ id }) => id),
    );
    t.ok(recorded.every((row) => /^[0-9a-f]{64}$/.test(row.checksum)));
    t.ok(recorded.every((row) => row.applied_at_ms === NOW));
    const again = await place.open({ nowMs: () => NOW + 1 });
    t.same(await again.db.selectFrom('schema_migrations').selectAll().execute(), recorded);
  });

  t.test(`${name}: an edited migration is refused, and so is a newer schema`, async (t) => {
    const place = target.place(t);
    const withExtra = [...MIGRATIONS, extra];
    await (await place.open({ migrations: withExtra })).close();
    const edited = { ...extra, statements: () => ['create table extra (id text)'] };
    await t.rejects(place.open({ migrations: [...MIGRATIONS, edited] }), {
      code: 'STORE_SCHEMA_MISMATCH',
      message: /9999-extra is not the one/,
    });
    await t.rejects(place.open(), { code: 'STORE_SCHEMA_MISMATCH', message: /newer release/ });
    await place.open({ migrations: withExtra });
  });

  t.test(`${name}: a migration that fails leaves nothing behind`, async (t) => {
    const place = target.place(t);
    const broken = {
      ...extra,
      statements: () => ['create table half (id text)', 'create nonsense'],
    };
    await t.rejects(place.open({ migrations: [...MIGRATIONS, broken] }));
    const database = await place.open();
    t.notOk('half' in (await tableShapes(database)));
  });

  t.test(`${name}: five starters at once migrate an empty database once`, async (t) => {
    const place = target.place(t);
    const opened = await Promise.all(Array.from({ length: 5 }, () => place.open()));
    const [database] = opened;
    const rows = await database?.db.selectFrom('schema_migrations').select('id').execute();
    t.same(rows?.length, MIGRATIONS.length);
  });

  t.test(`${name}: every table has the columns of its interface, and no others`, async (t) => {
    const database = await target.place(t).open();
    t.same(await tableShapes(database), schemaInterfaces());
  });

  t.test(`${name}: values come back as they went in, or are refused before they go`, async (t) => {
    const { db } = await target.place(t).open();
    await db
      .insertInto('business_units')
      .values(unit('größte \u{1f4de} \'";--', { created_at_ms: Number.MAX_SAFE_INTEGER }))
      .execute();
    await db
      .insertInto('business_units')
      .values(unit('b', { created_at_ms: -1 }))
      .execute();
    t.match(await db.selectFrom('business_units').selectAll().orderBy('created_at_ms').execute(), [
      { id: 'b', created_at_ms: -1 },
      { id: 'größte \u{1f4de} \'";--', created_at_ms: Number.MAX_SAFE_INTEGER },
    ]);
    const reals = [Number.MAX_VALUE, -Number.MAX_VALUE, 0.1, -0.5, 1e-300, -1_772_463_600_000_123];
    for (const real of reals) {
      const echo = sql<{ real: number }>`select cast(${real} as double precision) as real`;
      t.equal((await echo.execute(db)).rows[0]?.real, real, `${real} is kept`);
    }
    const refused: unknown[] = [
      true,
      1n,
      Number.NaN,
      Infinity,
      2 ** 53 + 2,
      undefined,
      new Date(0),
    ];
    for (const value of refused) {
      await t.rejects(sql`select ${value}`.execute(db), { code: 'ERR_ASSERTION' });
      const inTransaction = db.transaction().execute((tx) => sql`select ${value}`.execute(tx));
      await t.rejects(inTransaction, { code: 'ERR_ASSERTION' });
    }
    t.equal((await unitIds({ db })).length, 2, 'and the database goes on');
  });

  t.test(`${name}: a session that fails takes no other with it`, async (t) => {
    const database = await target.place(t).open();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        database.db.transaction().execute(async (tx) => {
          await tx
            .insertInto('business_units')
            .values(unit(`unit-${index}`))
            .execute();
          if (index % 4 === 1) throw new Error('changed its mind');
          if (index % 4 === 2) {
            await tx
              .insertInto('business_units')
              .values(unit(`unit-${index}`))
              .execute();
          }
        }),
      ),
    );
    const kept = outcomes.flatMap(({ status }, index) =>
      status === 'fulfilled' ? [`unit-${index}`] : [],
    );
    t.equal(kept.length, 20);
    t.same(await unitIds(database), kept.sort());
  });

  t.test(`${name}: nobody sees a transaction before it is committed`, async (t) => {
    const database = await target.place(t).open();
    const [written, committing] = [gate(), gate()];
    const done = database.db.transaction().execute(async (tx) => {
      await tx.insertInto('business_units').values(unit('late')).execute();
      t.same(await unitIds({ db: tx }), ['late'], 'but it sees itself');
      written.open();
      await committing.passed;
    });
    await written.passed;
    t.same(await unitIds(database), []);
    committing.open();
    await done;
    t.same(await unitIds(database), ['late']);
  });

  t.test(`${name}: tells how long commits take, and how many shared one`, async (t) => {
    const database = await target.place(t).open();
    const { db } = database;
    const commits: { sessions: number; tookMs: number }[] = [];
    database.onCommit((commit) => commits.push(commit));
    const write = (id: number) =>
      db.transaction().execute(async (tx) => {
        const row = { id: `unit-${id}`, name: 'Unit', created_at_ms: NOW };
        await tx.insertInto('business_units').values(row).execute();
      });
    const writing = Promise.all([write(1), write(2), write(3)]);
    t.ok(database.waiting() >= 0);
    await writing;
    t.equal(database.waiting(), 0, 'everything was answered');
    t.equal(
      commits.reduce((sum, { sessions }) => sum + sessions, 0),
      3,
      'each transaction was in one commit',
    );
    t.ok(commits.every(({ tookMs }) => tookMs > 0 && tookMs < 10_000));
    const failing = db.transaction().execute(async (tx) => {
      await tx.deleteFrom('business_units').execute();
      throw new Error('undone');
    });
    await t.rejects(failing, /undone/);
    t.equal(
      commits.reduce((sum, { sessions }) => sum + sessions, 0),
      3,
      'a rollback is no commit',
    );
  });

  t.test(`${name}: kill -9 loses no commit that was acknowledged`, async (t) => {
    const place = target.place(t);
    await (await place.open()).close();
    const acknowledged = await killedAfter(JSON.stringify(place.address), 300);
    const survived = new Set(await unitIds(await place.open()));
    t.ok(acknowledged.length >= 300);
    t.same(
      acknowledged.filter((id) => !survived.has(id)),
      [],
    );
    const halves = await (
      await place.open()
    ).db
      .selectFrom('business_units')
      .select('id')
      .where('name', '!=', 'done')
      .execute();
    t.same(halves, [], 'and keeps no half of a transaction');
  });

  t.test(`${name}: closing waits for whoever writes, and leaves nobody waiting`, async (t) => {
    const place = target.place(t);
    const database = await place.open();
    const writes = Array.from({ length: 20 }, (_, index) =>
      database.db.transaction().execute(async (tx) => {
        await tx
          .insertInto('business_units')
          .values(unit(`unit-${index}`))
          .execute();
      }),
    );
    await Promise.race(writes);
    const [outcomes] = await Promise.all([
      Promise.allSettled(writes),
      database.close(),
      database.close(),
    ]);
    const committed = outcomes.filter(({ status }) => status === 'fulfilled').length;
    await t.rejects(
      database.db.transaction().execute((tx) => sql`select 1`.execute(tx)),
      'a closed database hangs nobody',
    );
    t.equal((await unitIds(await place.open())).length, committed);
  });

  t.test(
    `${name}: a thread that joins writes beside the others, in transactions of its own`,
    async (t) => {
      const database = await target.place(t).open();
      const joined = joinDatabase(database.share());
      const write = (from: OpenDatabase, id: string) =>
        from.db.transaction().execute(async (tx) => {
          await tx.insertInto('business_units').values(unit(id)).execute();
          await tx
            .updateTable('business_units')
            .set({ name: 'done' })
            .where('id', '=', id)
            .execute();
        });
      const both = Array.from({ length: 20 }, (_, index) =>
        write(index % 2 === 0 ? database : joined, `unit-${index}`),
      );
      await Promise.all(both);
      t.equal((await unitIds(joined)).length, 20);
      await joined.close();
      await t.rejects(write(joined, 'late'));
      await write(database, 'last');
      t.equal((await unitIds(database)).length, 21);
    },
  );

  t.test(`${name}: a lease has one owner, and each grant raises its epoch`, async (t) => {
    const { db } = await target.place(t).open();
    const ask = (owner: string, nowMs: number) =>
      acquireLease(db, { name: 'group', owner, nowMs, leaseMs: 1_000 });
    const first = await ask('a', NOW);
    t.match(first, { owner: 'a', epoch: 1, expiresAtMs: NOW + 1_000 });
    t.equal(await ask('b', NOW + 999), undefined, 'held until the last millisecond');
    const second = await ask('b', NOW + 1_000);
    t.match(second, { owner: 'b', epoch: 2 });
    t.equal(first && (await renewLease(db, first, NOW + 1_001, 1_000)), false, 'fenced off');
    t.equal(second && (await renewLease(db, second, NOW + 1_500, 1_000)), true);
    t.equal(await ask('a', NOW + 2_499), undefined, 'a renewed lease lasts longer');
    t.match(await ask('b', NOW + 2_000), { epoch: 3 }, 'an owner that restarts gets a new epoch');
    if (second) await releaseLease(db, second);
    t.equal(await ask('a', NOW + 2_001), undefined, 'an epoch of the past releases nothing');
    const third = { name: 'group', owner: 'b', epoch: 3, expiresAtMs: 0 };
    await releaseLease(db, third);
    t.match(await ask('a', NOW + 2_001), { epoch: 4 }, 'one that was given back is free at once');
  });

  t.test(`${name}: of many who ask for a lapsed lease one gets it`, async (t) => {
    const { db } = await target.place(t).open();
    for (const [round, nowMs] of [NOW, NOW + 10_000, NOW + 20_000].entries()) {
      const asked = Array.from({ length: 16 }, (_, index) =>
        acquireLease(db, { name: 'group', owner: `owner-${index}`, nowMs, leaseMs: 1_000 }),
      );
      const granted = (await Promise.all(asked)).filter((lease) => lease !== undefined);
      t.same(
        granted.map(({ epoch }) => epoch),
        [round + 1],
      );
    }
  });

  t.test(`${name}: the events of a stream are numbered without gaps`, async (t) => {
    const { db } = await target.place(t).open();
    await db.insertInto('business_units').values(unit('bu')).execute();
    const append = (index: number) =>
      db.transaction().execute(async (tx) => {
        await holdRow(tx);
        const streamIds = [`task:${index % 3}`, 'engagement:1'];
        const events = streamIds.map((streamId) => ({
          streamId,
          type: 'test.done',
          actor: 'test',
        }));
        await appendEvents(tx, 'bu', NOW, events);
        if (index % 5 === 0) throw new Error('rolled back');
      });
    await Promise.allSettled(Array.from({ length: 30 }, (_, index) => append(index)));
    const numbers = await db
      .selectFrom('events')
      .select(['stream_id', 'stream_seq'])
      .orderBy('stream_id')
      .orderBy('stream_seq')
      .execute();
    const of = (stream: string) =>
      numbers.filter((row) => row.stream_id === stream).map((row) => row.stream_seq);
    t.same(
      of('engagement:1'),
      Array.from({ length: 24 }, (_, index) => index + 1),
    );
    for (const stream of ['task:0', 'task:1', 'task:2']) {
      t.same(
        of(stream),
        Array.from({ length: 8 }, (_, index) => index + 1),
      );
    }
    // More than fit one statement, onto a stream that has some, two streams in turn.
    const many = Array.from({ length: 4_500 }, (_, index) => ({
      ...{ streamId: index % 2 === 0 ? 'task:0' : 'task:new', type: 'test.done', actor: 'test' },
    }));
    await db.transaction().execute((tx) => appendEvents(tx, 'bu', NOW, many));
    const after = await db
      .selectFrom('events')
      .select(['stream_id', (eb) => eb.fn.max('stream_seq').as('last')])
      .where('stream_id', 'in', ['task:0', 'task:new'])
      .groupBy('stream_id')
      .orderBy('stream_id')
      .execute();
    t.same(
      after.map(({ last }) => last),
      [8 + 2_250, 2_250],
    );
  });

  t.test(`${name}: two writers who number one stream at once cannot both commit`, async (t) => {
    const { db } = await target.place(t).open();
    const event = { streamId: 'task:1', type: 'test.done', actor: 'test' };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        db.transaction().execute((tx) => appendEvents(tx, 'bu', NOW, [event])),
      ),
    );
    const committed = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const rows = await db.selectFrom('events').select('stream_seq').orderBy('seq').execute();
    t.same(
      rows.map((row) => row.stream_seq),
      Array.from({ length: committed }, (_, index) => index + 1),
    );
  });
}

t.test(
  'PostgreSQL: a reader of the log passes nothing that is still to be committed',
  async (t) => {
    const place = postgres.place(t);
    const { db } = await place.open();
    const reader = await place.open();
    const all: number[] = [];
    let cursor = BEFORE_FIRST_EVENT;
    const readOn = async (): Promise<string[]> => {
      const page = await readEvents(reader, { after: cursor, limit: 2 });
      cursor = page.cursor;
      all.push(...page.events.map(({ seq }) => seq));
      return page.events.map((event) => event.stream_id);
    };
    // What holds a reader back is the oldest transaction of the whole server, so another file's too.
    const readUntil = async (count: number): Promise<string[]> => {
      const read: string[] = [];
      for (let tries = 0; read.length < count && tries < 1_000; tries += 1) {
        read.push(...(await readOn()));
        if (read.length < count) await sql`select pg_sleep(0.02)`.execute(reader.db);
      }
      return read;
    };
    const append = (tx: Transaction<Database>, streamId: string) =>
      appendEvents(tx, 'bu', NOW, [{ streamId, type: 'test.done', actor: 'test' }]);

    // The first to start and to be numbered commits last.
    const slow = await db.startTransaction().execute();
    await append(slow, 'slow');
    await db.transaction().execute((tx) => append(tx, 'quick'));
    t.same(await readOn(), [], 'quick is committed, but slow may still come before it');
    await slow.commit().execute();
    t.same(await readUntil(2), ['slow', 'quick']);

    // The older transaction is numbered behind the younger one, and commits first.
    const older = await db.startTransaction().execute();
    await sql`select pg_current_xact_id()`.execute(older);
    const younger = await db.startTransaction().execute();
    await append(younger, 'younger');
    await append(older, 'older');
    await older.commit().execute();
    t.same(await readUntil(1), ['older'], 'settled: nothing older runs');
    await younger.commit().execute();
    t.same(await readUntil(1), ['younger'], 'its number is lower than one that was read before it');
    t.same(await readOn(), []);
    t.not(all[2] ?? 0, Math.min(all[2] ?? 0, all[3] ?? 0), 'the numbers did cross');
  },
);

t.test(
  'PostgreSQL: a connection that breaks in a transaction fails it, and it alone',
  async (t) => {
    const database = await postgres.place(t).open();
    const broken = database.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database.db);
      await tx.insertInto('business_units').values(unit('lost')).execute();
    });
    await t.rejects(broken);
    await database.db.insertInto('business_units').values(unit('kept')).execute();
    t.same(await unitIds(database), ['kept']);
  },
);

t.test('PostgreSQL: one that breaks between statements sent together fails them all', async (t) => {
  const database = await postgres.place(t).open();
  const broken = database.db
    .transaction()
    .execute((tx) =>
      runTogether(tx, [
        tx.insertInto('business_units').values(unit('before')),
        sql`select pg_terminate_backend(pg_backend_pid())`.compile(tx),
        tx.insertInto('business_units').values(unit('behind')),
        tx.insertInto('business_units').values(unit('last')),
      ]),
    );
  await t.rejects(broken);
  await database.db.insertInto('business_units').values(unit('kept')).execute();
  t.same(await unitIds(database), ['kept']);
});

t.test('PostgreSQL: a server that would lose commits is refused', async (t) => {
  const place = postgres.place(t);
  const address = place.address as Extract<StoreAddress, { kind: 'postgres' }>;
  const url = `${address.url}?options=${encodeURIComponent('-c synchronous_commit=off')}`;
  await t.rejects(openStore({ ...address, url }), {
    code: 'STORE_UNAVAILABLE',
    message: /power cut loses commits/,
  });
  const named = `${address.url}?options=${encodeURIComponent('-c search_path=nowhere')}`;
  const inItsSchema = await openStore({ ...address, url: named });
  t.same(await unitIds(inItsSchema), [], 'options of the URL do not displace those of the store');
  await inItsSchema.close();
  const nowhere = new URL(address.url);
  nowhere.password = 'wrong';
  await t.rejects(openStore({ ...address, url: nowhere.href }), {
    code: 'STORE_UNAVAILABLE',
    message: new RegExp(`PostgreSQL at ${nowhere.host} cannot be used`),
  });
});

t.test('SQLite: a file that is no database is refused with its name', async (t) => {
  const place = sqlite.place(t);
  const { file } = place.address as Extract<StoreAddress, { kind: 'sqlite' }>;
  writeFileSync(file, 'this is no database, and long enough to be looked at as one'.repeat(20));
  await t.rejects(place.open(), { code: 'STORE_UNAVAILABLE', message: /store\.sqlite cannot be/ });
});

t.test('SQLite: the database of the first release opens with everything in it', async (t) => {
  const place = sqlite.place(t);
  const { file } = place.address as Extract<StoreAddress, { kind: 'sqlite' }>;
  writeFileSync(file, gunzipSync(readFileSync(FIRST_RELEASE)));
  const { db } = await place.open();
  const applied = await db.selectFrom('schema_migrations').select('id').orderBy('id').execute();
  t.same(
    applied.map(({ id }) => id),
    MIGRATIONS.map(({ id }) => id),
  );
  t.match(await db.selectFrom('tasks').selectAll().execute(), [{ id: 'task-1', state: 'ready' }]);
  t.match(await db.selectFrom('contact_points').selectAll().execute(), [{ value: '+12025550100' }]);
  t.match(await db.selectFrom('events').selectAll().execute(), [{ seq: 1, stream_id: 'task:1' }]);
});

interface Bench {
  readonly database: Libsql.Database;
  readonly commits: GroupCommit;
  readonly settled: string[];
  nowMs: number;
  session(id: string, waiting: number, statement?: string): void;
  rows(): unknown[];
}

/** Group commit on a file of its own, with a second connection that sees what is committed. */
function groupCommitBench(t: Test): Bench {
  const place = sqlite.place(t);
  const { file } = place.address as Extract<StoreAddress, { kind: 'sqlite' }>;
  const database = new Libsql(file);
  database.exec('pragma journal_mode = wal');
  database.exec('pragma foreign_keys = on');
  database.exec('create table parent (id text primary key)');
  database.exec(
    'create table child (id text primary key, parent text references parent deferrable initially deferred)',
  );
  const other = new Libsql(file);
  const settled: string[] = [];
  const nowMs = (): number => bench.nowMs;
  const commits = new GroupCommit({ database, gatherMs: 4, groupMax: 3, nowMs });
  const bench: Bench = {
    database,
    commits,
    settled,
    nowMs: 0,
    session: (id, waiting, statement = `insert into parent values ('${id}')`) => {
      commits.beginSession();
      commits.run(() => database.exec(statement));
      const settle = (error?: Error) => settled.push(error === undefined ? id : `${id} failed`);
      commits.endSession({ settle }, waiting);
    },
    rows: () => other.prepare('select id from parent order by id').pluck().all([]),
  };
  t.teardown(() => {
    other.close();
    database.close();
  });
  return bench;
}

t.test(
  'group commit: sessions share a commit while others wait, and settle in order',
  async (t) => {
    const bench = groupCommitBench(t);
    bench.session('a', 1);
    t.same([bench.settled, bench.rows()], [[], []], 'another waits: no commit yet');
    bench.session('b', 0);
    t.same(
      [bench.settled, bench.rows()],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
      'nobody waits: committed',
    );
    bench.session('c', 9);
    bench.nowMs = 4;
    bench.session('d', 9);
    t.same(bench.settled, ['a', 'b', 'c', 'd'], 'the oldest has waited long enough');
    bench.session('e', 9);
    bench.session('f', 9);
    t.same(bench.settled.length, 4);
    bench.session('g', 9);
    t.same(bench.settled.slice(4), ['e', 'f', 'g'], 'the group is full');
    bench.session('h', 9);
    bench.commits.beginSession();
    bench.database.exec("insert into parent values ('open')");
    bench.commits.finish();
    t.same(bench.rows(), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 'closing undoes what was open');
  },
);

t.test('group commit: one session undone leaves those before it, and the next', async (t) => {
  const bench = groupCommitBench(t);
  bench.session('a', 1);
  bench.commits.beginSession();
  bench.database.exec("insert into parent values ('undone')");
  bench.commits.abandonSession(1);
  bench.session('b', 0);
  t.same(
    [bench.settled, bench.rows()],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  );
});

t.test('group commit: a commit that fails is told to everybody in it', async (t) => {
  const bench = groupCommitBench(t);
  bench.session('a', 1);
  bench.session('b', 0, "insert into child values ('b', 'nobody')");
  t.same([bench.settled, bench.rows()], [['a failed', 'b failed'], []]);
  bench.session('c', 0);
  t.same(bench.rows(), ['c'], 'and the next one is committed');
});

t.test(
  'group commit: when SQLite gives up the transaction itself, nothing is kept by halves',
  async (t) => {
    const bench = groupCommitBench(t);
    bench.session('a', 0);
    bench.session('b', 1);
    bench.commits.beginSession();
    bench.commits.run(() => bench.database.exec("insert into parent values ('c')"));
    const giveUp = () =>
      bench.commits.run(() => bench.database.exec("insert or rollback into parent values ('a')"));
    t.throws(giveUp, /UNIQUE/);
    t.same(bench.settled, ['a', 'b failed'], 'those who waited are told at once');
    const stray = () =>
      bench.commits.run(() => bench.database.exec("insert into parent values ('d')"));
    t.throws(stray, /UNIQUE/, 'the session may not go on without its transaction');
    t.throws(() => bench.commits.endSession({ settle: () => undefined }, 0), /UNIQUE/);
    t.same(bench.rows(), ['a']);
    bench.session('e', 0);
    t.same(
      [bench.settled, bench.rows()],
      [
        ['a', 'b failed', 'e'],
        ['a', 'e'],
      ],
    );
  },
);

t.test(
  'SQLite: a thread that dies in its transaction is undone, and holds nobody up',
  async (t) => {
    const database = await sqlite.place(t).open();
    const joined = joinDatabase(database.share());
    const open = await joined.db.startTransaction().execute();
    await open.insertInto('business_units').values(unit('lost')).execute();
    const waiting = database.db
      .transaction()
      .execute((tx) => tx.insertInto('business_units').values(unit('kept')).execute());
    await joined.close();
    await waiting;
    t.same(await unitIds(database), ['kept']);
  },
);

t.test('SQLite: a failed COMMIT rejects the transactions that shared it', async (t) => {
  const { db } = await sqlite.place(t).open({ migrations: [...MIGRATIONS, deferredKey] });
  const insert = (parent: string) =>
    db
      .transaction()
      .execute((tx) =>
        sql`insert into child (id, parent) values (${parent}, ${parent})`.execute(tx),
      );
  await t.rejects(insert('nobody'), { code: 'STORE_STATEMENT_FAILED', message: /FOREIGN KEY/ });
  await sql`insert into parent (id) values ('somebody')`.execute(db);
  await insert('somebody');
});

async function holdRow(tx: Transaction<Database>): Promise<void> {
  await tx.updateTable('business_units').set({ name: 'held' }).where('id', '=', 'bu').execute();
}

/** Every table but those of the database's own, as the interfaces describe them. */
async function tableShapes({ kind, db }: OpenDatabase) {
  const columns =
    kind === 'sqlite'
      ? await sql<{ table: string; name: string; type: string; nullable: number }>`
          select m.name as "table", c.name as name, c.type as type,
            case when c."notnull" = 1 or c.pk > 0 then 0 else 1 end as nullable
          from sqlite_master m, pragma_table_info(m.name) c
          where m.type = 'table' and m.name not like 'sqlite%'`.execute(db)
      : await sql<{ table: string; name: string; type: string; nullable: number }>`
          select table_name as "table", column_name as name, data_type as type,
            case when is_nullable = 'YES' then 1 else 0 end as nullable
          from information_schema.columns where table_schema = current_schema()`.execute(db);
  const shapes: Record<string, Record<string, ColumnShape>> = {};
  for (const { table, name, type, nullable } of columns.rows) {
    const isText = /text/i.test(type);
    const shape = { type: isText ? 'text' : 'number', isNullable: nullable === 1 } as const;
    shapes[table] = { ...shapes[table], [name]: shape };
  }
  return shapes;
}

/** Ids that a writing process said were durable, after it was killed in the middle of its work. */
async function killedAfter(address: string, lines: number): Promise<readonly string[]> {
  const script = ownScript(new URL('../support/store-writer.child.ts', import.meta.url));
  const child = spawn(process.execPath, [...script, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return acknowledged;
}
