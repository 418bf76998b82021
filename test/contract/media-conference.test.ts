/**
 * Conferences as drachtio-fsmrf makes and joins them: everybody hears the others, a monitor only
 * listens, a whisper reaches one. Asked of the embedded switch and of a real FreeSWITCH.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Test } from 'tap';
import { mediaContract, type MediaTarget } from '../support/media-target.ts';
import { eventOf, heard, stage, type Leg, type Stage } from '../support/media-stage.ts';
import type { EslEvent } from '../support/mrf-client.ts';

interface Participant extends Leg {
  readonly memberId: number;
}

async function joined(scene: Stage, name: string, flags?: Record<string, boolean>) {
  const leg = await scene.leg();
  const { memberId } = await leg.endpoint.join(name, flags === undefined ? {} : { flags });
  await heard(leg.endpoint);
  return { ...leg, memberId };
}

async function command(scene: Stage, text: string): Promise<string> {
  return scene.mrf.api(`conference ${text}`);
}

/** Resolves when the far end has had a quarter of a second without that tone. */
async function isSpared({ far }: Participant, frequencyHz: number): Promise<boolean> {
  far.forget();
  await far.until(() => far.audioPackets >= 13, 'a quarter of a second');
  return !far.heard(frequencyHz);
}

function speaking(t: Test, target: MediaTarget): void {
  t.test('three hear each other, and nobody hears himself', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [a, b, c] = [
      await joined(scene, name),
      await joined(scene, name),
      await joined(scene, name),
    ];
    t.equal((await command(scene, `${name} list count`)).trim(), '3');
    a.far.speak(500);
    await Promise.all([b.far.hears(500), c.far.hears(500)]);
    t.ok(await isSpared(a, 500), 'nobody hears himself');
    a.far.hush();
    b.far.speak(900);
    await Promise.all([a.far.hears(900), c.far.hears(900)]);
    const line = (await command(scene, `${name} list`)).split('\n')[0] ?? '';
    t.match(line, /^\d+;sofia\/drachtio_mrf\/[^;]*;[0-9a-f-]{36};/);
    t.match(line, /;hear\|speak/);
  });

  t.test('mute, deaf and their opposites', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [a, b] = [await joined(scene, name), await joined(scene, name)];
    a.far.speak(500);
    await b.far.hears(500);
    t.equal(await command(scene, `${name} mute ${a.memberId}`), `+OK mute ${a.memberId}\n`);
    t.ok(await isSpared(b, 500));
    await command(scene, `${name} unmute ${a.memberId}`);
    await b.far.hears(500);
    t.equal(await command(scene, `${name} deaf ${b.memberId}`), `+OK deaf ${b.memberId}\n`);
    t.ok(await isSpared(b, 500));
    await command(scene, `${name} undeaf ${b.memberId}`);
    await b.far.hears(500);
  });

  t.test('a monitor listens and is not heard', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [rep, customer] = [await joined(scene, name), await joined(scene, name)];
    const monitor = await joined(scene, name, { mute: true });
    monitor.far.speak(1_300);
    customer.far.speak(500);
    await Promise.all([monitor.far.hears(500), rep.far.hears(500)]);
    t.ok(await isSpared(rep, 1_300));
    t.ok(await isSpared(customer, 1_300));
  });

  t.test('a whisper is heard by one alone, who hears the rest as before', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [rep, customer, coach] = [
      await joined(scene, name),
      await joined(scene, name),
      await joined(scene, name, { mute: true }),
    ];
    const [c, k] = [customer.memberId, coach.memberId];
    t.equal(
      await command(scene, `${name} relate ${k} ${c} nospeak`),
      `+OK ${k}->${c} nospeak set\n`,
    );
    await command(scene, `${name} unmute ${k}`);
    coach.far.speak(1_300);
    await rep.far.hears(1_300);
    t.ok(await isSpared(customer, 1_300), 'not a moment of it');
    coach.far.hush();
    rep.far.speak(700);
    await Promise.all([customer.far.hears(700), coach.far.hears(700)]);
    t.match(await command(scene, `${name} relate ${k} ${c} clear`), /^\+OK relationship/);
    rep.far.hush();
    coach.far.speak(1_300);
    await customer.far.hears(1_300);
  });

  t.test('nohear shuts one member’s ears to another', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [a, b, c] = [
      await joined(scene, name),
      await joined(scene, name),
      await joined(scene, name),
    ];
    await command(scene, `${name} relate ${b.memberId} ${a.memberId} nohear`);
    a.far.speak(500);
    await c.far.hears(500);
    t.ok(await isSpared(b, 500));
    t.match(await command(scene, `${name} relate 999 ${a.memberId} nohear`), /^-ERR relationship/);
  });
}

