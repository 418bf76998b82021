/**
 * Goal: the reference journey, end to end: `ringfence start` finds the people of a segment and calls
 * them over SIP, the lab's AI agent and carrier decide what came of each call, and every branch of the
 * call is taken.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { recordDispositions } from '../../dialer/representatives/record-dispositions.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { startLab } from '../../lab/start-lab.ts';
import type { Json } from '../support/api-rig.ts';
import { ROOT, ServiceProcess } from '../support/service-process.ts';

t.setTimeout(180_000);

const WITHIN_MS = 120_000;
const SECRET = 'a-secret-of-at-least-thirty-two-signs';
const EVERY_DAY = [
  ...['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
] as const;

/** Who is called: the lab's number plan and the agent decide the rest. */
const PEOPLE = {
  reached: '+12065550101',
  otherDay: '+12065550102',
  callBack: '+12065550103',
  optedOut: '+12065550104',
  /** Rings for eight seconds: its delivery is cancelled meanwhile. */
  cancelled: '+12065550125',
  busy: '+12065550130',
  notInService: '+12065550145',
} as const;
type Person = keyof typeof PEOPLE;

const PATHS: Readonly<Record<Person, readonly string[]>> = {
  reached: ['call', 'callOutcome', 'whatCameOfIt', 'done'],
  otherDay: ['call', 'callOutcome', 'whatCameOfIt', 'planAnotherDay', 'done'],
  callBack: [
    ...['call', 'callOutcome', 'whatCameOfIt', 'twoHours', 'callAgain'],
    ...['call', 'callOutcome', 'whatCameOfIt', 'done'],
  ],
  optedOut: ['call', 'callOutcome', 'done'],
  cancelled: ['call', 'callOutcome'],
  // Text messages have no live channel yet: that step is blocked, and the run goes on.
  busy: ['call', 'callOutcome', 'whatCameOfIt', 'textInstead', 'done'],
  notInService: ['call', 'callOutcome', 'emailInstead', 'done'],
};

/** As it is in the docs, but that it opens at once, and two hours are two seconds. */
function referenceJourney(): Journey {
  const text = readFileSync(join(ROOT, 'docs', 'journeys', 'confirm-delivery.yaml'), 'utf8');
  const journey = parse(text) as Journey;
  const steps = journey.steps.map((step) => {
    if (step.type === 'voice') {
      const labOutcome = { from: 'contact', attribute: 'labOutcome' };
      return { ...step, inputs: { ...step.inputs, labOutcome } };
    }
    return step.id === 'twoHours' ? { ...step, for: '2s' } : step;
  });
  const { contactAttributes = [] } = journey.assets ?? {};
  const assets = {
    ...journey.assets,
    contactAttributes: [...contactAttributes, { name: 'labOutcome', type: 'text' as const }],
  };
  const entry = { ...journey.entry };
  delete (entry as { opensAt?: string }).opensAt;
  return { ...journey, entry, steps, assets };
}

/** Hours that are quiet for nobody now, whenever this is run. */
function quietHours() {
  const hour = (new Date().getUTCHours() + 6) % 23;
  const text = (value: number) => `${String(value).padStart(2, '0')}:00`;
  return [{ channels: ['voice'], days: EVERY_DAY, from: text(hour), to: text(hour + 1) }];
}

