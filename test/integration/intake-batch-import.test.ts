/** Goal: a file becomes contacts and tasks once, row by row, whatever interrupts it. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createBatch, readBatch, readFailedRows } from '../../dialer/intake/batch.ts';
import {
  importBatch,
  type ImportOptions,
  type ImportProgress,
} from '../../dialer/intake/batch-import.ts';
import { importInThread } from '../../dialer/intake/import-thread.ts';
import type { ImporterJob } from '../support/batch-importer.child.ts';
import { contactListBytes, contactListText, numberOfRow } from '../support/contact-list.ts';
import { storeTargets, TEST_NOW_MS as NOW, type StorePlace } from '../support/store-target.ts';
import { WorkScene } from '../support/work-scene.ts';
import { ownScript } from '../support/own-script.ts';

const DAY_MS = 86_400_000;

const bytesOf = (text: string) =>
  async function* () {
    yield Buffer.from(text);
  };

/** An engagement, and imports into it. */
class Intake {
  readonly work: WorkScene;

  static async open(t: Test, place: StorePlace, callOrder = 'firstInFirstOut'): Promise<Intake> {
    const database = await place.open();
    const config = { callOrder };
    return new Intake(await WorkScene.open({ database, clock: { nowMs: NOW }, config, cap: 500 }));
  }

  private constructor(work: WorkScene) {
    this.work = work;
  }

  batch(): Promise<string> {
    const { writer, engagementId } = this.work;
    return createBatch(writer, { engagementId, sourceName: 'list.csv' });
  }

  options(batchId: string, open: ImportOptions['open'], more: Partial<ImportOptions> = {}) {
    const { writer, clock } = this.work;
    return {
      ...{ database: writer.database, ids: writer.ids, businessUnitId: writer.businessUnitId },
      ...{ nowMs: () => clock.nowMs, batchId, actor: 'test', open },
      rules: { format: 'e164' },
      ...more,
    } satisfies ImportOptions;
  }

  async import(text: string, more: Partial<ImportOptions> = {}) {
    return importBatch(this.options(await this.batch(), bytesOf(text), more));
  }

  async contacts() {
    const { db } = this.work.database;
    return db.selectFrom('contacts').selectAll().orderBy('unique_identifier').execute();
  }

  async tasks() {
    const { db } = this.work.database;
    return db.selectFrom('tasks').selectAll().orderBy('created_seq').execute();
  }

  /** Everything an import writes that does not depend on when or in how many steps. */
  async outcome(batchId: string) {
    const { database, writer, engagementId } = this.work;
    const { db } = database;
    const tasks = await db
      .selectFrom('tasks')
      .innerJoin('contacts', 'contacts.id', 'tasks.contact_id')
      .select(['contacts.unique_identifier', 'tasks.state', 'tasks.input_attributes'])
      .where('tasks.batch_id', '=', batchId)
      .orderBy('tasks.created_seq')
      .execute();
    const points = await db.selectFrom('contact_points').select('value').orderBy('value').execute();
    const batch = await readBatch(database, writer.businessUnitId, batchId);
    const { status, tasks_created, contacts_updated, failed_rows, total_lines, last_line } = batch;
    const engagement = await db
      .selectFrom('engagements')
      .select(['tasks_ready', 'tasks_waiting'])
      .where('id', '=', engagementId)
      .execute();
    return {
      ...{ tasks, points, engagement },
      batch: { status, tasks_created, contacts_updated, failed_rows, total_lines, last_line },
    };
  }
}

const LIST = `UniqueIdentifier,First Name,LastName,mobile,HomePhoneNumber,State,TimeZone,Priority,AccountId,Balance,Note
C-1,Ada,Roy,+12025550101,+12025550109,WA,America/Los_Angeles,10,H-7,120.50,
C-2,Ben,Roy,+12025550102,+12025550109,OR,America/Los_Angeles,2,H-7,80.00,"prefers, mornings"
C-3,Cy,Lund,,+46850551000,,Europe/Stockholm,soon,,1,
`;

