/** What the event stream of a dialer elsewhere tells: the effect of the task is looked at again at once. */
import { inTransaction } from '../in-transaction.ts';
import type { JourneyChore } from '../journey-chore.ts';
import type { EffectParts } from './effect-parts.ts';
import { lookAtTasks } from './hear-results.ts';
import { TaskEventsElsewhere, type TaskEventsSettings } from './task-events-elsewhere.ts';

/** Tasks looked for in one turn. */
const AT_ONCE = 500;

export interface HearingChore extends JourneyChore {
  /** Ends are told without being asked for. */
  isHearing(): boolean;
}

/**
 * It takes turns with the other chores: how a task stood before its end was heard is written before, too,
 * and does not put it off.
 */
export function hearElsewhere(
  { database, nowMs, log }: Pick<EffectParts, 'database' | 'nowMs' | 'log'>,
  { url, key, retryMs }: Pick<TaskEventsSettings, 'url' | 'key' | 'retryMs'>,
): HearingChore {
  const heard = new Set<string>();
  let wake = (): void => undefined;
  const onTask = (taskId: string): void => {
    heard.add(taskId);
    wake();
  };
  const events = new TaskEventsElsewhere({
    ...{ url, key, log, onTask },
    ...(retryMs === undefined ? {} : { retryMs }),
  });
  return {
    name: 'results elsewhere',
    turn: async () => {
      const taskIds = [...heard].slice(0, AT_ONCE);
      if (taskIds.length === 0) return 0;
      await inTransaction(database, (tx) => lookAtTasks(tx, taskIds, nowMs()));
      // Heard again meanwhile, it is asked about after this all the same.
      for (const id of taskIds) heard.delete(id);
      return taskIds.length;
    },
    start: (rouse) => {
      wake = rouse;
      events.start();
    },
    stop: () => events.stop(),
    isHearing: () => events.isHeard,
  };
}
