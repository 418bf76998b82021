/** Whatever answers that is not a person: machines, the network, fax, and nothing. */
import type { Span } from './audio.ts';
import { ringsOn } from './scenes-of-people.ts';
import type { ClipClass, SceneTruth, Stage } from './stage.ts';
import type { Speaker } from './speakers.ts';
import type { Delivery } from './spoken-line.ts';
import type { Sayings } from './texts/script-texts.ts';
import {
  BUSY_TONES,
  cadence,
  drawBeep,
  faxAnswer,
  faxCalling,
  music,
  REORDER_TONES,
  SITS,
  sitTones,
  tone,
  type Sit,
} from './tones.ts';

export type OtherStratum = keyof typeof OTHERS;

const RECORDED: Delivery = { pauseMs: [120, 750], commaPauseProbability: 0.3 };
const SMOOTH: Delivery = { pauseMs: [200, 600], commaPauseProbability: 0.2 };

/** Somebody's own recording, or the operator's announcer. */
function recordedBy(stage: Stage): { speaker: Speaker; delivery: Delivery } {
  return stage.random.chance(0.4)
    ? { speaker: stage.speaker('announcer'), delivery: SMOOTH }
    : { speaker: stage.speaker('adult'), delivery: RECORDED };
}

function plays(
  stage: Stage,
  saying: keyof Sayings,
  beforeMs: readonly [number, number] = [80, 1_600],
): Span {
  const { speaker, delivery } = recordedBy(stage);
  stage.pause(...beforeMs);
  return stage.say(speaker, saying, delivery);
}

function beeps(stage: Stage): NonNullable<SceneTruth['beep']> {
  const { random } = stage;
  const { frequencyHz, lengthMs } = drawBeep(random);
  const span = stage.sound(tone(lengthMs, frequencyHz), random.between(-14, 4));
  stage.pause(2_000, 3_500);
  return { ...span, frequencyHz };
}

/** Room noise of a recording begins and ends with it; of some systems it is the line that hisses. */
function wishesOf(stage: Stage, { startMs, endMs }: Span): Pick<SceneTruth, 'wishes'> {
  const { random } = stage;
  if (random.chance(0.35)) return {};
  const recorded = {
    startMs: Math.max(0, startMs - random.between(20, 400)),
    endMs: endMs + random.between(50, 400),
  };
  return { wishes: { recorded } };
}

function voicemail(stage: Stage, saying: keyof Sayings = 'voicemail'): SceneTruth {
  const greeting = plays(stage, saying);
  const wishes = wishesOf(stage, greeting);
  stage.pause(80, 1_600);
  return { greeting, beep: beeps(stage), ...wishes };
}

function withoutBeep(stage: Stage): SceneTruth {
  const greeting = plays(stage, 'voicemail');
  const wishes = wishesOf(stage, greeting);
  stage.pause(3_000, 5_000);
  return { greeting, beep: null, ...wishes };
}

/** "Hello?", a pause as if listening, and then: leave a message. */
function prank(stage: Stage): SceneTruth {
  const { random } = stage;
  const speaker = stage.speaker('adult');
  stage.pause(150, 1_200);
  const { startMs } = stage.say(speaker, 'opener', RECORDED);
  stage.pause(700, 2_000);
  if (random.chance(0.3)) {
    stage.say(speaker, 'followUp', RECORDED);
    stage.pause(500, 1_200);
  }
  const { endMs } = stage.say(speaker, 'prank', RECORDED);
  const wishes = wishesOf(stage, { startMs, endMs });
  stage.pause(80, 1_000);
  return { greeting: { startMs, endMs }, beep: beeps(stage), ...wishes };
}

function beepOnly(stage: Stage): SceneTruth {
  stage.pause(200, 2_200);
  return { greeting: null, beep: beeps(stage) };
}

/** After the greeting the exchange hangs up: a dual tone, which is no beep. */
function dualToneTail(stage: Stage): SceneTruth {
  const { random } = stage;
  const greeting = plays(stage, 'voicemail');
  const wishes = wishesOf(stage, greeting);
  stage.pause(300, 1_500);
  const dual = [...BUSY_TONES, ...REORDER_TONES].filter((plan) => plan.frequenciesHz.length > 1);
  stage.sound(cadence(random.between(1_500, 4_000), random.pick(dual)), random.between(-12, 0));
  stage.pause(300, 800);
  return { greeting, beep: null, ...wishes };
}

