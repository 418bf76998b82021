/**
 * Goal: whoever talks when a dialer dies goes on talking, is nobody else's meanwhile, and wraps up
 * afterwards; and calls are dialled where those are who wait for them.
 */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { MINUTE_MS, type WorldOptions } from '../support/dialer-world.ts';
import { PacedWorld } from '../support/paced-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const PERSON: FarEnd = { does: 'answer', afterMs: 3_000, hangUpAfterMs: 60_000, verdict: 'human' };
const MACHINE: FarEnd = { does: 'answer', afterMs: 3_000, verdict: 'machine' };
const ANSWERING = {
  ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 6 },
  abandonedMessage: { text: 'This was Example Ltd. Nobody was free to talk to you.' },
};
const repLed = (mode: Readonly<Record<string, unknown>>) => ({
  engagementType: 'repLed',
  mode,
  answering: { ...ANSWERING, stopRule: { percent: 100, lookbackMinutes: 60 } },
});
const progressive = repLed({ kind: 'progressive' });
const predictive = repLed({ kind: 'predictive' });

interface Staffed {
  readonly paced: PacedWorld;
  readonly world: PacedWorld['world'];
  readonly engagementId: string;
  readonly tasks: readonly string[];
  readonly ada: string;
}

/** Ada is there, and so many people are to be called. */
async function staffed(
  t: Test,
  given: WorldOptions & {
    readonly people?: number;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly wrapUpMinutes?: number;
  } = {},
): Promise<Staffed> {
  const { people = 2, config = progressive, wrapUpMinutes, ...options } = given;
  const paced = await PacedWorld.open(t, { farEnd: () => PERSON, ...options });
  const { world } = paced;
  const engagementId = await world.engagement({ config });
  if (wrapUpMinutes !== undefined) {
    const settings = JSON.stringify({ representatives: { wrapUpBlock: wrapUpMinutes } });
    await world.db.updateTable('workstreams').set({ settings }).execute();
    await world.dialer.engagementChanged(engagementId);
  }
  const tasks = await world.tasks(engagementId, world.people(people));
  const ada = await paced.representative(engagementId, 'ada');
  return { paced, world, engagementId, tasks, ada };
}

/** Dead for a while, and there again. */
async function restart({ world }: Staffed, deadMs = 5_000): Promise<void> {
  world.kill();
  await world.advance(deadMs);
  await world.start();
}

const workOf = ({ world, ada }: Staffed) => world.dialer.desk.get(ada)?.work;

t.test('[WS-10] [WS-14] a conversation outlives its dialer, and the wrap-up follows', async (t) => {
  const here = await staffed(t);
  const { world, ada, tasks } = here;
  await world.advance(10_000);
  t.equal(workOf(here), 'connected');
  const lobby = world.gateway.lobbyOf(ada);
  await restart(here);
  t.equal(workOf(here), 'connected');
  t.equal(world.gateway.lobbyOf(ada), lobby, 'their leg was not touched');
  t.equal(lobby?.attemptId, world.dialer.desk.get(ada)?.attemptId, 'nor the bridge');
  t.match(world.dialer.desk.get(ada)?.invitation, { engagementName: /^e/, kind: 'preDial' });
  await world.advance(20_000);
  t.equal(world.gateway.dialled.length, 1, 'nobody else is dialled for them');
  const row = () =>
    world.db.selectFrom('reservations').selectAll().executeTakeFirst() as Promise<unknown>;
  t.match(await row(), { work: 'connected', lobby_id: lobby?.lobbyId, fence: 2 });
  // A second time, and it ends while nobody is there to hear of it.
  await restart(here, MINUTE_MS);
  await world.advance(1_000);
  t.equal(workOf(here), 'wrapUp');
  t.match(await world.task(tasks[0] ?? ''), { status: 'Complete', last_result: 'LiveAnswer' });
  await restart(here);
  await world.advance(5_000);
  t.equal(workOf(here), 'wrapUp');
  t.match(await row(), { work: 'wrapUp', fence: 4 });
  t.equal(world.gateway.dialled.length, 1);
  world.dialer.desk.wrapUpDone(ada);
  await world.advance(10_000);
  t.equal(world.gateway.dialled.length, 2, 'the next one');
  t.equal(world.gateway.lobbyOf(ada), lobby, 'without ringing their phone again');
  await world.check();
});

t.test('[WS-10] a wrap-up of some minutes is over when it would have been', async (t) => {
  const here = await staffed(t, { wrapUpMinutes: 2 });
  const { world } = here;
  await world.advance(65_000);
  t.equal(workOf(here), 'wrapUp');
  await restart(here, 30_000);
  t.equal(workOf(here), 'wrapUp');
  await world.advance(MINUTE_MS);
  t.equal(workOf(here), 'wrapUp');
  await world.advance(40_000);
  t.not(workOf(here), 'wrapUp');
  t.equal(world.gateway.dialled.length, 2);
  await world.check();
});

