/** What every TelephonyPort has to hold, whatever lies between the dialer and its gateway. */
import type { Test } from 'tap';
import { createActor, toPromise } from 'xstate';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { CallAttemptInput } from '../../machines/call-attempt.events.ts';
import { TelephonyActors } from '../../machines/telephony-actor.ts';
import type { CommandOf } from '../../machines/telephony-commands.ts';
import { isAttemptEvent, type TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { ATTEMPT_INPUT, body } from './attempt-under-test.ts';
import { ScriptedGateway } from './scripted-gateway.ts';

export const GATEWAY = 'g1';

export interface PortTarget {
  readonly name: string;
  /** Replies may get lost: then nobody may wait for one without a limit. */
  readonly losesReplies: boolean;
  /** Whoever owns the attempts is told of events from here on. Closed with the test. */
  readonly join: (t: Test, gateway: ScriptedGateway) => Promise<TelephonyPort>;
}

export function dialOf(attemptId: string, seq = 1, fence = 7): CommandOf<'attempt.dial'> {
  const { dial } = ATTEMPT_INPUT;
  return {
    ...{ type: 'attempt.dial', ...dial, gatewayId: GATEWAY, attemptId, fence, seq },
    ...{ atMs: Date.now(), notAfterMs: Date.now() + 60_000 },
  };
}

function dtmfOf(attemptId: string, seq: number, fence = 7): CommandOf<'attempt.sendDtmf'> {
  const digits = String((seq % 9) + 1);
  return { type: 'attempt.sendDtmf', attemptId, fence, seq, atMs: 1, digits, toneMs: 100 };
}

/** Resolves once as many events have been heard as are wished for. */
export function heard(port: TelephonyPort, isEnough: (event: TelephonyEvent) => boolean) {
  return new Promise<void>((resolve) => {
    const stop = port.subscribe((event) => {
      if (!isEnough(event)) return;
      stop();
      resolve();
    });
  });
}

export function holdsTheContract(t: Test, target: PortTarget): void {
  const { name, losesReplies, join } = target;

  t.test(`${name}: a command comes through as it was, and its reply comes back`, async (t) => {
    const gateway = new ScriptedGateway();
    const port = await join(t, gateway);
    const dial = { ...dialOf('whole'), headers: { 'X-Note': 'ünïcode "quoted" {braces}' } };
    const replies = port.send(dial);
    await gateway.until(() => gateway.acted.length === 1);
    t.strictSame(gateway.acted, [dial]);
    if (losesReplies) return;
    t.strictSame(await replies, { accepted: true });
    const refused = await port.send({ ...dtmfOf('whole', 2), digits: '0' });
    t.strictSame(refused, { accepted: false, code: 'BAD_STATE', detail: 'nobody is there' });
    const ask = { type: 'attempt.query', attemptId: 'whole', fence: 7, seq: 3, atMs: 1 } as const;
    const state = { attemptId: 'whole', fence: 7, phase: 'starting' };
    t.strictSame(await port.send(ask), { accepted: true, state });
  });

  t.test(
    `${name}: what is sent again is done once, and an owner of before is refused`,
    async (t) => {
      const gateway = new ScriptedGateway();
      const port = await join(t, gateway);
      void port.send(dialOf('again')).catch(() => undefined);
      void port.send(dialOf('again')).catch(() => undefined);
      void port.send(dtmfOf('again', 2)).catch(() => undefined);
      await gateway.until(() => gateway.acted.length === 2);
      void port.send(dtmfOf('again', 1, 8)).catch(() => undefined);
      await gateway.until(() => gateway.acted.length === 3);
      const { received } = gateway;
      const stale = port.send(dtmfOf('again', 3));
      await gateway.until(() => gateway.received > received);
      const acted = gateway.actedOn('again').map(({ fence, seq }) => `${fence}.${seq}`);
      t.strictSame(acted, ['7.1', '7.2', '8.1']);
      if (!losesReplies) t.match(await stale, { accepted: false, code: 'STALE_FENCE' });
      else stale.catch(() => undefined);
    },
  );

  t.test(`${name}: of 30 attempts at once each keeps its order, both ways`, async (t) => {
    const gateway = new ScriptedGateway();
    const port = await join(t, gateway);
    const ids = Array.from({ length: 30 }, (_, n) => `many-${n}`);
    const numbers = Array.from({ length: 20 }, (_, n) => n + 2);
    const news = new Map<string, number[]>(ids.map((id) => [id, []]));
    let fresh = 0;
    const all = heard(port, (event) => {
      if (!isAttemptEvent(event)) return false;
      const seen = news.get(event.attemptId) ?? [];
      if (!seen.includes(event.seq)) fresh += 1;
      if (!seen.includes(event.seq)) seen.push(event.seq);
      return fresh === ids.length * numbers.length;
    });
    for (const id of ids) void port.send(dialOf(id)).catch(() => undefined);
    for (const seq of numbers) {
      for (const id of ids) void port.send(dtmfOf(id, seq)).catch(() => undefined);
    }
    await gateway.until(() => gateway.acted.length === ids.length * (numbers.length + 1));
    numbers.forEach(() => {
      for (const id of ids) gateway.tell(id, body('alerting'));
    });
    await all;
    for (const id of ids) {
      const order = gateway.actedOn(id).map(({ seq }) => seq);
      t.strictSame(order, [1, ...numbers], `commands of ${id}`);
      t.strictSame(
        news.get(id),
        numbers.map((seq) => seq - 1),
        `events of ${id}`,
      );
    }
  });

  t.test(`${name}: everybody who listens hears everything, and nothing after`, async (t) => {
    const gateway = new ScriptedGateway();
    const port = await join(t, gateway);
    const heardBy: string[][] = [[], []];
    const stops = heardBy.map((list) => port.subscribe(({ type }) => list.push(type)));
    const sent = heard(port, ({ type }) => type === 'attempt.sent');
    void port.send(dialOf('two')).catch(() => undefined);
    await gateway.until(() => gateway.acted.length === 1);
    gateway.tell('two', body('sent'));
    await sent;
    stops[0]?.();
    const answered = heard(port, ({ type }) => type === 'attempt.answered');
    gateway.tell('two', body('answered'));
    await answered;
    const [first, second] = heardBy.map((list) => [
      ...new Set(list.filter((type) => type.startsWith('attempt.'))),
    ]);
    t.strictSame(first, ['attempt.sent']);
    t.strictSame(second, ['attempt.sent', 'attempt.answered']);
  });

  t.test(`${name}: 40 whole calls end as they should, each dialled once`, async (t) => {
    const gateway = new ScriptedGateway({ playsCalls: true });
    const port = await join(t, gateway);
    const ended = await wholeCalls(t, port, 40, losesReplies ? { waits: LOSSY_WAITS } : {});
    t.strictSame(new Set(ended), COMPLETED);
    const dials = gateway.acted.filter(({ type }) => type === 'attempt.dial');
    t.equal(dials.length, 40);
    const asked = gateway.acted.filter(({ type }) => type === 'attempt.query');
    if (!losesReplies) t.strictSame(asked, [], 'none was in doubt');
  });
}

/** Real machines, as the dialer has them; a reply is waited for briefly. Their Results. */
export async function wholeCalls(
  t: Test,
  port: TelephonyPort,
  count: number,
  more: Partial<CallAttemptInput> = {},
): Promise<string[]> {
  const actors = new TelephonyActors(port, () => Date.now());
  t.teardown(() => actors.close());
  const machine = callAttemptMachine.provide({ actors: { telephony: actors.logic } });
  const dial = { ...ATTEMPT_INPUT.dial, gatewayId: GATEWAY, notAfterMs: Date.now() + 60_000 };
  const calls = Array.from({ length: count }, (_, n) => {
    const input = { ...ATTEMPT_INPUT, dial, attemptId: `call-${n}`, ...more };
    return createActor(machine, { input }).start();
  });
  const outputs = await Promise.all(calls.map((call) => toPromise(call)));
  return outputs.map(({ result, subReason }) => `${result} ${subReason ?? ''}`);
}

/** Answered, spoken to, hung up by us. */
export const COMPLETED = new Set(['Undetermined not_classified']);
/** A reply that does not come is waited for in vain. */
const LOSSY_WAITS = { replyMs: 150, queryMs: 150 };
