/** What is heard before the answer (183 with SDP); the truth is the last thing there is to recognise. */
import type { EarlyMediaVerdict } from '../../../machines/telephony-events.ts';
import type { SceneTruth, Stage } from './stage.ts';
import {
  BUSY_TONES,
  cadence,
  music,
  REORDER_TONES,
  RINGBACKS,
  sitTones,
  type Cadence,
  type Sit,
} from './tones.ts';

export type EarlyStratum = keyof typeof EARLY_MEDIA;

const NOTHING: SceneTruth = { greeting: null, beep: null };
const FLUENT = { pauseMs: [200, 600], commaPauseProbability: 0.2 } as const;

function sounds(
  stage: Stage,
  plans: readonly Cadence[],
  ms: readonly [number, number],
): SceneTruth {
  const { random } = stage;
  stage.pause(0, 400);
  stage.sound(cadence(random.between(...ms), random.pick(plans)), random.between(-14, 0));
  stage.pause(200, 600);
  return NOTHING;
}

function ringsThen(stage: Stage, next: (stage: Stage) => SceneTruth): SceneTruth {
  sounds(stage, RINGBACKS, [2_500, 9_000]);
  return next(stage);
}

function sit(stage: Stage, codes: readonly Sit[]): SceneTruth {
  const { random } = stage;
  stage.pause(0, 900);
  stage.sound(sitTones(random, random.pick(codes)), random.between(-8, 2));
  stage.pause(150, 700);
  stage.say(stage.speaker('announcer'), 'carrier', FLUENT);
  stage.pause(500, 1_500);
  return NOTHING;
}

function greeting(stage: Stage): SceneTruth {
  stage.pause(100, 1_200);
  const span = stage.say(stage.speaker('adult'), 'voicemail', FLUENT);
  stage.pause(1_000, 2_000);
  return { greeting: span, beep: null };
}

function tune(stage: Stage): SceneTruth {
  const { random, split } = stage;
  const timbre = split === 'train' ? 'plucked' : 'sustained';
  stage.sound(music(random, random.between(6_000, 10_000), timbre), random.between(-10, 0));
  return NOTHING;
}

const busy = (stage: Stage): SceneTruth => sounds(stage, BUSY_TONES, [4_000, 8_000]);
const reorder = (stage: Stage): SceneTruth => sounds(stage, REORDER_TONES, [4_000, 8_000]);

interface EarlyMedia {
  readonly weight: number;
  readonly heard: EarlyMediaVerdict;
  readonly scene: (stage: Stage) => SceneTruth;
}

/** Weights are parts of a hundred. */
export const EARLY_MEDIA = {
  earlyRingback: {
    weight: 25,
    heard: 'ringback',
    scene: (stage: Stage) => sounds(stage, RINGBACKS, [7_000, 14_000]),
  },
  earlyBusy: { weight: 10, heard: 'busy', scene: busy },
  earlyReorder: { weight: 10, heard: 'reorder', scene: reorder },
  earlyRingThenBusy: {
    weight: 5,
    heard: 'busy',
    scene: (stage: Stage) => ringsThen(stage, busy),
  },
  earlyVacant: {
    weight: 15,
    heard: 'sit_vacant',
    scene: (stage: Stage) => sit(stage, ['intercept', 'vacant']),
  },
  earlyNoCircuit: {
    weight: 10,
    heard: 'sit_no_circuit',
    scene: (stage: Stage) => sit(stage, ['noCircuit', 'reorder']),
  },
  earlyVoicemail: { weight: 10, heard: 'voicemail', scene: greeting },
  earlyRingThenVoicemail: {
    weight: 5,
    heard: 'voicemail',
    scene: (stage: Stage) => ringsThen(stage, greeting),
  },
  earlyMusic: { weight: 10, heard: 'other', scene: tune },
} as const satisfies Record<string, EarlyMedia>;
