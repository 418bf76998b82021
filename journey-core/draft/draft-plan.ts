/** What a text says to do, before it is a graph: blocks of items, one after another. */
import type { AttributeTest, Test } from '../definition/condition.schema.ts';
import type { Step } from '../definition/step.schemas.ts';
import type { TextSpan } from './phrase-reader.ts';

export interface Source extends TextSpan {
  /** From 1. */
  readonly sentence: number;
}

type WithoutNext<T> = T extends { readonly next: string } ? Omit<T, 'next'> : never;
/** A step that one other follows, which is not known yet. */
export type SimpleStep = WithoutNext<
  Extract<Step, { type: 'voice' | 'sms' | 'message' | 'wait' | 'activity' | 'activateTrigger' }>
>;
export type Sending = Extract<SimpleStep, { type: 'voice' | 'sms' | 'message' }>;

export interface Block {
  readonly items: Item[];
  readonly parent: ChainItem | SplitItem | null;
}

export interface StepItem {
  readonly kind: 'step';
  step: SimpleStep;
  readonly source: Source;
}

/** Ends the run. */
export interface EndItem {
  readonly kind: 'end';
  readonly source: Source;
}

/** Waits until it is known what came of something that was sent, and goes on. */
export interface AwaitItem {
  readonly kind: 'await';
  readonly id: string;
  readonly target: Sending;
  timeoutMs: number | null;
  readonly source: Source;
}

/** Back to the step that the chain around it is about, after what stands before it in its block. */
export interface RetryItem {
  readonly kind: 'retry';
  readonly id: string;
  readonly target: string;
  readonly timesMax: number;
  readonly source: Source;
}

/** The ways on from one place, in order; the first that holds is taken. */
export interface ChainItem {
  readonly kind: 'chain';
  readonly id: string;
  /** What was sent and is judged here; null: only the person is. */
  target: Sending | null;
  /** A trigger that is waited for instead. */
  readonly trigger: string | null;
  /** False: what came of the target has been waited for before. */
  readonly isFirst: boolean;
  timeoutMs: number | null;
  readonly arms: Arm[];
  otherwise: Block | null;
  /** The block that it stands in. */
  readonly home: Block;
  readonly source: Source;
}

export interface Arm {
  readonly when: AnyOf;
  readonly block: Block;
  readonly source: Source;
}

/** Shares of people. */
export interface SplitItem {
  readonly kind: 'split';
  readonly id: string;
  readonly by: 'percent' | 'number' | 'abTest' | 'bestChannel';
  readonly arms: SplitArm[];
  otherwise: Block | null;
  /** The block that it stands in. */
  readonly home: Block;
  readonly source: Source;
}

export interface SplitArm {
  /** Percent, or people; null: what is left over. */
  readonly share: number | null;
  readonly block: Block;
}

export type Item = StepItem | EndItem | AwaitItem | RetryItem | ChainItem | SplitItem;

/** At least one of lists of which every one holds. */
export type AnyOf = readonly (readonly Atom[])[];

export type OutcomeAtom =
  | 'answered'
  | 'notReached'
  | 'machine'
  | 'busy'
  | 'attempted'
  | 'notAttempted'
  | 'blocked'
  | 'nothing'
  | 'opened'
  | 'clicked'
  | 'replied'
  | 'notOpened'
  | 'notClicked'
  | 'notReplied'
  | 'notSent'
  | 'happened';

export type Atom =
  | {
      readonly kind: 'outcome';
      readonly outcome: OutcomeAtom;
      /** Where the text says what it asks about. */
      readonly about?: TargetKind;
    }
  /** Of what came back of the conversation. */
  | { readonly kind: 'result'; readonly test: Omit<AttributeTest, 'from'> }
  /** Of the person, or of what the entry trigger carried. */
  | { readonly kind: 'person'; readonly test: Test };

export type TargetKind = 'conversation' | 'message';

/** What an atom is about; null: of anything, or of nothing that was sent. */
export function aboutOf(atom: Atom): readonly TargetKind[] | null {
  if (atom.kind === 'person') return null;
  if (atom.kind === 'result') return ['conversation'];
  if (atom.about !== undefined) return [atom.about];
  switch (atom.outcome) {
    case 'answered':
    case 'notReached':
    case 'machine':
    case 'busy':
    case 'attempted':
    case 'notAttempted':
      return ['conversation'];
    case 'opened':
    case 'clicked':
    case 'notOpened':
    case 'notClicked':
    case 'notSent':
      return ['message'];
    case 'replied':
    case 'notReplied':
    case 'blocked':
    case 'nothing':
      return ['conversation', 'message'];
    case 'happened':
      return null;
  }
}

export function targetKindOf({ type }: Sending): TargetKind {
  return type === 'message' ? 'message' : 'conversation';
}
