/** What the demo dials for: an engagement in Copilot mode with the lab's AI agent, and its tasks. */
import type { DialingConfig } from '../../config/dialing.schema.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
  type Writer,
} from '../../dialer/engagements/create-engagement.ts';
import { idSource } from '../../dialer/ids/uuid7.ts';
import { createBatch } from '../../dialer/intake/batch.ts';
import { importBatch } from '../../dialer/intake/batch-import.ts';
import type { WindowsOf } from '../../dialer/intake/batch-rows.ts';
import { CONTACTS_BYTES_MAX } from '../../dialer/intake/contacts-csv.ts';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { CHIME } from '../attempt-plan.ts';
import { lastCallingHours } from '../calling-hours.ts';
import { isLoopbackTrunk } from '../choose-trunk.ts';
import type { ContactList } from './contact-tasks.ts';
import type { DemoMode, DemoOptions } from './demo-options.ts';
import { intakeFile } from './intake-file.ts';

export const DEMO_ACTOR = 'demo';

export interface DemoWork {
  readonly businessUnitId: string;
  readonly engagementId: string;
}

export interface DemoWorkParts {
  readonly database: OpenDatabase;
  readonly trunk: TrunkConfig;
  readonly agentUri: string;
  readonly mode: DemoMode;
  /** Phones of representatives; none in Copilot. */
  readonly representativeUris: readonly string[];
  readonly list: ContactList;
  readonly dialing: DialingConfig;
  readonly options: Pick<DemoOptions, 'concurrency' | 'ringTimeoutMs' | 'timeZone'>;
  readonly nowMs: number;
}

/** Everything is in the store when it resolves: a dialer that is started then goes to work. */
export async function writeDemoWork(parts: DemoWorkParts): Promise<DemoWork> {
  const { database, trunk, list, nowMs } = parts;
  const ids = idSource(() => nowMs);
  const businessUnitId = await createBusinessUnit({ database, ids, nowMs }, 'Demo');
  const writer = { database, ids, nowMs, businessUnitId, actor: DEMO_ACTOR };
  const engagementId = await writeEngagement(writer, parts);
  const sourceName = 'contacts of the demo';
  const batchId = await createBatch(writer, { engagementId, sourceName });
  const file = intakeFile(list);
  const windowsOf = windowRule(parts);
  const summary = await importBatch({
    ...{ database, ids, businessUnitId, batchId, actor: DEMO_ACTOR },
    nowMs: () => nowMs,
    open: () => chunksOf(file),
    rules: { format: trunk.destinationFormat },
    // The list was within the limit; an identifier in every row may take it above.
    bytesMax: 4 * CONTACTS_BYTES_MAX,
    ...(windowsOf === undefined ? {} : { windowsOf }),
  });
  const dialled = list.tasks.filter(({ refusal }) => refusal === undefined).length;
  if (summary.tasksCreated !== dialled) {
    const { tasksCreated, errorMessage } = summary;
    throw new Error(`intake made ${tasksCreated} tasks of ${dialled} rows: ${errorMessage ?? ''}`);
  }
  return { businessUnitId, engagementId };
}

async function writeEngagement(writer: Writer, parts: DemoWorkParts): Promise<string> {
  const { trunk, agentUri, options, mode } = parts;
  const workstreamId = await createWorkstream(writer, {
    ...{ name: 'Demo', trunk: trunk.name, number: trunk.callerId },
    aiAgent: {
      ...{ sipUri: agentUri, fallbackPrompts: [CHIME] },
      // What answered is listened to while the agent talks: a machine is hung up on.
      detection: { enabled: true },
    },
  });
  const queueId = await createQueue(writer, { name: 'Demo' });
  await seatRepresentatives(writer, queueId, parts.representativeUris);
  const maxConcurrentCalls = Math.min(options.concurrency, trunk.channelsMax);
  return createEngagement(writer, {
    ...{ name: 'Demo', workstreamId, queueId },
    config: {
      ...(mode === 'copilot' ? agentLed(maxConcurrentCalls) : LED_BY_REPRESENTATIVES[mode]),
      callOrder: 'firstInFirstOut',
      ringTimeoutMs: options.ringTimeoutMs,
    },
  });
}

function agentLed(maxConcurrentCalls: number) {
  return {
    mode: { kind: 'copilot', maxConcurrentCalls },
    // A run comes to its end: what failed shows in the report instead.
    aiFailure: { action: 'none' },
  };
}

const ANSWERING = {
  ...{ amdAction: 'hangup', amdTimeSeconds: 3, customerWaitThresholdSeconds: 6 },
  abandonedMessage: {
    text: 'This was a demonstration of Ringfence. Nobody was free to talk to you. Goodbye.',
  },
  // For the same reason: nobody is there to start it again.
  stopRule: { percent: 100, lookbackMinutes: 60 },
};

const LED_BY_REPRESENTATIVES = {
  preview: { engagementType: 'repLed', mode: { kind: 'preview' } },
  progressive: { engagementType: 'repLed', mode: { kind: 'progressive' }, answering: ANSWERING },
  predictive: { engagementType: 'repLed', mode: { kind: 'predictive' }, answering: ANSWERING },
} as const;

/** At their phones from the beginning. */
async function seatRepresentatives(
  writer: Writer,
  queueId: string,
  uris: readonly string[],
): Promise<void> {
  for (const [index, sipUri] of uris.entries()) {
    await writer.database.db.transaction().execute(async (tx) => {
      const input = { name: `Representative ${index + 1}`, sipUri, queueIds: [queueId] };
      const { id } = await createRepresentativeIn(tx, writer, input);
      await setPresenceIn(tx, writer, id, 'available');
    });
  }
}

async function* chunksOf(file: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield file;
}

/**
 * Real people are called within the calling hours where they are, and those whom it is too early or
 * too late to call expire at once: a run does not wait. On loopback nobody can be woken.
 */
function windowRule({ trunk, dialing, options, nowMs }: DemoWorkParts): WindowsOf | undefined {
  if (isLoopbackTrunk(trunk)) return undefined;
  const hours = { from: dialing.callingHoursFrom, to: dialing.callingHoursTo };
  return ({ fields }) => {
    const zone = fields.TimeZone ?? options.timeZone ?? '';
    return [lastCallingHours(hours, zone, nowMs) ?? { startMs: nowMs - 2, endMs: nowMs - 1 }];
  };
}