const targets = await storeTargets(t);

for (const target of targets) {
  const { name } = target;
  const open = (t: Test, callOrder?: string) => Intake.open(t, target.place(t), callOrder);

  t.test(
    `${name}: [API-24] [API-25] a list becomes contacts with their columns, and tasks`,
    async (t) => {
      const intake = await open(t);
      const summary = await intake.import(LIST);
      t.match(summary, { status: 'Completed', tasksCreated: 3, contactsUpdated: 0, totalLines: 3 });
      t.match(summary, { failedRows: 0, lastLine: 4, errorMessage: null });
      const contacts = await intake.contacts();
      t.match(contacts, [
        {
          unique_identifier: 'C-1',
          first_name: 'Ada',
          state: 'WA',
          time_zone: 'America/Los_Angeles',
        },
        { unique_identifier: 'C-2', last_name: 'Roy', state: 'OR' },
        { unique_identifier: 'C-3', mobile_point_id: null, state: null },
      ]);
      t.same(
        contacts.map((contact) => JSON.parse(contact.external_attributes) as unknown),
        [
          { Balance: '120.50', AccountId: 'H-7' },
          { Balance: '80.00', Note: 'prefers, mornings', AccountId: 'H-7' },
          { Balance: '1' },
        ],
      );
      t.equal(contacts[0]?.home_point_id, contacts[1]?.home_point_id, 'a number is written once');
      const tasks = await intake.tasks();
      t.same(
        tasks.map((task) => [task.contact_id, task.state, task.expires_at_ms]),
        contacts.map(({ id }) => [id, 'ready', NOW + DAY_MS]),
      );
      t.match(tasks[1], { source: 'file', batch_id: summary.batchId, status: 'Pending' });
      t.match(JSON.parse(tasks[1]?.input_attributes ?? ''), { Note: 'prefers, mornings' });
      const { starts } = await intake.work.claim(1);
      t.match(starts, [{ number: '+12025550101' }]);
      const attributes = await intake.work.database.db
        .selectFrom('delivery_attributes')
        .select(['type', 'keyword', 'value'])
        .orderBy('keyword')
        .execute();
      t.match(attributes, [
        { type: 'Input', keyword: 'AccountId', value: 'H-7' },
        { type: 'Input', keyword: 'Balance', value: '120.50' },
      ]);
      t.same((await intake.work.counts()).kept, (await intake.work.counts()).counted);
    },
  );

  t.test(
    `${name}: [API-26] the Priority column orders, and what is no value goes last`,
    async (t) => {
      const intake = await open(t, 'customAscending');
      await intake.import(LIST);
      const { starts } = await intake.work.claim(3);
      t.same(
        starts.map(({ task }) => [task.priority_value, task.priority_fallback]),
        [
          ['2', 0],
          ['10', 0],
          ['soon', 1],
        ],
      );
    },
  );

  t.test(
    `${name}: [CFG-09] [API-24] a known identifier updates its contact, a new one makes one`,
    async (t) => {
      const intake = await open(t);
      await intake.import(LIST);
      const again = await intake.import(
        'UniqueIdentifier,MobilePhoneNumber,State,Balance\nC-1,+12025550111,NV,\nC-4,+12025550104,,5\n',
      );
      t.match(again, { tasksCreated: 2, contactsUpdated: 1, status: 'Completed' });
      const contacts = await intake.contacts();
      t.equal(contacts.length, 4);
      t.match(contacts[0], { state: 'NV', first_name: 'Ada', time_zone: 'America/Los_Angeles' });
      t.match(JSON.parse(contacts[0]?.external_attributes ?? ''), { Balance: '120.50' });
      t.equal((await intake.tasks()).length, 5, 'run from file appends');
    },
  );

  t.test(
    `${name}: an identifier repeated in a batch updates, and makes no second task`,
    async (t) => {
      const intake = await open(t);
      const rows = ['A,+12025550101,WA', 'B,+12025550102,WA', 'A,+12025550101,OR'];
      const later = ['C,+12025550103,WA', 'B,+12025550102,NV', 'A,+12025550101,CA'];
      const text = `UniqueIdentifier,mobile,State\n${[...rows, ...later].join('\n')}\n`;
      const summary = await intake.import(text, { rowsPerTransaction: 3 });
      t.match(summary, { tasksCreated: 3, contactsUpdated: 3, totalLines: 6, failedRows: 0 });
      t.match(await intake.contacts(), [{ state: 'CA' }, { state: 'NV' }, { state: 'WA' }]);
      const again = await intake.import(text);
      t.match(again, { tasksCreated: 3, contactsUpdated: 6 }, 'another batch makes tasks again');
    },
  );

  t.test(
    `${name}: [API-32] bad rows are listed with line, column and reason, the others go on`,
    async (t) => {
      const intake = await open(t);
      const text = [
        'UniqueIdentifier,mobile,home phone,State,Note',
        'A,+12025550101,,WA,',
        'B,12,,WA,',
        ',+12025550103,,WA,',
        'D,,,WA,',
        'E,+12025550105,,WA,too,many',
        'F,+12025550106,,"WA,',
        `G,+12025550107,,WA,${'x'.repeat(4_001)}`,
        `${'h'.repeat(301)},+12025550108,,WA,`,
        '',
        'I,99,+12025550109,WA,',
      ].join('\n');
      const summary = await intake.import(`${text}\n`, { rowsPerTransaction: 2 });
      t.match(summary, { status: 'CompletedWithErrors', tasksCreated: 2, failedRows: 7 });
      t.match(summary, { formatErrors: 2, totalLines: 9, lastLine: 11 });
      const { database, writer } = intake.work;
      const page = (afterLine: number, limit: number) =>
        readFailedRows(database, writer.businessUnitId, summary.batchId, { afterLine, limit });
      const failed = [...(await page(0, 4)), ...(await page(6, 10))];
      t.same(
        failed.map((row) => [row.line, row.column_name, row.code]),
        [
          [3, 'MobilePhoneNumber', 'InvalidPhone'],
          [4, 'UniqueIdentifier', 'MissingIdentifier'],
          [5, null, 'NoPhone'],
          [6, null, 'TooManyFields'],
          [7, null, 'BadQuotes'],
          [8, 'Note', 'AttributeTooLong'],
          [9, 'UniqueIdentifier', 'IdentifierTooLong'],
        ],
      );
      t.notMatch(JSON.stringify(failed), /2025550/, 'no number is repeated');
    },
  );

  t.test(`${name}: [API-23] a file that lacks a required column writes nothing`, async (t) => {
    const intake = await open(t);
    for (const [text, code] of [
      ['Name,mobile\nAda,+12025550101\n', 'noIdentifierColumn'],
      ['UniqueIdentifier,Name\nA,Ada\n', 'noPhoneColumn'],
      ['', 'empty'],
      ['PK\u0003\u0004', 'notText'],
    ] as const) {
      const summary = await intake.import(text);
      t.match(summary, { status: 'Failed', tasksCreated: 0, totalLines: 0 });
      t.match(summary.errorMessage, /\.$/);
      const { database, writer } = intake.work;
      const batch = await readBatch(database, writer.businessUnitId, summary.batchId);
      t.equal(batch.error_code, code);
    }
    t.same(await intake.contacts(), []);
    t.match((await intake.work.counts()).kept, { ready: 0 });
  });

  t.test(`${name}: a file that turns out to be none keeps the rows before that`, async (t) => {
    const intake = await open(t);
    const broken = Array.from({ length: 150 }, (_, index) => `X${index},"+1,`).join('\n');
    const text = `UniqueIdentifier,mobile\nA,+12025550101\n${broken}\n`;
    const summary = await intake.import(text, { rowsPerTransaction: 10 });
    t.match(summary, {
      status: 'Failed',
      tasksCreated: 1,
      errorMessage: /quotes that do not pair/,
    });
    const small = await intake.import(LIST, { bytesMax: 50 });
    t.match(small, { status: 'Failed', tasksCreated: 0, errorMessage: /larger than/ });
  });

  t.test(`${name}: whoever is asked to import what may not be imported says so`, async (t) => {
    const intake = await open(t);
    const { database, writer, engagementId } = intake.work;
    const batchId = await intake.batch();
    const other = { businessUnitId: 'another' };
    const missing = { code: 'NOT_FOUND' };
    await t.rejects(importBatch(intake.options(batchId, bytesOf(LIST), other)), missing);
    await t.rejects(importBatch(intake.options('nowhere', bytesOf(LIST))), missing);
    const target = { engagementId: 'nowhere', sourceName: 'x' };
    await t.rejects(createBatch(writer, target), missing);
    await database.db.updateTable('engagements').set({ status: 'inactive' }).execute();
    const inactive = { code: 'REQUEST_INVALID', message: new RegExp(engagementId) };
    await t.rejects(importBatch(intake.options(batchId, bytesOf(LIST))), inactive);
    t.same(await intake.contacts(), []);
  });

  t.test(`${name}: an import broken off anywhere goes on where it was (law)`, async (t) => {
    const repeated = 'C-2,Ada,Roy,+12025550199,NV,,,9,repeated';
    const shape = {
      rows: 37,
      odd: new Map([
        [9, 'bad row'],
        [20, repeated],
        [36, repeated],
      ]),
    };
    const rowsPerTransaction = 5;
    const whole = await open(t);
    const batchId = await whole.batch();
    const options = { rowsPerTransaction };
    await importBatch(whole.options(batchId, contactListBytes(shape), options));
    const expected = await whole.outcome(batchId);
    t.match(expected.batch, { status: 'CompletedWithErrors', tasks_created: 34 });

    const law = fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 5 }), async (breaks) => {
      const intake = await open(t);
      const again = await intake.batch();
      for (const steps of breaks) {
        const stop = new AbortController();
        let done = 0;
        const onProgress = (): void => {
          done += 1;
          if (done > steps) stop.abort(new Error('stopped'));
        };
        if (steps === 0) stop.abort(new Error('stopped'));
        const part = { rowsPerTransaction, signal: stop.signal, onProgress };
        const outcome = importBatch(intake.options(again, contactListBytes(shape), part));
        await outcome.catch((error: unknown) => {
          if (!/stopped/.test(String(error))) throw error;
        });
      }
      await importBatch(intake.options(again, contactListBytes(shape), options));
      t.same(await intake.outcome(again), expected);
      await intake.work.database.close();
    });
    await fc.assert(law, { numRuns: 5, endOnFailure: true });
  });

  t.test(
    `${name}: it goes on with the same file only, and a batch at its end stays as it is`,
    async (t) => {
      const intake = await open(t);
      const batchId = await intake.batch();
      const stop = new AbortController();
      const part = { rowsPerTransaction: 1, signal: stop.signal, onProgress: () => stop.abort() };
      await t.rejects(importBatch(intake.options(batchId, bytesOf(LIST), part)), {
        name: 'AbortError',
      });
      const other = importBatch(intake.options(batchId, bytesOf(LIST.replace('Ada', 'Ida'))));
      await t.rejects(other, { fault: 'anotherFile', code: 'CONTACTS_INVALID' });
      const headless = importBatch(intake.options(batchId, bytesOf('nothing\n')));
      await t.rejects(headless, /No phone column/);
      const whole = await importBatch(intake.options(batchId, bytesOf(LIST)));
      t.match(whole, { status: 'Completed', tasksCreated: 3 });
      const again = await importBatch(intake.options(batchId, bytesOf('something else')));
      t.same(again, whole);
      t.equal((await intake.tasks()).length, 3);
    },
  );

  t.test(`${name}: two who import one batch at once make no row twice`, async (t) => {
    const intake = await open(t);
    const batchId = await intake.batch();
    const rows = contactListBytes({ rows: 60 });
    const both = await Promise.allSettled(
      [1, 2].map(() => importBatch(intake.options(batchId, rows, { rowsPerTransaction: 7 }))),
    );
    const lost = both.filter(({ status }) => status === 'rejected');
    t.ok(lost.length >= 1, 'one of them is told');
    const summary = await importBatch(intake.options(batchId, rows));
    t.match(summary, { status: 'Completed', tasksCreated: 60, totalLines: 60 });
    t.equal((await intake.tasks()).length, 60);
    t.same((await intake.work.counts()).kept, (await intake.work.counts()).counted);
  });

  t.test(`${name}: kill -9 in the middle of an import costs no row and doubles none`, async (t) => {
    const place = target.place(t);
    const intake = await Intake.open(t, place);
    const batchId = await intake.batch();
    const { businessUnitId } = intake.work.writer;
    const rows = 1_500;
    await intake.work.database.close();
    const job = { address: place.address, businessUnitId, batchId, rows, rowsPerTransaction: 50 };
    await importKilledAt(job, 500);
    const database = await place.open();
    const before = await readBatch(database, businessUnitId, batchId);
    t.ok(before.last_line >= 500 && before.last_line < rows, `it was at ${before.last_line}`);
    const options = { ...intake.options(batchId, contactListBytes({ rows })), database };
    const summary = await importBatch(options);
    t.match(summary, { status: 'Completed', tasksCreated: rows, totalLines: rows });
    const numbers = await database.db.selectFrom('contact_points').select('value').execute();
    t.same(
      new Set(numbers.map(({ value }) => value)),
      new Set(Array.from({ length: rows }, (_, row) => numberOfRow(row))),
    );
    const tasks = await database.db.selectFrom('tasks').select('contact_id').execute();
    t.equal(new Set(tasks.map((task) => task.contact_id)).size, rows);
  });

  t.test(`${name}: an import in its own thread lets dialing begin before it ends`, async (t) => {
    const intake = await open(t);
    const { writer, database } = intake.work;
    const batchId = await intake.batch();
    const file = `${t.testdir({})}/list.csv`;
    writeFileSync(file, [...contactListText({ rows: 2_000 })].join(''));
    const job = { businessUnitId: writer.businessUnitId, batchId, actor: 'test', file };
    const settings = { rules: { format: 'e164' } as const, rowsPerTransaction: 100 };
    const seen: ImportProgress[] = [];
    const heard = new EventEmitter();
    const first = once(heard, 'progress');
    const stopped = importInThread(database, { ...job, ...settings }, (progress) => {
      seen.push(progress);
      heard.emit('progress');
    });
    await first;
    intake.work.clock.nowMs = Date.now();
    const { starts } = await intake.work.claim(5);
    t.equal(starts.length, 5);
    await stopped.stop();
    await t.rejects(stopped.ended, /stopped/);
    t.ok((seen.at(-1)?.lastLine ?? 0) < 2_000, 'dialled while the file was being read');
    const whole = intake.options(batchId, contactListBytes({ rows: 2_000 }));
    t.match(await importBatch(whole), { status: 'Completed', tasksCreated: 2_000 });
    t.same((await intake.work.counts()).kept, (await intake.work.counts()).counted);
  });
}

t.test('a thread that cannot import says why', async (t) => {
  const { work } = await Intake.open(t, targets[0].place(t));
  const job = { businessUnitId: work.writer.businessUnitId, batchId: 'nowhere', actor: 'test' };
  const rules = { format: 'e164' } as const;
  const missing = importInThread(work.database, { ...job, rules, file: 'nowhere' });
  await t.rejects(missing.ended, { code: 'NOT_FOUND' });
});

/** Resolves when the importing process is dead, killed after it reported a line beyond `line`. */
async function importKilledAt(job: ImporterJob, line: number): Promise<void> {
  const script = ownScript(new URL('../support/batch-importer.child.ts', import.meta.url));
  const child = spawn(process.execPath, [...script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const reached of createInterface({ input: child.stdout })) {
    if (Number(reached) > line) child.kill('SIGKILL');
  }
  await exited;
}