t.test('[DM-20] a call that rings for somebody is theirs when it is answered', async (t) => {
  const farEnd = (): FarEnd => ({ ...PERSON, afterMs: 20_000 });
  const here = await staffed(t, { farEnd });
  const { world, ada, tasks } = here;
  await world.advance(5_000);
  t.equal(world.gateway.inFlight, 1);
  await restart(here);
  t.match(world.dialer.desk.get(ada), { work: 'reserved', attemptId: /./ });
  await world.advance(20_000);
  t.equal(workOf(here), 'connected');
  t.match(await world.attempts(tasks[0] ?? ''), [{ joined_at_ms: Number }]);
  t.equal(world.gateway.dialled.length, 1);
  await world.check();
});

t.test(
  '[DM-24] predictive: whoever answers after a restart is served, not abandoned',
  async (t) => {
    const farEnd = (): FarEnd => ({ ...PERSON, afterMs: 20_000 });
    const here = await staffed(t, { farEnd, config: predictive });
    const { world, tasks } = here;
    await world.advance(5_000);
    const dialled = world.gateway.dialled.length;
    t.ok(dialled > 0);
    await restart(here);
    await world.advance(20_000);
    t.equal(workOf(here), 'connected');
    const rows = await Promise.all(tasks.map((task) => world.attempts(task)));
    t.equal(rows.flat().filter(({ joined_at_ms: joined }) => joined !== null).length, 1);
    await world.check();
  },
);

t.test(
  'who waits in the lobby for nobody is let go, and a lost call leaves nobody stuck',
  async (t) => {
    const here = await staffed(t, { people: 1, farEnd: () => ({ does: 'ring' }) });
    const { world, ada, tasks } = here;
    await world.advance(60_000);
    t.equal(world.gateway.inFlight, 0);
    t.match(await world.task(tasks[0] ?? ''), { last_result: 'NoAnswer' });
    await restart(here);
    t.equal(workOf(here), 'free');

    const more = await world.tasks(here.engagementId, world.people(1, 300));
    await world.advance(3_000);
    t.match(world.dialer.desk.get(ada), { work: 'reserved', attemptId: /./ });
    world.kill();
    world.gateway.forget();
    for (const lobbyId of [...world.gateway.lobbies.keys()]) {
      world.gateway.lobbyLeaves(lobbyId, 'switch');
    }
    await world.start();
    await world.advance(5 * MINUTE_MS);
    t.equal(workOf(here), 'free', 'no phone is rung for a leg that is gone');
    t.match(await world.task(more[0] ?? ''), { last_result: 'Unknown' });
    await world.check();
  },
);

t.test(
  '[DM-04] whoever waits for a person waits still when the dialer is there again',
  async (t) => {
    const paced = await PacedWorld.open(t, {
      ...{ withAgent: true, farEnd: () => ({ ...PERSON, hangUpAfterMs: 10 * MINUTE_MS }) },
    });
    const { world } = paced;
    world.gateway.agent = { does: 'escalate', afterMs: 2_000 };
    const id = await world.engagement({ cap: 1 });
    const [task = ''] = await world.tasks(id, world.people(1));
    await world.advance(10_000);
    t.match(await world.attempts(task), [{ escalated_at_ms: Number, joined_at_ms: null }]);
    world.kill();
    await world.advance(5_000);
    await world.start();
    const ada = await paced.representative(id, 'ada');
    await world.advance(1_000);
    const person = world.dialer.desk.get(ada);
    assert(person?.invitation != null);
    t.equal(person.invitation.kind, 'escalation');
    world.dialer.desk.accept(ada, person.invitation.id);
    await world.advance(3_000);
    t.equal(person.work, 'connected');
    await world.check();
  },
);

t.test('[DM-20] two gateways: each is dialled for where their leg is', async (t) => {
  const here = await staffed(t, { people: 8, gateways: ['g1', 'g2'] });
  const { world, paced, engagementId, tasks, ada } = here;
  paced.wrapUpAtOnce();
  await world.advance(2_000);
  world.gateways = ['g2', 'g1'];
  const bob = await paced.representative(engagementId, 'bob');
  await world.advance(10 * MINUTE_MS);
  t.same([...new Set(world.gateway.dialled.map(({ gatewayId }) => gatewayId))].sort(), [
    'g1',
    'g2',
  ]);
  for (const task of tasks) {
    t.match(await world.task(task), { status: 'Complete', last_result: 'LiveAnswer' });
  }
  const told = await Promise.all([ada, bob].map((id) => world.told(`representative:${id}`)));
  for (const types of told) t.ok(types.includes('representative.connected'));
  await world.check();
});

t.test('[DM-24] two gateways: those who share calls are at one of them', async (t) => {
  const here = await staffed(t, { people: 12, config: predictive, gateways: ['g1', 'g2'] });
  const { world, paced, engagementId } = here;
  paced.wrapUpAtOnce();
  await world.advance(2_000);
  world.gateways = ['g2', 'g1'];
  const bob = await paced.representative(engagementId, 'bob');
  await world.advance(3_000);
  t.match(world.gateway.lobbyOf(bob), { gatewayId: 'g1' }, 'where the others are');
  await world.advance(3 * MINUTE_MS);
  t.same([...new Set(world.gateway.dialled.map(({ gatewayId }) => gatewayId))], ['g1']);
  const rows = await world.db.selectFrom('attempts').select('joined_at_ms').execute();
  t.ok(rows.filter(({ joined_at_ms: joined }) => joined !== null).length > 3);
  await world.check();
});

