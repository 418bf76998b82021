/**
 * Goal: what a customer hears and does is what the law and the dialer ordered, proved by what the far
 * end recorded over SIP and RTP, in real time, with the audio tapped and the detectors at work.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import { SpeechConfig } from '../../config/speech.schema.ts';
import { startLab } from '../../lab/start-lab.ts';
import { NUMBER_PLAN } from '../../lab/number-plan.ts';
import type { Detection } from '../../machines/telephony-commands.ts';
import { decodeWav, encodeWav } from '../../softswitch/media/wav.ts';
import { EdgeStand } from '../support/edge-stand.ts';
import { OUR_HOST } from '../support/named-servers.ts';
import { findPlayed, joined, silence, soundEndMs, toneOf } from '../support/recorded-audio.ts';

t.setTimeout(240_000);

const SPEECH = Value.Create(SpeechConfig);
const DETECTION: Detection = { mode: 'beforeConnect', limitMs: 4_000, initialSilenceMs: 2_500 };

function speech(name: string): Int16Array {
  return decodeWav(readFileSync(new URL(`../../lab/audio/${name}.wav`, import.meta.url))).pcm;
}

const promptsDir = t.testdir();
/** Speech, so that nothing about it is special to the detectors. */
const message = speech('agent-greeting');
await writeFile(join(promptsDir, 'message.wav'), encodeWav(message));

/** How a gateway hears: as beside the embedded switch, and as with a FreeSWITCH on another host. */
const FIFO = { name: 'fifo', gateway: {} };
const DATAGRAMS = { name: 'datagrams', gateway: { embedded: false } };
const isAlongside = OUR_HOST === '127.0.0.1';
const taps = isAlongside ? [FIFO, DATAGRAMS] : [DATAGRAMS];
/** While a prompt plays datagrams carry nothing: what is heard then is proved beside a switch. */
const ALONGSIDE = isAlongside ? {} : { skip: 'NOT RUN: FreeSWITCH is on another host' };

const stands = await Promise.all(
  taps.map((tap) => EdgeStand.start(t, { gateway: { promptsDir, ...tap.gateway } })),
);
const stand = stands[0] as EdgeStand;

for (const [index, { name: tap }] of taps.entries()) {
  void t.test(`[DM-27] a voicemail text is recorded whole, and after the beep: ${tap}`, (t) =>
    leavesMessage(t, stands[index] as EdgeStand),
  );
  void t.test(`[DM-31] [DM-32] an abandoned person’s message begins within 2 s: ${tap}`, (t) =>
    saysAbandonedMessage(t, stands[index] as EdgeStand),
  );
}

async function leavesMessage(t: Test, stand: EdgeStand): Promise<void> {
  const greeting = speech('voicemail-1');
  const call = stand.phone.nextCall();
  await stand.dial('voicemail', { detection: DETECTION });
  const { media, ended } = await call;
  const beepOverAt = media.say(joined(silence(300), greeting, silence(600), toneOf([1_000], 400)));
  const { verdict, evidence } = await stand.until('voicemail', 'attempt.classified');
  t.equal(verdict, 'machine', JSON.stringify(evidence));
  await stand.play('voicemail', { playId: 'p', prompts: ['message'], when: 'afterGreeting' });
  const overAtMs = await beepOverAt;
  const { status } = await stand.until('voicemail', 'attempt.played');
  t.equal(status, 'done');
  t.ok(stand.told('voicemail').includes('beep'), 'the beep was told');
  await stand.hangup('voicemail');
  await ended;
  const found = findPlayed(media, message);
  t.equal(found?.times, 1, 'it was begun once');
  t.ok(
    (found?.fromMs ?? 0) > overAtMs,
    `begun ${(found?.fromMs ?? 0) - overAtMs} ms after the beep`,
  );
  t.ok((found?.fromMs ?? Infinity) < overAtMs + 1_500, 'and soon after it');
  t.ok((found?.wholeRatio ?? 0) > 0.97, `${found?.wholeRatio} of it was recorded`);
}

