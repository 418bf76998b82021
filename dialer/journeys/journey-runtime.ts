/** Everything that journeys do by themselves, put together for a service. */
import type { DialerLog } from '../dialer-log.ts';
import type { JourneySwitches } from '../http/v1/api-context.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { beginProjecting, projectInteractions } from '../triggers/project-interactions.ts';
import type { OwnDialer } from './effects/dialer-here.ts';
import { effectChores } from './effects/effect-chores.ts';
import { EntryRounds } from './entry/entry-rounds.ts';
import { occurrenceRouter } from './entry/route-occurrences.ts';
import type { JourneyChore } from './journey-chore.ts';
import { JourneyWorker } from './journey-worker.ts';
import { lifecycleChore } from './lifecycle/lifecycle-chore.ts';
import { JourneyDefinitions } from './runs/journey-definitions.ts';
import { RunChore } from './runs/run-chore.ts';

export interface JourneyRuntimeOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly log: DialerLog;
  readonly rulePacks: RulePacks;
  readonly dialer: OwnDialer;
  /** Default: all of it is on. */
  readonly journeys?: JourneySwitches;
}

/** Not started. */
export function journeyRuntime(options: JourneyRuntimeOptions): JourneyWorker {
  const { log, nowMs, journeys } = options;
  const definitions = new JourneyDefinitions();
  const common = { ...options, definitions };
  const { hasConversations = true, sending } = journeys ?? {};
  const chores: readonly JourneyChore[] = [
    interactions(options),
    lifecycleChore(options),
    new EntryRounds(common),
    occurrenceRouter(common),
    new RunChore(common),
    ...effectChores({ ...common, hasConversations, ...(sending === undefined ? {} : { sending }) }),
  ];
  return new JourneyWorker({ chores, log, nowMs });
}

/** What people did with calls, from the first time that anybody asks on. */
function interactions(options: JourneyRuntimeOptions): JourneyChore {
  let began = false;
  return {
    name: 'interactions',
    turn: async () => {
      if (!began) await beginProjecting(options);
      began = true;
      return projectInteractions(options);
    },
  };
}