t.test('a gateway that is lost takes its legs along, and nobody is stuck', async (t) => {
  const here = await staffed(t, { people: 4, gateways: ['g1', 'g2'] });
  const { world, paced, engagementId, ada, tasks } = here;
  const bob = await paced.representative(engagementId, 'bob');
  await world.advance(10_000);
  t.equal(workOf(here), 'connected');
  world.gateways = ['g2'];
  world.gateway.lose('g1');
  await world.advance(5 * MINUTE_MS);
  t.equal(workOf(here), 'wrapUp', 'their call is nobody’s any more');
  t.match(await world.task(tasks[0] ?? ''), { status: 'Complete', last_result: 'LiveAnswer' });
  for (const id of [ada, bob]) world.dialer.desk.wrapUpDone(id);
  await world.advance(10_000);
  t.equal(world.gateway.lobbyOf(ada)?.gatewayId, 'g2', 'their phone is called from the other');
  t.equal(world.gateway.dialled.at(-1)?.gatewayId, 'g2');
  await world.check();
});

t.test('[DM-04] two gateways: who joins a call has their leg where it is', async (t) => {
  const paced = await PacedWorld.open(t, {
    ...{ withAgent: true, gateways: ['g1', 'g2'] },
    farEnd: () => ({ ...PERSON, hangUpAfterMs: 10 * MINUTE_MS }),
  });
  const { world } = paced;
  world.gateway.agent = { does: 'escalate', afterMs: 5_000 };
  const id = await world.engagement({ cap: 1 });
  await world.tasks(id, world.people(1));
  await world.advance(5_000);
  world.gateways = ['g2', 'g1'];
  const ada = await paced.representative(id, 'ada');
  world.dialer.desk.subscribe(({ work, invitation }) => {
    if (work === 'invited' && invitation !== null) world.dialer.desk.accept(ada, invitation.id);
  });
  await world.advance(10_000);
  t.equal(world.dialer.desk.get(ada)?.work, 'connected');
  t.equal(world.gateway.lobbyOf(ada)?.gatewayId, 'g1');
  await world.check();
});

t.test('[DM-08] two gateways: a preview is dialled from where it is heard', async (t) => {
  const config = { mode: { kind: 'preview' } };
  const here = await staffed(t, { people: 1, config, gateways: ['g1', 'g2'] });
  const { world, ada } = here;
  await world.advance(1_000);
  const invitation = world.dialer.desk.get(ada)?.invitation;
  world.dialer.desk.accept(ada, invitation?.id ?? '');
  await world.advance(3_000);
  world.gateways = ['g2', 'g1'];
  world.dialer.previewOf(ada)?.start(ada, null, []);
  await world.advance(10_000);
  t.equal(workOf(here), 'connected');
  t.match(world.gateway.dialled, [{ gatewayId: 'g1' }]);
  await world.check();
});

t.test('a call whose end the dead dialer had heard does not ring on for the next', async (t) => {
  const here = await staffed(t, { people: 3, farEnd: () => MACHINE });
  const { world, tasks } = here;
  world.killWhen('update', 'deliveries'); // in the record of its end, which is in the log already
  while (world.isRunning) await world.advance(1_000);
  await restart(here);
  await world.advance(MINUTE_MS);
  for (const task of tasks) {
    t.match(await world.task(task), { last_result: 'AnsweringMachineHangup' });
  }
  await world.check();
});

t.test('a machine that is drawn for an audit is so once, whenever the dialer dies', async (t) => {
  const drawn = async ({ world }: Staffed) => {
    const rows = await world.db.selectFrom('amd_audits').select('id').orderBy('id').execute();
    const attempts = await world.db
      .selectFrom('attempts')
      .select('id')
      .where('result', '=', 'AnsweringMachineHangup')
      .orderBy('id')
      .execute();
    t.same(rows, attempts, 'each, and no other');
    return rows.length;
  };
  const scene = await staffed(t, { farEnd: () => MACHINE, people: 3, amdAuditShare: 1 });
  const { world } = scene;
  world.killWhen('insert', 'amd_audits');
  while (world.isRunning) await world.advance(1_000);
  t.equal(await drawn(scene), 0, 'it died in the record of an end: that is not there either');
  await world.advance(5_000);
  await world.start();
  await world.advance(10 * MINUTE_MS);
  t.equal(await drawn(scene), 3);
  await restart(scene);
  await world.advance(MINUTE_MS);
  t.equal(await drawn(scene), 3);

  const unheard = await staffed(t, { farEnd: () => MACHINE, people: 1, amdAuditShare: 1 });
  await unheard.world.advance(2_500);
  await restart(unheard); // dead while detection spoke
  await unheard.world.advance(5 * MINUTE_MS);
  t.equal(await drawn(unheard), 1, 'the gateway tells it again to the next one');
});