/** FreeSWITCH takes a room down a moment after its last member: it is asked until it has. */
async function sizeAtTheEnd(scene: Stage, name: string): Promise<string> {
  for (;;) {
    const answer = await command(scene, `${name} list count`);
    if (!/^\d+\s*$/.test(answer)) return answer;
  }
}

function living(t: Test, target: MediaTarget): void {
  t.test('createConference has a silent leg of its own, and ends with it', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const conference = await scene.mrf.createConference(name);
    t.equal(await conference.getSize(), 1); // by then its events are subscribed to
    const added = once(conference, 'addMember') as Promise<[EslEvent]>;
    const member = await joined(scene, name);
    const [event] = await added;
    t.equal(event.getHeader('Conference-Name'), name);
    t.equal(event.getHeader('Member-ID'), String(member.memberId));
    t.equal(event.getHeader('Conference-Unique-ID'), conference.uuid);
    t.equal(await conference.getSize(), 2);
    // Not `destroy`, which waits for a BYE, nor what becomes of the others: its leg has the flag endconf,
    // after which FreeSWITCH lets them stay for a profile's grace time.
    t.equal(await scene.mrf.api(`uuid_kill ${conference.endpoint.uuid}`), '+OK\n');
  });

  t.test('a file is played to everybody, and its end is told', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const conference = await scene.mrf.createConference(name);
    const [a, b] = [await joined(scene, name), await joined(scene, name)];
    const [played] = await Promise.all([
      conference.play('tone_stream://%(600,0,700)'),
      a.far.hears(700),
      b.far.hears(700),
    ]);
    // FreeSWITCH counts a tone twice: 1200 here (measured).
    t.ok(played.milliseconds >= 580 && played.milliseconds <= 1_300, `${played.milliseconds} ms`);
    t.match(
      await command(scene, `${name} play tone_stream://%(600,0,1100) ${a.memberId}`),
      /^\+OK \(play\) Playing file tone_stream:\S+ to member \d+\n$/,
    );
    await a.far.hears(1_100);
    t.notOk(b.far.heard(1_100), 'nobody else hears what one is played');
    t.match(
      await command(scene, `${name} play /no/such/file.wav`),
      /^-ERR \(play\) File: .* not found/,
    );
    t.equal(await scene.mrf.api(`uuid_kill ${conference.endpoint.uuid}`), '+OK\n'); // as above
  });

  t.test('who is kicked goes on as a channel; who hangs up leaves', async (t) => {
    const scene = await stage(t, target);
    const name = `room-${randomUUID()}`;
    const [a, b] = [await joined(scene, name), await joined(scene, name)];
    const left = eventOf(a.endpoint, 'CHANNEL_EXECUTE_COMPLETE');
    t.equal(await command(scene, `${name} kick ${a.memberId}`), `+OK kicked ${a.memberId}\n`);
    t.equal((await left).getHeader('Application'), 'conference');
    await Promise.all([a.endpoint.play('tone_stream://%(400,0,900)'), a.far.hears(900)]);
    const gone = once(b.endpoint, 'destroy');
    await b.endpoint.dialog.destroy();
    await gone;
    t.match(await sizeAtTheEnd(scene, name), /not found/, 'it ends with its last member');
  });

  t.test('what is not there is said so', async (t) => {
    const scene = await stage(t, target);
    t.equal(await command(scene, 'nobody list'), '-ERR Conference nobody not found\n');
    t.match(await command(scene, 'nobody kick 1'), /not found/);
  });
}

await mediaContract(async (t, target) => {
  for (const part of [speaking, living]) await t.test(part.name, async (t) => part(t, target));
});