async function saysAbandonedMessage(t: Test, stand: EdgeStand): Promise<void> {
  const hello = speech('hello-2');
  const call = stand.phone.nextCall();
  await stand.dial('abandoned', {
    detection: DETECTION,
    failsafe: {
      ...{ clockFrom: 'greetingEnd', connectWithinMs: 1_800, ceilingAfterAnswerMs: 10_000 },
      ...{ promptId: 'message', optOutDigits: '' },
    },
  });
  const { media, ended } = await call;
  const startedAtMs = performance.now();
  await media.say(joined(silence(400), hello, silence(200)));
  const greetingEndedAtMs = startedAtMs + 400 + soundEndMs(hello);
  const { verdict, evidence } = await stand.until('abandoned', 'attempt.classified');
  t.equal(verdict, 'human', JSON.stringify(evidence));
  await stand.until('abandoned', 'attempt.ended');
  await ended;
  const found = findPlayed(media, message);
  const afterMs = (found?.fromMs ?? Infinity) - greetingEndedAtMs;
  t.ok(afterMs <= 2_000, `it began ${Math.round(afterMs)} ms after the greeting’s end`);
  t.ok((found?.wholeRatio ?? 0) > 0.97, `${found?.wholeRatio} of it was heard`);
  t.same(
    stand.told('abandoned').filter((type) => type !== 'alerting' && type !== 'sent'),
    ['answered', 'classified', 'greetingEnded', 'connectFailed', 'played', 'ended'],
  );
}

const DTMF_9 = [852, 1_477] as const;
for (const source of ['rtp', 'info', 'inband'] as const) {
  const where = source === 'inband' ? ALONGSIDE : {};
  t.test(`[DM-32] a digit opts out while a message plays, by ${source}`, where, async (t) => {
    const attemptId = `opt-out-${source}`;
    const call = stand.phone.nextCall();
    await stand.dial(attemptId);
    const customer = await call;
    const { media, ended } = customer;
    await stand.until(attemptId, 'attempt.answered');
    await media.say(silence(100));
    await stand.play(attemptId, {
      playId: 'p',
      prompts: ['message', 'message'],
      optOutDigits: '9',
    });
    await media.until(() => media.level(5) > 1_000, 'the message');
    const soFar = media.audioPackets;
    await media.until(() => media.audioPackets > soFar + 25, 'half a second of it');
    if (source === 'rtp') media.press('9', 160);
    else if (source === 'info') await customer.info('9');
    else void media.say(joined(toneOf(DTMF_9, 160), silence(100)));
    const optOut = await stand.until(attemptId, 'attempt.optOut');
    t.match(optOut, { digit: '9', source, playId: 'p' });
    const { status } = await stand.until(attemptId, 'attempt.played');
    t.equal(status, 'stopped');
    await ended;
    const digits = stand.told(attemptId).filter((type) => type === 'dtmf');
    t.equal(digits.length, 1, 'told once');
    const heard = findPlayed(media, message);
    t.ok((heard?.wholeRatio ?? 1) < 0.9, `the message stopped at ${heard?.wholeRatio}`);
  });
}

t.test('[DM-32] our own message, come back as an echo, opts nobody out', ALONGSIDE, async (t) => {
  const call = stand.phone.nextCall();
  await stand.dial('echo');
  const { media } = await call;
  await stand.until('echo', 'attempt.answered');
  media.echo(6);
  const optOutDigits = '0123456789*#';
  await stand.play('echo', { playId: 'p', prompts: ['message', 'message'], optOutDigits });
  const { status } = await stand.until('echo', 'attempt.played');
  t.equal(status, 'done');
  t.same(
    stand.told('echo').filter((type) => type === 'dtmf' || type === 'optOut'),
    [],
  );
  await stand.hangup('echo');
});

