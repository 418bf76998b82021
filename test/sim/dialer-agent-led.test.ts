/** Goal: AI agents talk first, and representatives join those who ask for a person, and nobody else. */
import t from 'tap';
import { createEngagement } from '../../dialer/engagements/create-engagement.ts';
import { MINUTE_MS } from '../support/dialer-world.ts';
import { PacedWorld } from '../support/paced-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const PERSON: FarEnd = { does: 'answer', afterMs: 3_000, hangUpAfterMs: 30_000, verdict: 'human' };

t.test('[WS-07] one workstream runs both kinds of engagement at the same time', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => PERSON, withAgent: true });
  const { world } = paced;
  world.gateway.agent = { does: 'talk', forMs: 20_000 };
  const aiLed = await world.engagement({ cap: 2, config: { engagementType: 'aiLed' } });
  const { workstream_id: workstreamId, queue_id: queueId } = await world.engagementRow(aiLed);
  const repLed = await createEngagement(world.writer, {
    ...{ name: 'With people', workstreamId, queueId },
    config: {
      ...{ engagementType: 'repLed', mode: { kind: 'progressive' } },
      answering: {
        ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 6 },
        abandonedMessage: { text: 'This was Example Ltd.' },
      },
    },
  });
  await world.dialer.engagementChanged(repLed);
  await world.tasks(aiLed, world.people(4, 100));
  await world.tasks(repLed, world.people(2, 200));
  paced.wrapUpAtOnce();
  await paced.representative(repLed, 'ada');
  await world.advance(10_000);
  const talking = await world.db
    .selectFrom('attempts')
    .select(['engagement_id', 'connected_at_ms', 'joined_at_ms'])
    .where('ended_at_ms', 'is', null)
    .execute();
  const of = (id: string) =>
    talking.filter(({ engagement_id: engagementId }) => engagementId === id);
  t.match(of(aiLed), [
    { connected_at_ms: Number, joined_at_ms: null },
    { connected_at_ms: Number, joined_at_ms: null },
  ]);
  t.match(of(repLed), [{ joined_at_ms: Number }]);
  await world.advance(5 * MINUTE_MS);
  for (const id of [aiLed, repLed]) {
    t.match(await world.engagementRow(id), { tasks_ready: 0, tasks_working: 0, status: 'running' });
  }
  const deliveries = await world.db.selectFrom('deliveries').selectAll().execute();
  t.equal(deliveries.length, 6);
  t.equal(new Set(deliveries.map(({ from_address: from }) => from)).size, 1, 'from one number');
  await world.check();
});

/** As if the calls that were made had been so many times as many, in the hours before. */
async function repeatHistory({ world }: PacedWorld, times: number): Promise<void> {
  const attempts = await world.db.selectFrom('attempts').selectAll().execute();
  const deliveries = await world.db.selectFrom('deliveries').selectAll().execute();
  const earlier = <T extends object>(row: T, nth: number): T => {
    const moved = Object.entries(row).map(([name, value]: [string, unknown]) => {
      if (name.endsWith('_at_ms') && typeof value === 'number') {
        return [name, value - nth * 10 * MINUTE_MS] as const;
      }
      const isOwn = name === 'id' || name === 'delivery_id';
      return [name, isOwn ? `${String(value)}-${nth}` : value] as const;
    });
    return Object.fromEntries(moved) as T;
  };
  for (let nth = 1; nth <= times; nth += 1) {
    const before = deliveries.map((row) => earlier(row, nth));
    await world.db.insertInto('deliveries').values(before).execute();
    const calls = attempts.map((row) => earlier(row, nth));
    await world.db.insertInto('attempts').values(calls).execute();
  }
}

t.test(
  '[DM-22] [WS-20] AI-led predictive: more calls than representatives, who join',
  async (t) => {
    const nth = (destination: string): number => Number(destination.slice(-4));
    /** Four in five answer; of those one in three asks for a person. */
    const farEnd = (destination: string): FarEnd => {
      const n = nth(destination);
      if ((n * 7) % 5 > 3) return { does: 'reject', statusCode: 486, afterMs: 12_000 };
      return { ...PERSON, afterMs: 4_000 + ((n * 37) % 7) * 1_000, hangUpAfterMs: 70_000 };
    };
    const paced = await PacedWorld.open(t, { farEnd, withAgent: true });
    const { world } = paced;
    world.gateway.agentFor = (destination) =>
      nth(destination) % 3 === 0
        ? { does: 'escalate', afterMs: 10_000 }
        : { does: 'talk', forMs: 15_000 };
    const config = { engagementType: 'aiLed', mode: { kind: 'predictive' } };
    const id = await world.engagement({ config });
    await world.tasks(id, world.people(30));
    const names = ['ada', 'bob', 'eve', 'joe', 'kim', 'lea'];
    for (const name of names) await paced.representative(id, name);
    paced.wrapUpAtOnce();
    await world.advance(5 * MINUTE_MS);
    t.ok(world.gateway.inFlightMax <= names.length, 'nothing is known yet: no more than there are');
    await repeatHistory(paced, 12);
    world.kill();
    await world.start();
    paced.wrapUpAtOnce();
    const tasks = await world.tasks(id, world.people(100, 200));
    const invited: string[] = [];
    world.dialer.desk.subscribe(({ work, invitation }) => {
      if (work === 'joining') invited.push(invitation?.attemptId ?? 'nobody');
    });
    await world.advance(15 * MINUTE_MS);
    const attempts = (await Promise.all(tasks.map((task) => world.attempts(task)))).flat();
    const escalated = attempts.filter(({ escalated_at_ms: at }) => at !== null);
    const joined = attempts.filter(({ joined_at_ms: at }) => at !== null);
    t.equal(attempts.length, tasks.length, 'the list is done');
    const most = world.gateway.inFlightMax;
    t.ok(most > names.length, `${most} calls at a time, for ${names.length}`);
    t.ok(escalated.length >= 15, `${escalated.length} asked for a person`);
    t.ok(joined.length >= escalated.length * 0.95, `${joined.length} of them were joined`);
    t.ok(joined.every((one) => (one.escalated_at_ms ?? Infinity) < (one.joined_at_ms ?? 0)));
    const waits = joined.map((one) => (one.joined_at_ms ?? 0) - (one.escalated_at_ms ?? 0));
    const meanMs = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    t.ok(meanMs < 5_000, `they waited ${Math.round(meanMs)} ms, the phone's second among it`);
    const asked = new Set(escalated.map((one) => one.id));
    t.ok(
      invited.every((attemptId) => asked.has(attemptId)),
      'nobody was reserved for anything else',
    );
    t.ok(world.gateway.dialled.every(({ lobbyId }) => lobbyId === null));
    const decisions = world.news.flatMap((news) => (news.type === 'pacing.decided' ? [news] : []));
    t.ok(decisions.length > 0);
    await world.check();
  },
);
