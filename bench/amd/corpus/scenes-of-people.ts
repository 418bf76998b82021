/** What a person does who answers: the ordinary ways, and those that detectors get wrong. */
import { faded, samplesOf, type Span } from './audio.ts';
import type { SceneTruth, Stage } from './stage.ts';
import type { Speaker, SpeakerKind } from './speakers.ts';
import type { Delivery } from './spoken-line.ts';
import type { Sayings } from './texts/script-texts.ts';
import { RINGBACKS, cadence } from './tones.ts';

export type PeopleStratum = keyof typeof PEOPLE;

const LIVELY: Delivery = { pauseMs: [150, 600], commaPauseProbability: 0.35 };
const FLUENT: Delivery = { pauseMs: [60, 200], commaPauseProbability: 0.1 };

interface Call {
  readonly kind?: SpeakerKind;
  readonly saying?: keyof Sayings;
  readonly delivery?: Delivery;
  /** From the answer, or from what has sounded so far, to the first word. */
  readonly beforeMs?: readonly [number, number];
}

/** The opener, then waiting and asking: nobody has been connected yet. */
function answers(
  stage: Stage,
  { kind = 'adult', saying = 'opener', delivery = LIVELY, beforeMs }: Call,
): Span {
  const { random } = stage;
  const [low, high] = beforeMs ?? (random.chance(0.06) ? [20, 150] : [200, 1_500]);
  stage.pause(low, high);
  const speaker = stage.speaker(kind);
  const greeting = stage.say(speaker, saying, delivery);
  asksAgain(stage, speaker);
  return greeting;
}

function asksAgain(stage: Stage, speaker: Speaker): void {
  const { random } = stage;
  stage.pause(1_400, 3_500);
  if (random.chance(0.65)) {
    stage.say(speaker, 'followUp', LIVELY);
    stage.pause(1_000, 2_500);
  }
}

function ordinary(stage: Stage): SceneTruth {
  return { greeting: answers(stage, {}), beep: null };
}

function business(stage: Stage): SceneTruth {
  const beforeMs = [150, 900] as const;
  return {
    greeting: answers(stage, {
      kind: 'receptionist',
      saying: 'business',
      delivery: FLUENT,
      beforeMs,
    }),
    beep: null,
  };
}

function longBusiness(stage: Stage): SceneTruth {
  return {
    greeting: answers(stage, { kind: 'receptionist', saying: 'longBusiness', delivery: FLUENT }),
    beep: null,
  };
}

/** "Hello … yes, this is": two things said with a short pause, the greeting of one who is busy. */
function hesitant(stage: Stage): SceneTruth {
  stage.pause(150, 1_200);
  const speaker = stage.speaker('adult');
  const { startMs } = stage.say(speaker, 'opener', LIVELY);
  stage.pause(250, 650);
  const { endMs } = stage.say(speaker, 'opener', LIVELY);
  asksAgain(stage, speaker);
  return { greeting: { startMs, endMs }, beep: null };
}

/** The greeting is the first "Hello?": whoever waits for the second has kept a person waiting. */
function helloPauseHello(stage: Stage): SceneTruth {
  stage.pause(150, 1_200);
  const speaker = stage.speaker('adult');
  const greeting = stage.say(speaker, 'opener', FLUENT);
  stage.pause(1_300, 1_700);
  stage.say(speaker, 'followUp', LIVELY);
  stage.pause(1_200, 2_500);
  return { greeting, beep: null };
}

function radioBehind(stage: Stage): SceneTruth {
  const greeting = answers(stage, {});
  const snrDb = stage.random.pick([12, 9, 6]);
  return { greeting, beep: null, wishes: { noise: 'radio', snrDb } };
}

function slowToSpeak(stage: Stage): SceneTruth {
  return { greeting: answers(stage, { beforeMs: [1_800, 2_350] }), beep: null };
}

/** No packet for the first 300 to 900 ms; some begin to speak before it is heard. */
function lateMedia(stage: Stage): SceneTruth {
  const { random } = stage;
  const mediaStartsMs = 20 * random.whole(15, 45);
  const before = mediaStartsMs + random.between(-150, 900);
  const greeting = answers(stage, { beforeMs: [before, before] });
  const heard = { startMs: Math.max(greeting.startMs, mediaStartsMs), endMs: greeting.endMs };
  return { greeting: heard, beep: null, wishes: { mediaStartsMs } };
}

function allZeroGaps(stage: Stage): SceneTruth {
  return { greeting: answers(stage, {}), beep: null, wishes: { zeroGaps: true } };
}

/** A transfer whose ringing is still heard after the answer. */
function ringbackLeak(stage: Stage): SceneTruth {
  ringsOn(stage);
  return { greeting: answers(stage, { beforeMs: [300, 1_300] }), beep: null };
}

export function ringsOn(stage: Stage): void {
  const { random } = stage;
  stage.pause(0, 300);
  stage.sound(cadence(random.between(300, 1_900), random.pick(RINGBACKS)), random.between(-20, -6));
}

/** The handset taken up: knocks and a rustle before the first word. */
function handsetKnock(stage: Stage): SceneTruth {
  const { random } = stage;
  stage.pause(50, 500);
  for (let knock = random.whole(1, 3); knock > 0; knock -= 1) {
    stage.sound(knockSound(stage), random.between(-14, 0));
    stage.pause(30, 250);
  }
  return { greeting: answers(stage, { beforeMs: [150, 700] }), beep: null };
}

function knockSound({ random }: Stage): Float32Array {
  const out = new Float32Array(samplesOf(random.between(15, 90)));
  let y = 0;
  const pole = random.between(0.2, 0.9);
  for (let i = 0; i < out.length; i += 1) {
    y = pole * y + random.between(-1, 1);
    out[i] = y * Math.exp((-5 * i) / out.length);
  }
  return faded(out, 1);
}

/** Weights are parts of a hundred. Ordinary calls are 62; the rest are hard cases on purpose. */
export const PEOPLE = {
  ordinary: { weight: 48, scene: ordinary },
  business: { weight: 14, scene: business },
  longBusiness: { weight: 2, scene: longBusiness },
  hesitant: { weight: 8, scene: hesitant },
  helloPauseHello: { weight: 6, scene: helloPauseHello },
  radioBehind: { weight: 4, scene: radioBehind },
  child: {
    weight: 4,
    scene: (stage: Stage) => ({ greeting: answers(stage, { kind: 'child' }), beep: null }),
  },
  whisper: {
    weight: 3,
    scene: (stage: Stage) => ({ greeting: answers(stage, { kind: 'whisperer' }), beep: null }),
  },
  slowToSpeak: { weight: 3, scene: slowToSpeak },
  lateMedia: { weight: 3, scene: lateMedia },
  allZeroGaps: { weight: 3, scene: allZeroGaps },
  handsetKnock: { weight: 1, scene: handsetKnock },
  ringbackLeak: { weight: 1, scene: ringbackLeak },
} as const satisfies Record<string, { weight: number; scene: (stage: Stage) => SceneTruth }>;
