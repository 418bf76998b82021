/**
 * The walk over a contact chain (spec D.6), as a pure function of what has happened so far.
 *
 * One loop goes over all contacts in order, and over each one's numbers in the configured order; a number
 * that stands in the chain more than once is dialled in its first place.
 * A number is left out for good when the network says that it is none, and from later loops when its
 * last Result is no reason to try again. The walk ends when somebody is reached, or when the loops
 * are used up, or when a whole loop would have nothing left to dial.
 */
import assert from 'node:assert/strict';
import type { PhoneType, ReattemptRule } from '../engagements/engagement-config.schema.ts';

export interface ChainNumber {
  readonly phoneType: PhoneType;
  readonly contactPointId: string;
}

export interface ChainContact {
  readonly contactId: string;
  /** In dialing order; types that the engagement does not dial are not in it. */
  readonly numbers: readonly ChainNumber[];
}

/** Kept with the task as JSON. Indexes are from 0, loops from 1. */
export interface ChainProgress {
  readonly loop: number;
  readonly contactIndex: number;
  readonly numberIndex: number;
  /** Contact points never to be dialled again by this task: no such number, fax, opted out. */
  readonly droppedForGood: readonly string[];
  /** Contact points whose last Result is no reason for another loop. */
  readonly notInLaterLoops: readonly string[];
  /** Attempts started so far in this loop: a loop without any ends the walk. */
  readonly attemptsInLoop: number;
  /** Contact points of those attempts: whatever becomes of the chain meanwhile, none is rung again in it. */
  readonly triedInLoop?: readonly string[];
  /** Contact point that is next, where it is known: its place may change while the task waits. */
  readonly standsOn?: string;
}

export const FIRST_STEP: ChainProgress = {
  loop: 1,
  contactIndex: 0,
  numberIndex: 0,
  droppedForGood: [],
  notInLaterLoops: [],
  attemptsInLoop: 0,
};

export interface ChainTarget extends ChainNumber {
  readonly contactId: string;
}

/** What an attempt means for the walk; decided by result-class.ts. */
export type AttemptMeaning =
  | 'reached' // the task is done
  | 'retry' // its Result is among the reattempt reasons
  | 'noRetry' // not in later loops; the walk goes on in this one
  | 'dropNumber' // no such number: left out for good
  | 'dropContact'; // the person asked not to be called: none of their numbers any more

export type WalkStep =
  | {
      readonly kind: 'dial';
      readonly target: ChainTarget;
      readonly progress: ChainProgress;
      /** Pause before it, counted from the end of the attempt before. */
      readonly afterMs: number;
      /** True when this begins another loop: the retry priority applies. */
      readonly isRetry: boolean;
    }
  | { readonly kind: 'reached' }
  /** No number left, or no loop. `hadNumbers` is false when there was never one to dial. */
  | { readonly kind: 'exhausted'; readonly hadNumbers: boolean };

const MINUTE_MS = 60_000;

/**
 * A chain in which each number has one place, its first: a mobile that is entered as home number too, a
 * landline that a family shares. Whoever did not answer there is not rung again for the other's sake.
 */
export function withoutRepeats(chain: readonly ChainContact[]): ChainContact[] {
  const known = new Set<string>();
  const isFirst = ({ contactPointId }: ChainNumber): boolean => {
    if (known.has(contactPointId)) return false;
    known.add(contactPointId);
    return true;
  };
  return chain.map(({ contactId, numbers }) => ({ contactId, numbers: numbers.filter(isFirst) }));
}

/** The number at which the walk stands, or the next one after it that may be dialled. */
export function currentStep(
  chain: readonly ChainContact[],
  stored: ChainProgress,
  rule: ReattemptRule,
): WalkStep {
  assert(chain.length > 0, 'a chain has at least one contact');
  const progress = whereItStands(chain, stored);
  const target = targetAt(chain, progress);
  if (target !== undefined && mayDial(target, progress)) {
    return { kind: 'dial', target, progress, afterMs: 0, isRetry: progress.loop > 1 };
  }
  return nextStep(chain, progress, rule);
}

/**
 * Where the walk goes after an attempt. `attempted` is the contact point that was dialled; without it
 * the number where the walk stands. The two differ when the contact's numbers, or the order of phone
 * types, were changed while it rang.
 */
export function stepAfter(
  chain: readonly ChainContact[],
  progress: ChainProgress,
  rule: ReattemptRule,
  meaning: AttemptMeaning,
  attempted?: string,
): WalkStep {
  if (meaning === 'reached') return { kind: 'reached' };
  const contactPointId = attempted ?? targetAt(chain, progress)?.contactPointId;
  assert(contactPointId !== undefined, 'an attempt was made where the walk has no number');
  const asked = meaning === 'dropContact' ? withoutContact(chain, progress) : progress;
  const marked = marking(asked, contactPointId, meaning);
  const { attemptsInLoop, triedInLoop = [], ...from } = standingOn(chain, marked, contactPointId);
  const tried = [...triedInLoop, contactPointId];
  return nextStep(chain, { ...from, attemptsInLoop: attemptsInLoop + 1, triedInLoop: tried }, rule);
}

