/** What a sentence asks to be done, once it is read. */
import type { Compliance } from '../definition/sending.schema.ts';
import type { SimpleStep } from './draft-plan.ts';
import type { Share } from './share-phrases.ts';
import type { WaitSpec } from './timing-phrases.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
/** A step without its id; `name` is what its id is made of. */
export type NewStep = WithoutId<SimpleStep>;

export type MessageChannel = 'email' | 'sms' | 'push' | 'custom';

export type Action =
  | {
      readonly kind: 'step';
      readonly name: string;
      /** Fields `message` and `engagement` may be empty: the step's id is taken. */
      readonly step: NewStep;
      readonly message?: { readonly channel: MessageChannel; readonly compliance: Compliance };
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'await'; readonly timeoutMs: number | null }
  | { readonly kind: 'awaitTrigger'; readonly trigger: string; readonly timeoutMs: number | null };

export interface ReadAction {
  readonly action: Action;
  /** To be waited for before. */
  readonly before: readonly WaitSpec[];
  /** How often it is tried in all, and how far apart. */
  readonly times: number | null;
  readonly everyMs: number | null;
  /** Whom: a share of people, or a segment that they enter by. */
  readonly share: Share | null;
  readonly segment: string | null;
}
