/** May this person enter now? (spec G.5) Every no has its reason. */
import { durationMs } from '../definition/duration.ts';
import { instantMs } from '../definition/instant.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { Facts } from '../interpreter/facts.ts';
import { judgeCondition } from '../interpreter/judge-condition.ts';
import { own, type Values } from '../interpreter/json-value.ts';

export interface EntryRequest {
  /** By which the person comes. */
  readonly by:
    { readonly trigger: string; readonly attributes: Values } | { readonly segment: string };
  readonly facts: Facts;
  /** In any version of this journey. */
  readonly isInside: boolean;
  /** Null: never. */
  readonly lastEnteredAtMs: number | null;
  /** For repeating segments: start of the round that now lets people in. */
  readonly roundAtMs?: number;
}

export const REFUSALS = [
  'other_entry', // not the trigger or segment by which this journey is entered
  'not_open_yet',
  'closed',
  'already_inside', // never twice at one time
  'excluded', // member of the exclusion segment
  'exit_segment', // member of a segment whose members are taken out
  'no_reentry',
  'reentry_delay',
  'conditions',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export type Admission =
  | { readonly admit: true }
  /** `againAtMs`: when the delay is over. */
  | { readonly admit: false; readonly reason: Refusal; readonly againAtMs?: number };

export function admit(journey: Journey, request: EntryRequest, nowMs: number): Admission {
  const reason =
    ofEntry(journey, request) ?? ofTime(journey, nowMs) ?? ofSegments(journey, request);
  if (reason !== undefined) return { admit: false, reason };
  return ofReentry(journey, request, nowMs) ?? ofConditions(journey, request, nowMs);
}

function ofEntry({ entry }: Journey, { by }: EntryRequest): Refusal | undefined {
  const isThis =
    'trigger' in by
      ? entry.kind === 'trigger' && entry.trigger === by.trigger
      : entry.kind === 'segment' && entry.segment === by.segment;
  return isThis ? undefined : 'other_entry';
}

/** The end bounds entry only: who is inside finishes. */
function ofTime({ entry, timeZone }: Journey, nowMs: number): Refusal | undefined {
  const opensAtMs = entry.opensAt === undefined ? undefined : instantMs(entry.opensAt, timeZone);
  if (opensAtMs !== undefined && nowMs < opensAtMs) return 'not_open_yet';
  const closesAtMs = entry.closesAt === undefined ? undefined : instantMs(entry.closesAt, timeZone);
  return closesAtMs !== undefined && nowMs >= closesAtMs ? 'closed' : undefined;
}

function ofSegments(
  { entry, exits }: Journey,
  { facts, isInside }: EntryRequest,
): Refusal | undefined {
  if (isInside) return 'already_inside';
  if (entry.exclude !== undefined && facts.segments.includes(entry.exclude)) return 'excluded';
  const leaves = (exits?.on ?? []).some(
    (rule) => 'segment' in rule && facts.segments.includes(rule.segment),
  );
  return leaves ? 'exit_segment' : undefined;
}

/** One-time and ongoing segments let a person in once, repeating ones once a round. */
function ofReentry(
  { entry, reentry }: Journey,
  { lastEnteredAtMs, roundAtMs = Number.POSITIVE_INFINITY }: EntryRequest,
  nowMs: number,
): Admission | undefined {
  if (lastEnteredAtMs === null) return undefined;
  const isRepeating = entry.kind === 'segment' && entry.frequency === 'repeating';
  const { allow, delay = '0m' } = reentry ?? { allow: isRepeating ? 'always' : 'never' };
  const isOnce = entry.kind === 'segment' && !isRepeating;
  const isRoundUsed = isRepeating && lastEnteredAtMs >= roundAtMs;
  if (isOnce || isRoundUsed || allow === 'never') return { admit: false, reason: 'no_reentry' };
  if (allow === 'always') return undefined;
  const againAtMs = lastEnteredAtMs + (durationMs(delay) ?? 0);
  return nowMs < againAtMs ? { admit: false, reason: 'reentry_delay', againAtMs } : undefined;
}

function ofConditions(
  { entry, timeZone }: Journey,
  { by, facts }: EntryRequest,
  nowMs: number,
): Admission {
  if (entry.kind !== 'trigger' || entry.conditions === undefined) return { admit: true };
  const carried: Values = 'trigger' in by ? by.attributes : {};
  const { holds } = judgeCondition(entry.conditions, {
    nowMs,
    timeZone,
    valueOf: (from, attribute) => own(from === 'contact' ? facts.attributes : carried, attribute),
    isMember: (segment) => facts.segments.includes(segment),
  });
  return holds ? { admit: true } : { admit: false, reason: 'conditions' };
}
