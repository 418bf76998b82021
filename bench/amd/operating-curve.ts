/**
 * What the thresholds of gateway/amd/answer-rule.ts trade for one another, on the training split and never
 * the test split: one line for each combination of the pause after which a person who is likely enough is
 * one, P(human) from which that is so, and P(human) up to which one who speaks at the limit is a machine.
 * P(human) is that of models which never saw the clip. All synthetic; docs/amd.md has the lines that matter.
 *
 * `tsx bench/amd/operating-curve.ts --corpus DIR`
 */
import { parseArgs } from 'node:util';
import {
  ANSWER_THRESHOLDS,
  verdictOn,
  type AnswerThresholds,
} from '../../gateway/amd/answer-rule.ts';
import { percentile } from '../bench-report.ts';
import { MAIN_LIMIT_MS } from './clip-run.ts';
import { unseenClips, type UnseenClip } from './training/unseen-moments.ts';

const WAITS = [
  { waitMs: 400, waitInNoiseMs: 300, waitWhenSureMs: 240 },
  { waitMs: 480, waitInNoiseMs: 380, waitWhenSureMs: 320 },
  { waitMs: 540, waitInNoiseMs: 440, waitWhenSureMs: 400 },
  { waitMs: 540, waitInNoiseMs: 540, waitWhenSureMs: 540 },
  { waitMs: 600, waitInNoiseMs: 600, waitWhenSureMs: 600 },
];
const PERSON_LIKELY = [0.3, 0.55, 0.75];
const MACHINE_SURE = [0.04, 0.06, 0.08, 0.12, 0.25];
const ORDINARY = new Set<string>(['ordinary', 'business']);

interface Outcome {
  readonly clip: UnseenClip;
  readonly isMachine: boolean;
  /** After the end of the greeting, when the verdict was `human`. */
  readonly humanAfterMs: number | undefined;
}

const { values } = parseArgs({ options: { corpus: { type: 'string' } } });
if (values.corpus === undefined) throw new Error('usage: operating-curve.ts --corpus DIR');
const clips = unseenClips(values.corpus);
console.log(
  'wait, in noise, when sure, ms | person from | machine up to | people called machines, of ordinary and ' +
    'business calls | machines taken for people | balanced accuracy | human verdict p95, ms (synthetic)',
);
for (const waits of WAITS)
  for (const personLikely of PERSON_LIKELY)
    for (const machineSure of MACHINE_SURE)
      console.log(row({ ...ANSWER_THRESHOLDS, ...waits, personLikely, machineSure }));

function row(thresholds: AnswerThresholds): string {
  const outcomes = clips.map((clip) => outcomeOf(clip, thresholds));
  const people = outcomes.filter(({ clip }) => clip.truth.class === 'human');
  const machines = outcomes.filter(({ clip }) => clip.truth.class === 'machine');
  const ordinary = people.filter(({ clip }) => ORDINARY.has(clip.truth.stratum));
  const wrong = calledMachines(people);
  const missed = 1 - calledMachines(machines);
  const delaysMs = people.flatMap(({ humanAfterMs }) => humanAfterMs ?? []);
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return [
    [thresholds.waitMs, thresholds.waitInNoiseMs, thresholds.waitWhenSureMs].join(', '),
    thresholds.personLikely,
    thresholds.machineSure,
    `${percent(wrong)}, ${percent(calledMachines(ordinary))}`,
    percent(missed),
    percent(1 - (wrong + missed) / 2),
    Math.round(percentile(delaysMs, 0.95)),
  ].join(' | ');
}

function calledMachines(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ isMachine }) => isMachine).length / outcomes.length;
}

function outcomeOf(clip: UnseenClip, thresholds: AnswerThresholds): Outcome {
  for (const moment of clip.moments) {
    const verdict = verdictOn(moment, MAIN_LIMIT_MS, thresholds);
    if (verdict === undefined) continue;
    const isHuman = verdict === 'human';
    const humanAfterMs = isHuman ? moment.nowMs - (clip.truth.greetingEndMs ?? 0) : undefined;
    return { clip, isMachine: verdict === 'machine', humanAfterMs };
  }
  return { clip, isMachine: clip.hasTone, humanAfterMs: undefined };
}
