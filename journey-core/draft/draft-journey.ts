/**
 * A plain English text to a draft, by the sentence patterns of docs/journeys/drafting.md. Nothing is
 * guessed: what no pattern fits is told with its place, and what is missing is a placeholder.
 */
import type { JourneyAssets } from '../definition/assets.schema.ts';
import { isTimeZone } from '../definition/instant.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { QuietTime } from '../definition/quiet-time.schema.ts';
import { validateJourney } from '../validation/validate-journey.ts';
import { compilePlan } from './compile-plan.ts';
import { connectAssets } from './connect-assets.ts';
import { describeJourney } from './describe-journey.ts';
import type { JourneyDraft, PartLeftOut, UnderstoodPart } from './draft-answer.ts';
import { conditionOf, type DraftFrame } from './draft-frame.ts';
import { plainText } from './phrase-reader.ts';
import { readSentence, type Reading } from './read-sentence.ts';
import { newReading } from './read-sentence.ts';
import { placeOf, sentencesOf } from './sentences.ts';
import { channelOf, hoursOf, quietName, quietOf, waitOf } from './quiet-week.ts';
import { GOAL_PERCENT } from './setting-phrases.ts';

export interface DraftOptions {
  /** What there is to connect to. */
  readonly assets?: JourneyAssets;
  /** By which `tomorrow` and `next Monday` are read. Epoch ms. */
  readonly nowMs: number;
  /** The journey's own where the text names none. An IANA name. */
  readonly timeZone?: string;
}

/** As much as a text may have. Characters. */
export const DRAFT_TEXT_MAX = 4_000;

/** Total: whatever the text is. The same text, assets and time give the same draft. */
export function draftJourney(text: string, options: DraftOptions): JourneyDraft {
  const { assets = {}, nowMs, timeZone = 'UTC' } = options;
  const read = text.slice(0, DRAFT_TEXT_MAX);
  const zone = isTimeZone(timeZone) ? timeZone : 'UTC';
  const reading = newReading(read, plainText(read), { assets, nowMs, timeZone: zone });
  for (const [index, span] of sentencesOf(read).entries()) readSentence(reading, span, index + 1);
  const cut = text.length > DRAFT_TEXT_MAX ? [tooLong(text)] : [];
  return answerOf(reading, cut, assets);
}

function tooLong(text: string): PartLeftOut {
  const span = { start: DRAFT_TEXT_MAX, end: text.length };
  return {
    text: text.slice(DRAFT_TEXT_MAX, DRAFT_TEXT_MAX + 100),
    at: placeOf(text, 0, span),
    reason: `a text may have ${DRAFT_TEXT_MAX} characters`,
  };
}

function nothingIn(text: string): PartLeftOut {
  const span = { start: 0, end: text.length };
  return { text: text.trim(), at: placeOf(text, 1, span), reason: 'it says nothing to do' };
}

function answerOf(
  reading: Reading,
  cut: readonly PartLeftOut[],
  assets: JourneyAssets,
): JourneyDraft {
  const understood = reading.understood.map(({ start, end, sentence, means }): UnderstoodPart => ({
    ...{
      text: reading.text.slice(start, end).trim(),
      at: placeOf(reading.text, sentence, { start, end }),
    },
    means,
  }));
  const leftOut = reading.leftOut.map(({ start, end, sentence, reason }): PartLeftOut => ({
    ...{
      text: reading.text.slice(start, end).trim(),
      at: placeOf(reading.text, sentence, { start, end }),
    },
    reason,
  }));
  const none = { journey: null, summary: null, placeholders: [], assumptions: [] };
  if (reading.plan.isEmpty) {
    const isSilent = understood.length + leftOut.length === 0 && /[\p{L}\p{N}]/u.test(reading.text);
    const whole = isSilent ? [nothingIn(reading.text)] : [];
    return { ...none, faults: [], understood, notUnderstood: [...whole, ...leftOut, ...cut] };
  }
  const { steps, unreached, assumptions } = compilePlan(reading.plan.root);
  const lost = unreached.map(({ start, end, sentence }): PartLeftOut => ({
    ...{
      text: reading.text.slice(start, end).trim(),
      at: placeOf(reading.text, sentence, { start, end }),
    },
    reason: 'nobody would come to it: what stands before decides for everybody',
  }));
  const notUnderstood = [...leftOut, ...lost, ...cut];
  const framed = journeyOf(reading, steps as Journey['steps']);
  const { journey, placeholders } = connectAssets(framed.journey, assets);
  const { faults } = validateJourney(journey);
  const isValid = faults.every(({ severity }) => severity !== 'error');
  return {
    ...{ journey: isValid ? journey : null, faults, understood, notUnderstood },
    summary: isValid ? describeJourney(journey) : null,
    placeholders: isValid ? placeholders : [],
    assumptions: isValid ? [...framed.assumptions, ...reading.assumptions, ...assumptions] : [],
  };
}