function menu(stage: Stage, saying: keyof Sayings): SceneTruth {
  const { speaker } = recordedBy(stage);
  stage.pause(80, 1_800);
  const greeting = stage.say(speaker, saying, SMOOTH);
  stage.pause(2_500, 4_500);
  return { greeting, beep: null, ...wishesOf(stage, greeting) };
}

function screener(stage: Stage): SceneTruth {
  const greeting = plays(stage, 'screener', [100, 1_200]);
  const wishes = wishesOf(stage, greeting);
  if (stage.random.chance(0.5)) {
    stage.pause(100, 700);
    return { greeting, beep: beeps(stage), ...wishes };
  }
  stage.pause(2_500, 4_500);
  return { greeting, beep: null, ...wishes };
}

function sit(stage: Stage): SceneTruth {
  const { random } = stage;
  stage.pause(50, 900);
  stage.sound(sitTones(random, random.pick(Object.keys(SITS) as Sit[])), random.between(-8, 2));
  if (random.chance(0.7)) {
    stage.pause(150, 700);
    stage.say(stage.speaker('announcer'), 'carrier', SMOOTH);
  }
  stage.pause(1_500, 2_500);
  return { greeting: null, beep: null };
}

function fax(stage: Stage): SceneTruth {
  const { random } = stage;
  stage.pause(200, 2_200);
  const calling = random.chance(0.25);
  stage.sound(
    calling ? faxCalling(random.between(4_000, 7_500)) : faxAnswer(random),
    random.between(-10, 0),
  );
  stage.pause(400, 1_500);
  return { greeting: null, beep: null };
}

function musicOnHold(stage: Stage): SceneTruth {
  const { random, split } = stage;
  stage.pause(50, 900);
  const startMs = stage.nowMs;
  if (random.chance(0.4)) {
    stage.say(stage.speaker('announcer'), 'ivr', SMOOTH);
    stage.pause(200, 700);
  }
  const timbre = split === 'train' ? 'plucked' : 'sustained';
  const { endMs } = stage.sound(
    music(random, random.between(7_000, 10_000), timbre),
    random.between(-10, 0),
  );
  return { greeting: { startMs, endMs }, beep: null };
}

/** The ringing of a forwarded call, then the voicemail it was forwarded to. */
function ringbackThenVoicemail(stage: Stage): SceneTruth {
  ringsOn(stage);
  return voicemail(stage);
}

function lateVoicemail(stage: Stage): SceneTruth {
  const mediaStartsMs = 20 * stage.random.whole(15, 45);
  const { greeting, beep } = voicemail(stage);
  const heard =
    greeting === null ? null : { ...greeting, startMs: Math.max(mediaStartsMs, greeting.startMs) };
  return { greeting: heard, beep, wishes: { mediaStartsMs } };
}

/** Answered, and nobody says anything: noise, or samples of value 0. */
function nothing(stage: Stage): SceneTruth {
  stage.pause(8_000, 10_000);
  return {
    greeting: null,
    beep: null,
    ...(stage.random.chance(0.35) ? { wishes: { zeroGaps: true } } : {}),
  };
}

interface Other {
  readonly weight: number;
  readonly class: ClipClass;
  readonly scene: (stage: Stage) => SceneTruth;
}

/** Weights are parts of a hundred. */
export const OTHERS = {
  voicemail: { weight: 42, class: 'machine', scene: (stage: Stage) => voicemail(stage) },
  voicemailWithoutBeep: { weight: 8, class: 'machine', scene: withoutBeep },
  shortVoicemail: {
    weight: 4,
    class: 'machine',
    scene: (stage: Stage) => voicemail(stage, 'shortVoicemail'),
  },
  prank: { weight: 2, class: 'machine', scene: prank },
  beepOnly: { weight: 3, class: 'machine', scene: beepOnly },
  dualToneTail: { weight: 3, class: 'machine', scene: dualToneTail },
  ringbackThenVoicemail: { weight: 2, class: 'machine', scene: ringbackThenVoicemail },
  lateVoicemail: { weight: 2, class: 'machine', scene: lateVoicemail },
  ivr: { weight: 8, class: 'machine', scene: (stage: Stage) => menu(stage, 'ivr') },
  carrier: { weight: 4, class: 'machine', scene: (stage: Stage) => menu(stage, 'carrier') },
  screener: { weight: 3, class: 'machine', scene: screener },
  musicOnHold: { weight: 2, class: 'machine', scene: musicOnHold },
  sit: { weight: 5, class: 'sit', scene: sit },
  fax: { weight: 6, class: 'fax', scene: fax },
  silence: { weight: 6, class: 'silence', scene: nothing },
} as const satisfies Record<string, Other>;
