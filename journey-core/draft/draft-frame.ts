/** What of a journey is no step: entry, dates, exits, goal, names. Filled sentence by sentence. */
import type { AttributeTest, Condition } from '../definition/condition.schema.ts';
import type { Goal, ExitRule, EntryRate } from '../definition/journey.schema.ts';
import type { Channel } from '../definition/sending.schema.ts';
import type { QuietHours } from './quiet-week.ts';
import type { Static } from 'typebox';

export interface DraftFrame {
  name: string | null;
  timeZone: string;
  trigger: string | null;
  triggerConditions: AttributeTest[];
  segment: string | null;
  frequency: 'oneTime' | 'ongoing' | 'repeating' | null;
  every: string | null;
  opensAt: string | null;
  closesAt: string | null;
  rate: Static<typeof EntryRate> | null;
  exclude: string | null;
  reentry: { allow: 'never' | 'always' | 'afterDelay'; delay?: string } | null;
  exits: ExitRule[];
  cancelsConversations: boolean;
  goal: Static<typeof Goal> | null;
  bypassesCap: boolean;
  /** Of every step that does not say another. */
  quietTime: string | null;
  /** When nothing leaves; of steps that say nothing else. */
  quietHours: readonly QuietHours[];
  /** Each person's clock is meant; else the journey's. */
  isQuietByTheirClock: boolean;
  /** What the sentence has just said to send: hours right behind it are of these channels. */
  spokenOf: readonly Channel[] | null;
}

export function emptyFrame(timeZone: string): DraftFrame {
  return {
    ...{ name: null, timeZone, trigger: null, triggerConditions: [], segment: null },
    ...{ frequency: null, every: null, opensAt: null, closesAt: null, rate: null, exclude: null },
    ...{ reentry: null, exits: [], cancelsConversations: true, goal: null },
    ...{ bypassesCap: false, quietTime: null },
    ...{ quietHours: [], isQuietByTheirClock: false, spokenOf: null },
  };
}

export function conditionOf(tests: readonly AttributeTest[]): Condition | undefined {
  const [first] = tests;
  if (first === undefined) return undefined;
  return tests.length === 1 ? first : { all: [...tests] };
}