void t.test('the media server’s own engine speaks, or the gateway does not start', async (t) => {
  const voices = { en: 'slt', de: 'nobody' };
  const start = (): Promise<EdgeStand> =>
    EdgeStand.start(t, {
      gateway: {
        ...{ promptsDir, connectTimeoutMs: 5_000 },
        speech: { ...SPEECH, engine: 'freeswitch', freeswitchVoices: voices },
      },
    });
  if (stand.rig.switch.isEmbedded) {
    await t.rejects(start(), /FreeSWITCH has not loaded mod_flite/);
    return;
  }
  const speaking = await start();
  const call = speaking.phone.nextCall();
  await speaking.dial('spoken');
  const { media } = await call;
  await speaking.until('spoken', 'attempt.answered');
  const text = 'This is a message for you. Please call us back.';
  await speaking.play('spoken', { playId: 'known', prompts: [`say:en-US:${text}`] });
  const known = await speaking.until('spoken', 'attempt.played');
  t.match(known, { playId: 'known', status: 'done' });
  const loudMs = loudFrames(media.heardAudio.pcm) * 20;
  t.ok(loudMs > 1_000, `${loudMs} ms of it were heard`);
  media.forget();
  await speaking.play('spoken', { playId: 'unknown', prompts: ['say:de-DE:Guten Tag'] });
  const isSecond = ({ playId }: { playId: string }): boolean => playId === 'unknown';
  const unknown = await speaking.until('spoken', 'attempt.played', isSecond);
  t.match(unknown, { status: 'failed', playedMs: 0 }, 'a voice that is not there says nothing');
  await speaking.hangup('spoken');
});

function loudFrames(pcm: Int16Array): number {
  let loud = 0;
  for (let at = 0; at < pcm.length; at += 160) {
    if (pcm.subarray(at, at + 160).some((sample) => Math.abs(sample) > 1_000)) loud += 1;
  }
  return loud;
}

for (const { name, gateway } of taps) {
  void t.test(`[OUT-04] [OUT-21] the lab’s numbers are told apart by what is heard: ${name}`, (t) =>
    tellsNumbersApart(t, gateway),
  );
}

async function tellsNumbersApart(t: Test, gateway: Partial<GatewayConfig>): Promise<void> {
  const lab = await startLab({ host: OUR_HOST, sipPort: 0 });
  t.teardown(() => lab.stop());
  const address = `sip:${OUR_HOST}:${lab.sipPort}`;
  const edge = await EdgeStand.start(t, { address, gateway: { promptsDir, ...gateway } });
  const answers: Record<string, string> = {
    ...{ person: 'human', voicemail: 'machine', fax: 'fax' },
    ...{ answeredAnnouncement: 'sit', silence: 'silence', ringbackThenPerson: 'human' },
  };
  const early: Record<string, string> = { vacantAnnouncement: 'sit_vacant', busyTone: 'busy' };
  await Promise.all(
    NUMBER_PLAN.flatMap(({ behaviour, lastTwoDigits: [first] }) => {
      const verdict = answers[behaviour];
      const toneVerdict = early[behaviour];
      if (verdict === undefined && toneVerdict === undefined) return [];
      const attemptId = behaviour;
      const destination = `+120655501${String(first).padStart(2, '0')}`;
      const test = async (): Promise<void> => {
        await edge.dial(attemptId, { destination, detection: DETECTION });
        if (toneVerdict !== undefined) {
          const isTold = ({ verdict: told }: { verdict: string | null }): boolean => told !== null;
          const event = await edge.until(attemptId, 'attempt.earlyMedia', isTold);
          t.equal(event.verdict, toneVerdict, `${behaviour}, before the answer`);
        }
        if (verdict !== undefined) {
          const event = await edge.until(attemptId, 'attempt.classified');
          t.equal(event.verdict, verdict, `${behaviour}: ${JSON.stringify(event.evidence)}`);
        }
        await edge.hangup(attemptId);
      };
      return [test()];
    }),
  );
}
