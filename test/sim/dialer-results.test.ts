/** Goal: each of the 16 results of a call comes about in the dialer, and is stored as it is named. */
import assert from 'node:assert/strict';
import t from 'tap';
import type { Result } from '../../machines/result.ts';
import { RESULTS } from '../../machines/result.ts';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const answered = (verdict: 'human' | 'machine' | 'fax' | 'silence'): FarEnd => {
  return { does: 'answer', afterMs: 3_000, hangUpAfterMs: 20_000, verdict };
};

/** By the last two digits of the number. */
const FAR_ENDS: Readonly<Record<string, FarEnd>> = {
  '01': answered('human'),
  '02': answered('machine'),
  '03': answered('silence'),
  '04': answered('fax'),
  '05': { does: 'reject', statusCode: 486 },
  '06': { does: 'ring' },
  '07': { does: 'reject', statusCode: 404 },
  '08': { does: 'reject', statusCode: 503 },
};
const REP_LED: Readonly<Record<string, Result>> = {
  '01': 'LiveAnswer',
  '02': 'AnsweringMachineHangup',
  '03': 'Undetermined',
  '04': 'NotAHandset',
  '05': 'Busy',
  '06': 'NoAnswer',
  '07': 'InvalidAddress',
  '08': 'CallFailed',
};

t.test('[OUT-01] all 16 results come about, and are stored as they are named', async (t) => {
  const world = await DialerWorld.open(t, {
    farEnd: (destination) => FAR_ENDS[destination.slice(-2)] ?? answered('human'),
    withAgent: true,
  });
  await world.start();
  const stored = new Map<string, string>();
  const keep = async (taskId: string, expected: Result): Promise<void> => {
    const { last_result: result, state } = await world.task(taskId);
    t.same([result, state], [expected, 'final'], expected);
    const deliveries = await world.deliveries(taskId);
    if (deliveries.length > 0) t.equal(deliveries.at(-1)?.result, expected, 'of its delivery too');
    stored.set(expected, taskId);
  };
  const person = (digits: string) => [
    { uniqueIdentifier: `n-${digits}`, phones: { mobile: `+15555550${digits}` } },
  ];
  const { desk } = world.dialer;
  const signOn = async (engagementId: string): Promise<string> => {
    const { queue_id: queueId } = await world.engagementRow(engagementId);
    const id = await world.db.transaction().execute(async (tx) => {
      const input = { name: 'ada', sipUri: 'sip:ada@127.0.0.1', queueIds: [queueId] };
      const { id } = await createRepresentativeIn(tx, world.writer, input);
      await setPresenceIn(tx, world.writer, id, 'available');
      return id;
    });
    await desk.changed(id);
    await world.settle();
    return id;
  };
  desk.subscribe(({ work, representativeId }) => {
    if (work === 'wrapUp') desk.wrapUpDone(representativeId);
  });

  const answering = { amdAction: 'hangup', customerWaitThresholdSeconds: 6 };
  const repLed = { engagementType: 'repLed', mode: { kind: 'progressive' } };
  const message = { ...answering, amdAction: 'leaveMessage', amdMessage: 'Call us back.' };
  const stopRule = { percent: 100, lookbackMinutes: 60 };
  const abandonedMessage = { text: 'Nobody was free.' };
  const hangsUp = await world.engagement({
    config: { ...repLed, answering: { ...answering, stopRule, abandonedMessage } },
  });
  await signOn(hangsUp);
  const dialled = new Map<string, Result>();
  for (const [digits, result] of Object.entries(REP_LED)) {
    const [task = ''] = await world.tasks(hangsUp, person(`1${digits}`));
    dialled.set(task, result);
  }
  const leaves = await world.engagement({
    config: { ...repLed, answering: { ...message, stopRule, abandonedMessage } },
  });
  await signOn(leaves);
  const [voicemail = ''] = await world.tasks(leaves, person('202'));
  await world.advance(10 * MINUTE_MS);
  for (const [task, result] of dialled) await keep(task, result);
  await keep(voicemail, 'AnsweringMachine');

  world.gateway.agent = { does: 'fail', afterMs: 500 };
  const aiLed = await world.engagement({ config: { aiFailure: { action: 'none' } } });
  const [botFailed = ''] = await world.tasks(aiLed, person('301'));
  await world.advance(MINUTE_MS);
  await keep(botFailed, 'BotFailed');
  const nobody = [{ uniqueIdentifier: 'nobody', phones: {} }];
  const [error = ''] = await world.tasks(aiLed, nobody);
  await world.advance(MINUTE_MS);
  await keep(error, 'Error');

  const preview = await world.engagement({ config: { mode: { kind: 'preview' } } });
  const ada = await signOn(preview);
  const [ended = ''] = await world.tasks(preview, person('401'));
  await world.settle();
  desk.accept(ada, desk.get(ada)?.invitation?.id ?? '');
  await world.advance(2_000);
  const offers = world.dialer.previewOf(ada);
  assert(offers !== undefined);
  offers.start(ada, null, []);
  await world.advance(MINUTE_MS);
  await keep(ended, 'CallEnded');
  const soon = [{ startMs: world.nowMs, endMs: world.nowMs + 10_000 }];
  const [terminated = ''] = await world.tasks(preview, person('402'), { windows: soon });
  await world.advance(MINUTE_MS);
  await keep(terminated, 'Terminated');

  const { businessUnitId } = world;
  const request = { engagementId: aiLed, businessUnitId, actor: 'operator' };
  await world.dialer.suspend({ ...request, suspension: { type: 'apiAction', reason: 'noon' } });
  const [expired = ''] = await world.tasks(aiLed, person('501'), {
    windows: [{ startMs: world.nowMs, endMs: world.nowMs + 10_000 }],
  });
  const [cancelled = ''] = await world.tasks(aiLed, person('502'));
  await world.dialer.cancelTask({ taskId: cancelled, businessUnitId, actor: 'o', reason: 'r' });
  await world.advance(MINUTE_MS);
  await keep(expired, 'Expired');
  await keep(cancelled, 'Cancelled');
  await world.dialer.resume(request);

  const [unknown = ''] = await world.tasks(aiLed, person('601'), {
    windows: [{ startMs: world.nowMs, endMs: world.nowMs + HOUR_MS }],
  });
  await world.advance(2_000);
  world.kill();
  world.gateway.forget();
  await world.start();
  await world.advance(5 * MINUTE_MS);
  await keep(unknown, 'Unknown');
  t.same([...stored.keys()].sort(), [...RESULTS].sort());
  await world.check();
});
