/**
 * What the rhythm of speech alone can tell, with perfect ears: the scenes of the test split are played
 * again without room, noise or network, and a rule that knows the true end of every clause says "person"
 * at the first pause of `waitMs`, and "machine" once a greeting has gone on for longer than people's do.
 * What a detector does better on these clips it has from other cues. Synthetic, as all here.
 *
 * `tsx bench/amd/cadence-bound.ts --corpus DIR [--share N]`
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from '../bench-report.ts';
import type { Span } from './corpus/audio.ts';
import { corpusFolder } from './corpus/corpus.ts';
import { CORPUS_SEED, plannedClips, type ClipPlan } from './corpus/corpus-plan.ts';
import { EspeakSpeech, type RawSpeech } from './corpus/raw-speech.ts';
import { OTHERS } from './corpus/scenes-of-others.ts';
import { PEOPLE } from './corpus/scenes-of-people.ts';
import { SeededRandom } from './corpus/seeded-random.ts';
import { Stage, type SceneTruth } from './corpus/stage.ts';

interface Rule {
  readonly name: string;
  /** A pause as long as this means a person, by how long it is since the first word. */
  readonly waitMs: (sinceFirstWordMs: number) => number;
}

const RULES: readonly Rule[] = [
  { name: '480 ms', waitMs: () => 480 },
  { name: '600 ms', waitMs: () => 600 },
  { name: '760 ms', waitMs: () => 760 },
  { name: '480 ms in the first second, then 760 ms', waitMs: (ms) => (ms < 1_000 ? 480 : 760) },
];
/** A greeting that goes on for longer than this is a machine's. */
const GREETING_MAX_MS = [2_500, 3_000, 4_000, 5_000];

interface Scene extends SceneTruth {
  readonly isPerson: boolean;
  readonly speaking: readonly Span[];
}

const { values } = parseArgs({
  options: { corpus: { type: 'string' }, share: { type: 'string', default: '1' } },
});
const folder = values.corpus ?? corpusFolder(Number(values.share));
const speech = new EspeakSpeech(join(folder, 'raw-speech'));
const scenes = plannedClips('test', Number(values.share))
  .filter((plan) => plan.class === 'human' || plan.class === 'machine')
  .map((plan) => performed(plan, speech))
  .filter(({ speaking }) => speaking.length > 0);
for (const greetingMaxMs of GREETING_MAX_MS)
  for (const rule of RULES) console.log(bound(rule, greetingMaxMs));

function performed(plan: ClipPlan, raw: RawSpeech): Scene {
  const random = new SeededRandom(`${CORPUS_SEED}/clip/${plan.id}`);
  const stage = new Stage(raw, { random, split: plan.split, language: plan.language });
  const { scene } = { ...PEOPLE, ...OTHERS }[plan.stratum as keyof typeof PEOPLE];
  const truth = scene(stage);
  return { ...truth, isPerson: plan.class === 'human', speaking: stage.performance().speaking };
}

function bound(rule: Rule, greetingMaxMs: number): string {
  const people = scenes.filter(({ isPerson }) => isPerson);
  const machines = scenes.filter(({ isPerson }) => !isPerson);
  const delaysMs = people.flatMap((scene) => {
    const atMs = personAtMs(scene, rule, greetingMaxMs);
    return atMs === undefined || scene.greeting === null ? [] : [atMs - scene.greeting.endMs];
  });
  const lost = 1 - delaysMs.length / people.length;
  const missed =
    machines.filter((scene) => personAtMs(scene, rule, greetingMaxMs) !== undefined).length /
    machines.length;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    `greeting of ${greetingMaxMs / 1_000} s, pause of ${rule.name}: people called machines ${percent(lost)}, ` +
    `machines taken for people ${percent(missed)}, balanced accuracy ` +
    `${percent(1 - (lost + missed) / 2)}, p95 ${Math.round(percentile(delaysMs, 0.95))} ms (synthetic)`
  );
}

/** When the rule says "person"; undefined when it says "machine". */
function personAtMs(
  { speaking, beep }: Scene,
  rule: Rule,
  greetingMaxMs: number,
): number | undefined {
  const startMs = speaking[0]?.startMs ?? 0;
  for (const [index, { endMs }] of speaking.entries()) {
    if (endMs > startMs + greetingMaxMs) return undefined;
    const nextMs = speaking[index + 1]?.startMs ?? Infinity;
    const soundMs =
      beep !== null && beep.startMs >= endMs ? Math.min(nextMs, beep.startMs) : nextMs;
    const waitMs = rule.waitMs(endMs - startMs);
    if (soundMs - endMs >= waitMs) return endMs + waitMs;
    if (soundMs < nextMs) return undefined;
  }
  return undefined;
}