async function mailbox() {
  const posts: { readonly signature: unknown; readonly body: Json }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { 'ringfence-signature': signature } = request.headers;
      posts.push({ signature, body: JSON.parse(text) as Json });
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { posts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail` };
}

/** What a representative would have said of the call, in the time in which it is waited for. */
async function sayCallBack(database: OpenDatabase, contactId: string): Promise<boolean> {
  const ended = await database.db
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .select(['attempts.id', 'attempts.business_unit_id as businessUnitId'])
    .where('deliveries.contact_id', '=', contactId)
    .where('attempts.ended_at_ms', 'is not', null)
    .executeTakeFirst();
  if (ended === undefined) return false;
  const { id, businessUnitId } = ended;
  const writer = { businessUnitId, nowMs: Date.now(), actor: 'test' };
  await database.db
    .transaction()
    .execute((tx) => recordDispositions(tx, writer, id, ['Call back']));
  return true;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + WITHIN_MS;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

t.test('[JRN-04] [JRN-12] [JRN-13] [JRN-14] every voice branch, over SIP', async (t) => {
  const lab = await startLab({ host: '127.0.0.1', sipPort: 0, aiAgent: { sipPort: 0 } });
  t.teardown(() => lab.stop());
  const { posts, url } = await mailbox();
  const trunk = {
    ...{ name: 'lab', address: `sip:127.0.0.1:${String(lab.sipPort)};transport=udp` },
    ...{ callerId: '+12025550100', channelsMax: 50, callsPerSecondMax: 20 },
  };
  const yaml = JSON.stringify({
    gateway: { trunks: [trunk] },
    dialer: { labNumberGapMinMs: 0 },
    journeys: {
      webhooks: [{ name: 'emailProvider', url, secret: SECRET }],
      webhooksOnLoopback: true,
    },
  });
  const config = join(t.testdir({ 'ringfence.yaml': yaml }), 'ringfence.yaml');
  const service = await ServiceProcess.start(t, { args: ['--config', config] });
  const made = async (path: string, body: unknown) => String((await service.ask(path, body))['id']);

  const sipUri = `sip:agent@127.0.0.1:${String(lab.aiAgentSipPort)};transport=udp`;
  const workstreamId = await made('/v1/workstreams', {
    ...{ name: 'Deliveries', trunk: 'lab', number: '+12025550100', aiAgent: { sipUri } },
  });
  const queueId = await made('/v1/queues', { name: 'Always' });
  const mode = { kind: 'copilot', maxConcurrentCalls: 10 };
  const reattempt = { retriesMax: 0 };
  await made('/v1/engagements', {
    ...{ name: 'confirmDelivery', workstreamId, queueId, config: { mode, reattempt } },
  });
  const smsStream = { name: 'Texts', channel: 'sms', number: '+12025550100' };
  await made('/v1/engagements', {
    ...{ name: 'deliveryBySms', channel: 'sms', queueId },
    workstreamId: await made('/v1/workstreams', smsStream),
    config: { template: 'Your parcel is here.' },
  });
  const quietTimeId = await made('/v1/consent/quiet-times', {
    ...{ name: 'evenings', timeZone: 'journey', quiet: quietHours() },
  });
  for (const [name, channels] of [
    ['deliveries', ['voice']],
    ['deliveryMessages', ['sms', 'email']],
  ] as const) {
    const profileId = await made('/v1/consent/profiles', { name, channels, quietTimeId });
    const purpose = { name: 'deliveryUpdates', type: 'transactional', profileIds: [profileId] };
    await made('/v1/consent/purposes', purpose);
  }
  const triggerIds = new Map<string, string>();
  for (const [name, kind] of [
    ['deliveryConfirmed', 'custom'],
    ['deliveryCancelled', 'business'],
  ] as const) {
    triggerIds.set(name, await made('/v1/triggers', { name, kind, state: 'ready' }));
  }
  await made('/v1/opt-outs', { number: PEOPLE.optedOut });

  const database = await openSqlite({ file: service.storeFile, nowMs: Date.now });
  t.teardown(() => database.close());
  const contacts = new Map<Person, string>();
  const deliveryDate = new Date(Date.now() + 86_400_000).toISOString();
  for (const [person, mobile] of Object.entries(PEOPLE) as [Person, string][]) {
    const labOutcome = person === 'otherDay' ? { labOutcome: 'Reschedule' } : {};
    const contact = {
      ...{ uniqueIdentifier: person, phones: { mobile }, email: `${person}@example.com` },
      attributes: { deliveryDate, ...labOutcome },
    };
    contacts.set(person, await made('/v1/contacts', contact));
  }
  await made('/v1/contacts', {
    ...{ uniqueIdentifier: 'next week', phones: { mobile: '+12065550105' } },
    attributes: { deliveryDate: new Date(Date.now() + 7 * 86_400_000).toISOString() },
  });
  const segmentId = await made('/v1/segments', {
    ...{ name: 'deliveryTomorrow', kind: 'dynamic', evaluation: 'ongoing' },
    condition: { from: 'contact', attribute: 'deliveryDate', operator: 'inNext', value: '2d' },
  });
  const members = async () => (await service.ask(`/v1/segments/${segmentId}`))['memberCount'];
  await until('everybody is in the segment', async () => (await members()) === contacts.size);

  const journeyId = await made('/v1/journeys', referenceJourney());
  const published = await service.ask(`/v1/journeys/${journeyId}/publish`, {});
  t.match(published, { state: 'live' });

  await until('it rings where the delivery is about to be cancelled', () =>
    lab.invites.some(({ number }) => number === PEOPLE.cancelled),
  );
  const cancelled = `/v1/triggers/${triggerIds.get('deliveryCancelled') ?? ''}/occurrences`;
  await service.ask(cancelled, { contactId: contacts.get('cancelled'), attributes: {} });

  let isSaid = false;
  const runs = () => database.db.selectFrom('journey_runs').selectAll().execute();
  await until('everybody came through', async () => {
    isSaid ||= await sayCallBack(database, contacts.get('callBack') ?? '');
    const inside = await runs();
    return inside.length === contacts.size && inside.every(({ status }) => status === 'exited');
  }).catch(async (error: unknown) => {
    t.fail(`${String(error)}\n${JSON.stringify(await runs())}\n${service.said}`);
  });

  for (const [person, contactId] of contacts) {
    const path = await database.db
      .selectFrom('journey_path')
      .selectAll()
      .where('contact_id', '=', contactId)
      .where('kind', '=', 'step')
      .orderBy('n')
      .execute();
    t.same(
      path.map(({ step_id: step }) => step),
      PATHS[person],
      `${person}: the way of ${PEOPLE[person]}`,
    );
  }
  const asked = lab.invites.filter(({ number }) => number.includes('2065550104'));
  t.same(asked, [], 'who opted out was never rung');
  t.match(posts, [
    { signature: /^v1=[0-9a-f]{64}$/, body: { message: 'deliveryEmail', channel: 'email' } },
  ]);
  const activities = await database.db.selectFrom('journey_activities').selectAll().execute();
  t.match(activities, [{ kind: 'task', assigned_to: 'planning' }]);
  const deliveries = await database.db.selectFrom('deliveries').selectAll().execute();
  t.equal(deliveries.length, 7, 'one call each, two for who asked to be called back');
  const ended = deliveries.find((delivery) => delivery.contact_id === contacts.get('cancelled'));
  t.match(
    ended,
    { result: 'Cancelled' },
    '[JRN-40] and who is not to be called any more is let go',
  );
  t.ok(
    deliveries.every(({ journey_id: id, journey_run_id: run }) => id === journeyId && run !== null),
    '[API-37] each carries its journey and its run',
  );
});
