/**
 * A draft by a language model: asked, its answer checked like any journey, asked again with the faults.
 * What does not hold is never handed on: then the sentence patterns are used.
 */
import { isMapping } from '../../../config/config-path.ts';
import { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { connectAssets } from '../../../journey-core/draft/connect-assets.ts';
import { describeJourney } from '../../../journey-core/draft/describe-journey.ts';
import type { JourneyDraft } from '../../../journey-core/draft/draft-answer.ts';
import { draftJourney, type DraftOptions } from '../../../journey-core/draft/draft-journey.ts';
import { placeOf } from '../../../journey-core/draft/sentences.ts';
import { shapeFaults } from '../../../journey-core/validation/shape-faults.ts';
import { validateJourney } from '../../../journey-core/validation/validate-journey.ts';
import { DraftModelError, type DraftModelFailure, type DraftModelUse } from './draft-model.ts';
import { correctionOf, faultLines, promptOf } from './model-prompt.ts';

export interface MadeDraft {
  readonly draft: JourneyDraft;
  /** `patterns`, or the model's name. */
  readonly madeBy: string;
  /** What came of asking the model; null: there is none. */
  readonly model: {
    readonly name: string;
    readonly tries: number;
    /** Why its answer is not used; null: it is. `invalid`: it never gave a journey that holds. */
    readonly failure: DraftModelFailure | 'invalid' | null;
  } | null;
}

/** Never throws for what the model does. */
export async function makeDraft(
  text: string,
  options: DraftOptions,
  use: DraftModelUse | undefined,
): Promise<MadeDraft> {
  const patterns = (): JourneyDraft => draftJourney(text, options);
  if (use === undefined) return { draft: patterns(), madeBy: 'patterns', model: null };
  const { model, triesMax } = use;
  const { assets = {}, timeZone = 'UTC' } = options;
  const messages = promptOf(text, assets, timeZone);
  for (let tries = 1; ; tries += 1) {
    let answer: string;
    try {
      answer = await model.complete(messages);
    } catch (error) {
      if (!(error instanceof DraftModelError)) throw error;
      // It may be busy or gone; asking at once again would only make people wait.
      const told = { name: model.name, tries, failure: error.failure };
      return { draft: patterns(), madeBy: 'patterns', model: told };
    }
    const read = draftIn(answer, text, options);
    if (!Array.isArray(read)) {
      return { draft: read, madeBy: model.name, model: { name: model.name, tries, failure: null } };
    }
    if (tries >= triesMax) {
      const told = { name: model.name, tries, failure: 'invalid' as const };
      return { draft: patterns(), madeBy: 'patterns', model: told };
    }
    messages.push(...correctionOf(answer, read));
  }
}

/** The draft, or everything that is wrong with the answer. */
function draftIn(answer: string, text: string, { assets }: DraftOptions): JourneyDraft | string[] {
  const value = jsonIn(answer);
  if (!isMapping(value)) return ['the answer holds no JSON object'];
  const journey: unknown = 'journey' in value ? value['journey'] : value;
  const shape = shapeFaults(Journey as object, journey);
  if (shape.length > 0) return faultLines(shape);
  const connected = connectAssets(journey as Journey, assets);
  const verdict = validateJourney(connected.journey);
  if (verdict.journey === null) return faultLines(verdict.faults);
  return {
    ...{ journey: verdict.journey, faults: verdict.faults },
    ...{ summary: describeJourney(verdict.journey), placeholders: connected.placeholders },
    understood: [],
    notUnderstood: linesOf(value['notUnderstood']).map((part) => {
      const start = Math.max(0, text.indexOf(part));
      const end = text.includes(part) ? start + part.length : text.length;
      const at = placeOf(text, 0, { start, end });
      return { text: part, at, reason: 'the model says that it is not in the draft' };
    }),
    assumptions: linesOf(value['assumptions']),
  };
}

const LINES_MAX = 50;
const LINE_MAX = 500;

function linesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const lines = (value as unknown[]).filter((line) => typeof line === 'string' && line !== '');
  return (lines as string[]).slice(0, LINES_MAX).map((line) => line.slice(0, LINE_MAX));
}

/** The first object in the text: models like to talk around it, or to put it into a fence. */
function jsonIn(answer: string): unknown {
  const from = answer.indexOf('{');
  const to = answer.lastIndexOf('}');
  if (from < 0 || to < from) return undefined;
  try {
    return JSON.parse(answer.slice(from, to + 1)) as unknown;
  } catch {
    return undefined;
  }
}
