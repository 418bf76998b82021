/** Which Q.850 cause of a final response, if any, decides the Result against its SIP code. */
import type { AttemptEnded } from './attempt-ended.ts';
import {
  CODES_ABOVE_GENERIC_CAUSES,
  GENERIC_CAUSES,
  Q850_ROWS,
  type Outcome,
} from './outcome-rows.ts';
import { parseReasonHeaders, q850CausesOf } from './reason-header.ts';

export interface MeaningfulCause {
  readonly cause: number;
  readonly text: string | null;
  readonly row: Outcome;
  readonly generic: boolean;
}

/** The causes that have a row, each once, in the order received. */
export function meaningfulCausesOf({ q850, reasonHeaders }: AttemptEnded): MeaningfulCause[] {
  const received = [...q850, ...q850CausesOf(parseReasonHeaders(reasonHeaders))];
  const texts = new Map<number, string | null>();
  for (const { cause, text } of received) texts.set(cause, texts.get(cause) ?? text);
  return [...texts].flatMap(([cause, text]) => {
    const row = Q850_ROWS.get(cause);
    return row === undefined ? [] : [{ cause, text, row, generic: GENERIC_CAUSES.has(cause) }];
  });
}

/**
 * Of several causes, one that says something beats a generic one, and then the lower row wins:
 * Busy before InvalidAddress, so that a contradiction never writes a number off for good. The
 * order of the values does not matter. A generic cause never overrides a code that says more.
 */
export function decidingCauseOf(ended: AttemptEnded): MeaningfulCause | undefined {
  const { statusCode } = ended.sip;
  const keepsCode = statusCode !== null && CODES_ABOVE_GENERIC_CAUSES.has(statusCode);
  return meaningfulCausesOf(ended)
    .filter(({ generic }) => !(generic && keepsCode))
    .sort(
      (a, b) => Number(a.generic) - Number(b.generic) || a.row.row - b.row.row || a.cause - b.cause,
    )[0];
}
