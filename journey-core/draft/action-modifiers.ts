/** A verb that was found, and what was said along with it. */
import type { Action, MessageChannel } from './read-action.ts';
import type { Share } from './share-phrases.ts';
import type { WaitSpec } from './timing-phrases.ts';

export interface Modifiers {
  engagement: string | null;
  message: string | null;
  webhook: string | null;
  about: string | null;
  profile: string | null;
  purpose: string | null;
  topic: string | null;
  sendWithin: string | null;
  quietTime: string | null;
  share: Share | null;
  segment: string | null;
  times: number | null;
  everyMs: number | null;
  before: WaitSpec[];
}

type Draft =
  | { readonly verb: 'voice' | 'sms' }
  | { readonly verb: 'message'; readonly channel: MessageChannel; readonly word: string }
  | { readonly verb: 'other'; readonly action: Action };
export type Found = Draft & {
  readonly before?: readonly WaitSpec[];
  readonly modifiers?: Modifiers;
};

export function noModifiers(): Modifiers {
  return {
    ...{ engagement: null, message: null, webhook: null, about: null, profile: null },
    ...{ purpose: null, topic: null, sendWithin: null, quietTime: null, share: null },
    ...{ segment: null, times: null, everyMs: null, before: [] },
  };
}

export function other(action: Action, before: readonly WaitSpec[] = []): Found {
  return { verb: 'other', action, before };
}