function journeyOf(reading: Reading, steps: Journey['steps']) {
  const { frame } = reading;
  const { entry, assumptions } = entryOf(frame);
  const needsGoal = steps.some(({ type }) => type === 'abTest' || type === 'bestChannel');
  const goal =
    frame.goal ?? (needsGoal ? { trigger: 'goalReached', targetPercent: GOAL_PERCENT } : null);
  const quiet = quietOfFrame(reading);
  const journey: Journey = {
    ...{ format: 'ringfence-journey/1', name: frame.name ?? nameFrom(reading.text) },
    ...{ timeZone: frame.timeZone, entry },
    ...(frame.reentry === null ? {} : { reentry: frame.reentry }),
    ...(frame.exits.length === 0
      ? {}
      : {
          exits: {
            on: frame.exits,
            ...(frame.cancelsConversations ? {} : { cancelConversations: false }),
          },
        }),
    ...(goal === null ? {} : { goal }),
    ...(frame.bypassesCap ? { frequencyCap: 'bypass' as const } : {}),
    steps: steps.map((step) => withQuiet(step, quiet, reading)),
    assets: {
      messages: [...reading.messages.values()],
      ...(quiet?.asset === undefined ? {} : { quietTimes: [quiet.asset] }),
    },
  };
  const isAsked = frame.goal === null && needsGoal;
  const told = isAsked
    ? [
        `Variants are judged by a goal, and none is said: a trigger for ${GOAL_PERCENT} % is to be connected.`,
      ]
    : [];
  return { journey, assumptions: [...assumptions, ...told, ...quietAssumptions(journey, quiet)] };
}

interface FrameQuiet {
  readonly name: string;
  /** Made of hours that the text has; undefined: it was named. */
  readonly asset?: QuietTime;
}

/** One that is known and has the same hours is meant. */
function quietOfFrame({ frame, assets }: Reading): FrameQuiet | null {
  if (frame.quietHours.length === 0) {
    return frame.quietTime === null ? null : { name: frame.quietTime };
  }
  const timeZone = frame.isQuietByTheirClock ? 'audience' : 'journey';
  const quiet = quietOf(frame.quietHours);
  const known = assets.quietTimes?.find((item) => {
    const hours = item.advanced === undefined ? hoursOf(item.quiet) : null;
    if (hours === null || (item.timeZone ?? 'journey') !== timeZone) return false;
    return JSON.stringify(quietOf(hours)) === JSON.stringify(quiet);
  });
  const { name = quietName(frame.quietHours) } = known ?? {};
  return { name, asset: { name, timeZone, quiet } };
}

/** What a step says itself holds; hours of other channels leave it to the profile. */
function withQuiet(
  step: Journey['steps'][number],
  quiet: FrameQuiet | null,
  { frame, messages }: Reading,
): Journey['steps'][number] {
  if (step.type !== 'voice' && step.type !== 'sms' && step.type !== 'message') return step;
  if (quiet === null) return step;
  if (quiet.asset === undefined) return { quietTime: quiet.name, ...step };
  const channel = channelOf(step, messages);
  if (!frame.quietHours.some(({ channels }) => channels.includes(channel))) return step;
  const sendWithin = waitOf(frame.quietHours, channel);
  return { quietTime: quiet.name, ...(sendWithin === undefined ? {} : { sendWithin }), ...step };
}

function quietAssumptions({ steps, timeZone }: Journey, quiet: FrameQuiet | null): string[] {
  if (quiet?.asset === undefined) return [];
  const { name } = quiet;
  const others = steps.flatMap((step) => {
    const own = 'quietTime' in step ? step.quietTime : name;
    return own === name ? [] : [`'${step.id}' keeps to '${own}', and not to '${name}'.`];
  });
  const clock = quiet.asset.timeZone === 'audience' ? 'each person’s clock' : `that of ${timeZone}`;
  return [
    `'${name}' is by ${clock}, and takes the place of the quiet time of the profile.`,
    ...others,
  ];
}

function entryOf(frame: DraftFrame): {
  readonly entry: Journey['entry'];
  readonly assumptions: readonly string[];
} {
  const assumptions: string[] = [];
  const around = {
    ...(frame.opensAt === null ? {} : { opensAt: frame.opensAt }),
    ...(frame.closesAt === null ? {} : { closesAt: frame.closesAt }),
    ...(frame.exclude === null ? {} : { exclude: frame.exclude }),
  };
  if (frame.trigger !== null) {
    const conditions = conditionOf(frame.triggerConditions);
    const rest = { ...(conditions === undefined ? {} : { conditions }), ...around };
    return { entry: { kind: 'trigger', trigger: frame.trigger, ...rest }, assumptions };
  }
  if (frame.segment === null) {
    assumptions.push('It is not said who enters: a segment is to be connected.');
  }
  if (frame.frequency === null) {
    assumptions.push(
      'It is not said how often people enter: once, those who are in it at the start.',
    );
  }
  const frequency = frame.frequency ?? 'oneTime';
  return {
    entry: {
      ...{ kind: 'segment', segment: frame.segment ?? 'audience', frequency },
      ...(frequency === 'repeating' && frame.every !== null ? { every: frame.every } : {}),
      ...(frequency === 'oneTime' && frame.rate !== null ? { rate: frame.rate } : {}),
      ...around,
    },
    assumptions,
  };
}

const NAME_MAX = 80;

/** The beginning of the text, to a whole word. */
function nameFrom(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const sentence = /^(.*?)[.!?;](?:\s|$)/.exec(line)?.[1] ?? line;
  if (sentence.length <= NAME_MAX) return sentence === '' ? 'Draft' : sentence;
  const cut = sentence.slice(0, NAME_MAX);
  const end = cut.lastIndexOf(' ');
  return `${end > 20 ? cut.slice(0, end) : cut} …`;
}
