/** The dialer of this process: found without being configured, since its store is ours. */
import type { Transaction } from 'kysely';
import { storedConfig } from '../../engagements/complete-config.ts';
import type { ApiDialer } from '../../http/v1/api-context.ts';
import type { Database } from '../../store/schema/database.ts';
import { createTasks } from '../../tasks/create-tasks.ts';
import type { CallingEngagement, DialerHere, NoEngagement } from './journey-dialer.ts';
import { standingOfTask } from './standing-of-task.ts';

type Tx = Transaction<Database>;

/** Undefined while it starts or stops: its store takes tasks all the same. */
export type OwnDialer = () => Pick<ApiDialer, 'tasksWritten' | 'cancelTask'> | undefined;

const ACTOR = 'journeys';

export function dialerHere(dialer: OwnDialer): DialerHere {
  return {
    where: 'here',
    engagement: engagementNamed,
    request: async (tx, writer, request) => {
      const { engagement, contactId, journeyId, runId, key, windows } = request;
      const { contactPointIds, consent, inputAttributes } = request;
      const [taskId = ''] = await createTasks(tx, writer, engagement, [
        {
          ...{ contactIds: [contactId], source: 'journey', requestId: key },
          ...{ windows, inputAttributes, journey: { journeyId, runId } },
          restrictions: { contactPointIds, consent },
        },
      ]);
      return taskId;
    },
    requested: (engagementId) => dialer()?.tasksWritten(engagementId),
    standing: standingOfTask,
    cancel: async (businessUnitId, taskId) => {
      const running = dialer();
      if (running === undefined) throw new Error('the dialer is starting or stopping');
      await running.cancelTask({
        ...{ businessUnitId, taskId, actor: ACTOR },
        reason: 'the journey took it back',
      });
    },
  };
}

/** Names need not differ: of several the newest that takes work is meant. */
async function engagementNamed(
  tx: Tx,
  businessUnitId: string,
  name: string,
): Promise<CallingEngagement | NoEngagement> {
  const rows = await tx
    .selectFrom('engagements')
    .select(['id', 'status', 'config'])
    .where('business_unit_id', '=', businessUnitId)
    .where('name', '=', name)
    .where('channel', '=', 'voice')
    .where('intake', '<>', 'file')
    .orderBy('id', 'desc')
    .execute();
  const open = rows.find(({ status }) => status !== 'inactive');
  if (open === undefined) return rows.length === 0 ? 'engagement_missing' : 'engagement_closed';
  return { id: open.id, phoneTypes: storedConfig(open.config).phoneTypes };
}