/** Numbers were added, removed or put in another order since: what is next is next wherever it is now. */
function whereItStands(chain: readonly ChainContact[], progress: ChainProgress): ChainProgress {
  const { contactIndex, standsOn } = progress;
  const numbers = chain[contactIndex]?.numbers ?? [];
  const numberIndex = numbers.findIndex((number) => number.contactPointId === standsOn);
  return numberIndex === -1 ? progress : { ...progress, numberIndex };
}

function withoutContact(chain: readonly ChainContact[], progress: ChainProgress): ChainProgress {
  const theirs = chain[progress.contactIndex]?.numbers ?? [];
  const ids = theirs.map(({ contactPointId }) => contactPointId);
  return { ...progress, droppedForGood: [...progress.droppedForGood, ...ids] };
}

/** A number that its contact has lost stands before the one that is now in its place. */
function standingOn(
  chain: readonly ChainContact[],
  progress: ChainProgress,
  contactPointId: string,
): ChainProgress {
  const { contactIndex, numberIndex } = progress;
  const numbers = chain[contactIndex]?.numbers ?? [];
  if (numbers[numberIndex]?.contactPointId === contactPointId) return progress;
  const index = numbers.findIndex((number) => number.contactPointId === contactPointId);
  return { ...progress, numberIndex: index === -1 ? numberIndex - 1 : index };
}

/** Where the walk goes when the number where it stands turns out to be none, without an attempt. */
export function stepPast(
  chain: readonly ChainContact[],
  progress: ChainProgress,
  rule: ReattemptRule,
): WalkStep {
  const target = targetAt(chain, progress);
  assert(target !== undefined, 'the walk stands on no number');
  return nextStep(chain, marking(progress, target.contactPointId, 'dropNumber'), rule);
}

function marking(
  progress: ChainProgress,
  contactPointId: string,
  meaning: AttemptMeaning,
): ChainProgress {
  const without = progress.notInLaterLoops.filter((id) => id !== contactPointId);
  switch (meaning) {
    case 'dropNumber':
    case 'dropContact':
      return { ...progress, droppedForGood: [...progress.droppedForGood, contactPointId] };
    case 'noRetry':
      return { ...progress, notInLaterLoops: [...without, contactPointId] };
    default:
      return { ...progress, notInLaterLoops: without };
  }
}

function nextStep(
  chain: readonly ChainContact[],
  from: ChainProgress,
  rule: ReattemptRule,
): WalkStep {
  const rest = nextInLoop(chain, from);
  if (rest !== undefined) {
    const sameContact = rest.contactIndex === from.contactIndex;
    const pause = sameContact ? rule.delayBetweenNumbersMinutes : rule.delayBetweenContactsMinutes;
    return dialStep(chain, rest, from.attemptsInLoop > 0 ? pause : 0);
  }
  if (from.attemptsInLoop === 0 && from.loop === 1) return { kind: 'exhausted', hadNumbers: false };
  const later = { ...from, loop: from.loop + 1, attemptsInLoop: 0, triedInLoop: [] };
  const again = nextInLoop(chain, { ...later, contactIndex: 0, numberIndex: -1 });
  if (from.loop > rule.retriesMax || again === undefined) {
    return { kind: 'exhausted', hadNumbers: true };
  }
  return dialStep(chain, again, rule.waitMinutes);
}

function dialStep(
  chain: readonly ChainContact[],
  progress: ChainProgress,
  afterMinutes: number,
): WalkStep {
  const target = targetAt(chain, progress);
  assert(target !== undefined, 'the walk stands on a number');
  const standing = { ...progress, standsOn: target.contactPointId };
  const afterMs = afterMinutes * MINUTE_MS;
  return { kind: 'dial', target, progress: standing, afterMs, isRetry: progress.loop > 1 };
}

/** The first number behind `from` in its loop that may be dialled. */
function nextInLoop(
  chain: readonly ChainContact[],
  from: ChainProgress,
): ChainProgress | undefined {
  for (let contactIndex = from.contactIndex; contactIndex < chain.length; contactIndex += 1) {
    const numbers = chain[contactIndex]?.numbers ?? [];
    const first = contactIndex === from.contactIndex ? from.numberIndex + 1 : 0;
    for (let numberIndex = first; numberIndex < numbers.length; numberIndex += 1) {
      const progress = { ...from, contactIndex, numberIndex };
      const target = targetAt(chain, progress);
      if (target !== undefined && mayDial(target, progress)) return progress;
    }
  }
  return undefined;
}

function targetAt(
  chain: readonly ChainContact[],
  { contactIndex, numberIndex }: ChainProgress,
): ChainTarget | undefined {
  const contact = chain[contactIndex];
  const number = contact?.numbers[numberIndex];
  if (contact === undefined || number === undefined) return undefined;
  return { contactId: contact.contactId, ...number };
}

/** In the loop of that progress. */
export function mayDial(
  { contactPointId }: Pick<ChainNumber, 'contactPointId'>,
  { loop, droppedForGood, notInLaterLoops, triedInLoop = [] }: ChainProgress,
): boolean {
  if (droppedForGood.includes(contactPointId) || triedInLoop.includes(contactPointId)) return false;
  return loop === 1 || !notInLaterLoops.includes(contactPointId);
}
