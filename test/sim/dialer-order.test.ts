/** Goal: whom a dialer calls next is whom the call order says, also when it is changed while people wait. */
import t, { type Test } from 'tap';
import { changeEngagement } from '../../dialer/engagements/change-settings.ts';
import { CALL_ORDERS, type CallOrder } from '../../dialer/engagements/engagement-config.schema.ts';
import type { TaskInput } from '../../dialer/tasks/create-tasks.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';

t.setTimeout(120_000);

type Config = Readonly<Record<string, unknown>>;

/** Every engagement makes one call at a time, and nobody is called by two. */
class OrderedWorld {
  readonly world: DialerWorld;
  #people = 0;

  constructor(world: DialerWorld) {
    this.world = world;
  }

  static async open(t: Test): Promise<OrderedWorld> {
    const farEnd = () => ({ does: 'reject', statusCode: 486 }) as const;
    const world = await DialerWorld.open(t, { farEnd });
    await world.start();
    return new OrderedWorld(world);
  }

  engagement(config: Config): Promise<string> {
    return this.world.engagement({ cap: 1, config });
  }

  /** Tasks of so many people nobody has heard of. Answers their numbers. */
  async people(
    engagementId: string,
    count: number,
    more: Partial<TaskInput> = {},
  ): Promise<readonly string[]> {
    const people = this.world.people(count, 100 + this.#people);
    this.#people += count;
    await this.world.tasks(engagementId, people, more);
    return people.map(({ phones }) => phones?.mobile ?? '');
  }

  /** From so many hours before now to so many after it. */
  window(fromHours: number, toHours: number) {
    const { nowMs } = this.world;
    return { startMs: nowMs + fromHours * HOUR_MS, endMs: nowMs + toHours * HOUR_MS };
  }

  get mark(): number {
    return this.world.gateway.dialled.length;
  }

  /** Whom of these it has called since, by their place among them. */
  calledSince(mark: number, numbers: readonly string[]): readonly number[] {
    const since = this.world.gateway.dialled.slice(mark);
    return since.flatMap(({ destination }) =>
      numbers.includes(destination) ? [numbers.indexOf(destination)] : [],
    );
  }

  /** Nobody is called before all of it is done. */
  async suspendedWhile<T>(engagementId: string, work: () => Promise<T>): Promise<T> {
    const asked = { engagementId, actor: 'test' };
    const suspension = { type: 'apiAction', reason: 'not yet' } as const;
    await this.world.dialer.suspend({ ...asked, suspension });
    const done = await work();
    await this.world.dialer.resume(asked);
    return done;
  }

  async change(engagementId: string, config: Config): Promise<void> {
    const { world } = this;
    const { version } = await world.engagementRow(engagementId);
    const change = { id: engagementId, version, patch: { config } };
    await world.db.transaction().execute((tx) => changeEngagement(tx, world.writer, change));
    await world.dialer.engagementChanged(engagementId);
  }
}

const EXPECTED: Readonly<Record<CallOrder, readonly number[]>> = {
  earliestScheduledDate: [1, 2, 0],
  firstInFirstOut: [0, 1, 2],
  lastInFirstOut: [2, 1, 0],
  customAscending: [1, 2, 0],
  customDescending: [0, 2, 1],
};
const ID_OF: Readonly<Record<CallOrder, string>> = {
  earliestScheduledDate: 'ORD-04',
  firstInFirstOut: 'ORD-05',
  lastInFirstOut: 'ORD-06',
  customAscending: 'ORD-07',
  customDescending: 'ORD-08',
};

const ordered = await OrderedWorld.open(t);
const { world } = ordered;

for (const callOrder of CALL_ORDERS) {
  t.test(`[${ID_OF[callOrder]}] [CFG-13] people are called by ${callOrder}`, async (t) => {
    for (const values of [
      ['3', '1', '2'],
      ['2026-05-03', '2026-05-01T08:00:00Z', '2026-05-02'],
    ]) {
      const mark = ordered.mark;
      const id = await ordered.engagement({ callOrder });
      const numbers = await ordered.suspendedWhile(id, async () => {
        const all: string[] = [];
        for (const [index, endsInHours] of [12, 10, 11].entries()) {
          const priorityValue = values[index] ?? '';
          const windows = [ordered.window(-1, endsInHours)];
          all.push(...(await ordered.people(id, 1, { priorityValue, windows })));
        }
        return all;
      });
      await world.advance(MINUTE_MS);
      t.same(ordered.calledSince(mark, numbers), EXPECTED[callOrder], values.join(' '));
    }
  });
}

for (const [callOrder, valid] of [
  ['customAscending', [3, 1]],
  ['customDescending', [1, 3]],
] as const) {
  t.test(`[ORD-09] ${callOrder}: blank and bad values go last, and are flagged`, async (t) => {
    const mark = ordered.mark;
    const id = await ordered.engagement({ callOrder });
    const values = ['soon', '2', undefined, '1', '2026-05-01', ' '];
    const numbers = await ordered.suspendedWhile(id, async () => {
      const all: string[] = [];
      for (const priorityValue of values) {
        const more = priorityValue === undefined ? {} : { priorityValue };
        all.push(...(await ordered.people(id, 1, more)));
      }
      return all;
    });
    await world.advance(MINUTE_MS);
    const first = 'a date is no value among numbers; first in, first out';
    t.same(ordered.calledSince(mark, numbers), [...valid, 0, 2, 4, 5], first);
    const rows = await world.db
      .selectFrom('tasks')
      .select('priority_fallback')
      .where('engagement_id', '=', id)
      .orderBy('id')
      .execute();
    t.same(
      rows.map((row) => row.priority_fallback),
      [1, 0, 1, 0, 1, 1],
    );
  });
}

for (const [priority, expected] of [
  ['higher', ['retry', 'older', 'newer']],
  ['same', ['older', 'retry', 'newer']],
  ['lower', ['older', 'newer', 'retry']],
] as const) {
  t.test(`[ORD-10] a due retry of priority '${priority}' takes its place`, async (t) => {
    const reattempt = { reasons: ['busy'], retriesMax: 1, waitMinutes: 20, priority };
    const id = await ordered.engagement({ callOrder: 'firstInFirstOut', reattempt });
    // Made before the one that is retried, and open when its retry is due.
    const windows = [ordered.window(0.5, 12)];
    const [older = ''] = await ordered.people(id, 1, { windows });
    const [retried = ''] = await ordered.people(id, 1);
    await world.advance(MINUTE_MS);
    const mark = ordered.mark;
    const newer = await ordered.suspendedWhile(id, async () => {
      const made = await ordered.people(id, 1, { windows });
      await world.advance(40 * MINUTE_MS);
      return made[0] ?? '';
    });
    await world.advance(MINUTE_MS);
    const names = ['older', 'retry', 'newer'];
    const called = ordered.calledSince(mark, [older, retried, newer]);
    t.same(
      called.map((index) => names[index]),
      expected,
    );
  });
}

t.test('[ORD-04] a window that has passed gives way to the next one of its task', async (t) => {
  const id = await ordered.engagement({ callOrder: 'earliestScheduledDate' });
  const mark = ordered.mark;
  const windows = [ordered.window(0, 1), ordered.window(2, 20)];
  const [moved = '', other = ''] = await ordered.suspendedWhile(id, async () => {
    const both = [
      ...(await ordered.people(id, 1, { windows })),
      ...(await ordered.people(id, 1, { windows: [ordered.window(0, 10)] })),
    ];
    await world.advance(90 * MINUTE_MS);
    return both;
  });
  await world.advance(MINUTE_MS);
  t.same(ordered.calledSince(mark, [other]), [0], 'the one waits for its second window');
  const [third = ''] = await ordered.people(id, 1, { windows: [ordered.window(0.4, 15)] });
  await world.advance(HOUR_MS);
  t.same(ordered.calledSince(mark, [other, third, moved]), [0, 1, 2], 'which ends last of all');
  await world.check();
});

t.test('[CFG-13] an order that is changed while people wait comes into force', async (t) => {
  const id = await ordered.engagement({ callOrder: 'firstInFirstOut' });
  const start = ordered.mark;
  const numbers = [...(await ordered.people(id, 450))];
  await world.advance(500);
  const standing = async () => {
    const { order_in_force: inForce, order_slot: slot } = await world.engagementRow(id);
    return { inForce, slot };
  };

  const mark = ordered.mark;
  await ordered.change(id, { callOrder: 'lastInFirstOut' });
  await world.advance(3);
  numbers.push(...(await ordered.people(id, 1)));
  t.same(await standing(), { inForce: 'firstInFirstOut', slot: 0 }, 'the one before, meanwhile');
  await world.advance(500);
  t.same(await standing(), { inForce: null, slot: 1 });
  const until = ordered.calledSince(start, numbers).findIndex((place, nth) => place !== nth);
  t.ok(until >= mark - start, 'the one before, until all have their places');
  const since = ordered.calledSince(start + until, numbers);
  t.same(
    since.slice(0, 3),
    [450, 449, 448],
    'then the new one, and for those too who came meanwhile',
  );
  t.same(await world.told(`engagement:${id}`), [
    ...['engagement.created', 'engagement.changed', 'engagement.reordered'],
  ]);

  // Changed again: the process dies in the middle, and the next one goes on with it.
  await ordered.change(id, { callOrder: 'firstInFirstOut' });
  await world.advance(3);
  t.same(await standing(), { inForce: 'lastInFirstOut', slot: 1 });
  world.kill();
  await world.start();
  await world.advance(1_000);
  t.same(await standing(), { inForce: null, slot: 0 });
  const again = ordered.mark;
  await world.advance(500);
  const [next = 0, ...others] = ordered.calledSince(again, numbers);
  t.same(others.slice(0, 2), [next + 1, next + 2], 'first in, first out, from where it was left');
  await world.check();
  const called = ordered.calledSince(start, numbers);
  t.equal(new Set(called).size, called.length, 'nobody is called twice');
});
