/**
 * Goal: a representative's conversation outlives the dialer that made it. Dialer, gateway and switch are
 * processes of their own over Redis; phones are heard. Also: preview over SIP and RTP, with the number
 * chosen and the line heard before the answer.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RepresentativePhone } from '../../lab/representative-phone.ts';
import type { Json } from '../support/api-rig.ts';
import { CustomerPhone } from '../support/customer-phone.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServiceProcess } from '../support/service-process.ts';
import { SwitchProcess } from '../support/switch-process.ts';

t.setTimeout(200_000);

const WITHIN_MS = 45_000;
const LOOK_MS = 100;
const REP_HZ = 500;
const EARLY_HZ = 650;
const TALK_HZ = 1_200;

async function install(t: Test) {
  const [redis, switchProcess, customers, phone] = await Promise.all([
    RedisServer.start(),
    SwitchProcess.start(t),
    CustomerPhone.open(),
    RepresentativePhone.open({ host: '127.0.0.1', voiceHz: REP_HZ }),
  ]);
  t.teardown(() => Promise.all([redis.stop(), customers.close(), phone.close()]));
  customers.isEarly = true;
  const trunk = { name: 'far', address: customers.address, callerId: '+12025550100' };
  const folder = t.testdir({
    'ringfence.yaml': JSON.stringify({
      bus: { nodes: [redis.node], heartbeatMs: 300, gatewayLostMs: 3_000 },
      dialer: { stopGraceMs: 0 },
      gateway: { trunks: [trunk], trunkCheckIntervalMs: 0 },
    }),
  });
  const start = (only: string, env: Record<string, string>): Promise<ServiceProcess> =>
    ServiceProcess.start(t, {
      args: ['--only', only, '--config', join(folder, 'ringfence.yaml')],
      env: { ...switchProcess.env, ...env },
    });
  await start('gateway', { RINGFENCE_GATEWAY_ID: 'gateway-1' });
  const dialer = () => start('dialer', { RINGFENCE_STORE_FILE: join(folder, 'store.db') });
  return { customers, phone, dialer };
}

/** As the first dialer's admin, of whichever dialer there is. */
class Desktop {
  service: ServiceProcess;
  readonly #key: string;
  id = '';

  constructor(service: ServiceProcess) {
    this.service = service;
    this.#key = service.key;
  }

  async ask(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
    const response = await fetch(`${this.service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Json;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Theirs, once they do that. */
  async until(work: string): Promise<Json> {
    const endAtMs = Date.now() + WITHIN_MS;
    for (;;) {
      const seen = await this.ask(`/v1/representatives/${this.id}`);
      if (seen['work'] === work) return seen;
      if (Date.now() > endAtMs) throw new Error(`${String(seen['work'])}, and not ${work}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** One contact with three numbers, and a representative who is there for it. */
async function engage(desktop: Desktop, sipUri: string): Promise<string> {
  const made = async (path: string, body: Json) => String((await desktop.ask(path, body))['id']);
  const workstreamId = await made('/v1/workstreams', {
    ...{ name: 'People', trunk: 'far', number: '+12025550100' },
  });
  const queueId = await made('/v1/queues', { name: 'Always' });
  const engagementId = await made('/v1/engagements', {
    ...{ name: 'Renewals', workstreamId, queueId },
    config: { mode: { kind: 'preview' }, phoneTypes: ['mobile', 'business', 'home'] },
  });
  const phones = { mobile: '+12065551001', business: '+12065551002', home: '+12065551003' };
  for (const [uniqueIdentifier, numbers] of [
    ['P-1', phones],
    ['P-2', { mobile: '+12065552001' }],
  ] as const) {
    await made('/v1/tasks', { engagementId, contacts: [{ uniqueIdentifier, phones: numbers }] });
  }
  desktop.id = await made('/v1/representatives', { name: 'Ada', sipUri, queueIds: [queueId] });
  await desktop.ask(`/v1/representatives/${desktop.id}/presence`, { presence: 'available' }, 'PUT');
  return engagementId;
}

t.test(
  '[DM-15] [WS-18] a conversation outlives its dialer, and is nobody else’s meanwhile',
  async (t) => {
    const { customers, phone, dialer } = await install(t);
    const first = await dialer();
    const desktop = new Desktop(first);
    await engage(desktop, phone.address);
    const me = `/v1/representatives/${desktop.id}`;
    const { reservation } = await desktop.until('invited');
    const [ringing, rung] = [phone.nextCall(), customers.nextCall()];
    const { invitationId } = reservation as { invitationId: string };
    await desktop.ask(`${me}/invitations/${invitationId}/accept`, {});
    const lobby = await ringing;
    await desktop.until('reserved');
    await desktop.ask(`${me}/preview/start`, { phoneType: 'home' });
    const customer = await rung;
    customer.media.speak(EARLY_HZ);
    await lobby.heard.until(EARLY_HZ);
    t.pass('before the answer the representative hears the line');
    customer.pickUp();
    customer.media.speak(TALK_HZ);
    await lobby.heard.until(TALK_HZ);
    await customer.media.hears(REP_HZ);
    await desktop.until('connected');

    first.signal('SIGKILL');
    await first.end();
    const sinceMs = performance.now();
    await lobby.heard.until(TALK_HZ, 60, sinceMs);
    t.pass('they talk on without it');
    desktop.service = await dialer();
    t.match(await desktop.until('connected'), {
      reservation: { engagementName: 'Renewals', attemptId: String },
    });
    const againMs = performance.now();
    await lobby.heard.until(TALK_HZ, 60, againMs);
    await customer.media.hears(REP_HZ);
    t.notOk(lobby.isOver || customer.isOver, 'and with the next one');
    t.equal(phone.calls.length, 1, 'whose phone is not rung again');
    const { items } = (await desktop.ask('/v1/deliveries')) as { items: readonly Json[] };
    t.match(items, [{ phoneType: 'home' }], 'the number that was chosen; nobody else is called');

    customer.hangUp();
    await desktop.until('wrapUp');
    t.notOk(lobby.isOver, 'the lobby leg waits');
    await desktop.ask(`${me}/wrap-up/end`, { dispositionCodes: [] });
    t.match(await desktop.until('invited'), { reservation: { engagementName: 'Renewals' } });
    t.equal(phone.calls.length, 1);
  },
);
