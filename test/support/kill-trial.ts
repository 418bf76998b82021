/**
 * One trial: an engagement in an empty store, an independent far end, and a dialer that is killed and
 * started again until every task is final.
 */
import type { Test } from 'tap';
import { upsertContacts } from '../../dialer/contacts/upsert-contacts.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
  type Writer,
} from '../../dialer/engagements/create-engagement.ts';
import { idSource } from '../../dialer/ids/uuid7.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { createTasks } from '../../dialer/tasks/create-tasks.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { startSoftswitch } from '../../softswitch/start-softswitch.ts';
import { runDialer, type ChildOptions, type Killing } from './dialer-process.ts';
import type { Fault } from './fault-points.ts';
import { silentLog } from './silent-log.ts';
import { SippFarEnd, type SippMessage } from './sipp.ts';
import { openStore, type StoreAddress, type StoreTarget } from './store-target.ts';
import { gatewayConfig, switchOptions } from './switch-for-children.ts';

export interface TrialOptions {
  readonly target: StoreTarget;
  readonly contacts: number;
  /** How each process dies, in order. The one after them lives until all is done. */
  readonly deaths: readonly (Fault | Killing)[];
  /**
   * What dies with the dialer. gatewayAndSwitch: all calls with it. gateway: they are up, and nobody
   * knows of them. nothing: the gateway can be asked.
   */
  readonly diesWithIt: 'gatewayAndSwitch' | 'gateway' | 'nothing';
  /** An AI agent takes the answered calls, and ends them. */
  readonly withAgent?: boolean;
}

export interface Trial {
  readonly database: OpenDatabase;
  readonly farEnd: SippFarEnd;
  readonly messages: readonly SippMessage[];
  /** Processes that were killed as planned. */
  readonly killed: number;
}

const CALLS_AT_ONCE = 20;
const RING_MS = 60;
/** An agent's words, before it hangs up. */
const TALK_MS = 100;
const CALL_LENGTH_MAX_MS = 4_000;

/** Throws when a process neither finished nor died as planned. */
export async function runTrial(t: Test, options: TrialOptions): Promise<Trial> {
  const { target, deaths, diesWithIt, withAgent = false } = options;
  const place = target.place(t);
  const farEnd = await startFarEnd(t, 'answer-by-number', RING_MS);
  const agent = withAgent ? await startFarEnd(t, 'answer-then-bye', TALK_MS) : undefined;
  const beside = diesWithIt === 'gatewayAndSwitch' ? null : await startSoftswitch(switchOptions());
  if (beside !== null) t.teardown(() => beside.stop());
  const gateway =
    diesWithIt === 'nothing' && beside !== null
      ? await createGateway({ config: gatewayConfig(beside, farEnd.uri), log: silentLog })
      : undefined;
  await fillStore(place.address, options.contacts);
  const common: Omit<ChildOptions, 'fault'> = {
    store: place.address,
    trunkAddress: farEnd.uri,
    switchPorts: beside && { controlPort: beside.controlPort, eslPort: beside.eslPort },
    isGatewayBeside: gateway !== undefined,
    agentUri: agent?.uri ?? null,
    callLengthMaxMs: CALL_LENGTH_MAX_MS,
  };
  let killed = 0;
  for (const death of [...deaths, null]) {
    const killing = death !== null && 'afterEvents' in death ? death : undefined;
    const fault = death !== null && 'boundary' in death ? death : null;
    const end = await runDialer({ ...common, fault }, killing, gateway);
    if (end.isFinished) break;
    killed += 1;
  }
  await gateway?.close();
  const database = await place.open({ nowMs: () => Date.now() });
  return { database, farEnd, messages: await farEnd.messages(), killed };
}

async function startFarEnd(t: Test, scenario: string, pauseMs: number): Promise<SippFarEnd> {
  const farEnd = await SippFarEnd.start({ scenario, pauseMs, echoRtp: false });
  t.teardown(() => farEnd.stop());
  return farEnd;
}

/** Closed again before a dialer opens it: whatever a killed process left is the next one's to mend. */
async function fillStore(address: StoreAddress, contacts: number): Promise<void> {
  const nowMs = Date.now();
  const database = await openStore(address, { nowMs: () => nowMs });
  const ids = idSource(() => nowMs);
  const businessUnitId = await createBusinessUnit({ database, ids, nowMs }, 'trial');
  const writer: Writer = { database, ids, nowMs, businessUnitId, actor: 'test' };
  const workstreamId = await createWorkstream(writer, {
    name: 'trial',
    trunk: 'far',
    number: '+12025550100',
    settings: { prompts: ['greeting'] },
  });
  const queueId = await createQueue(writer, { name: 'trial' });
  const engagementId = await createEngagement(writer, {
    ...{ name: 'trial', workstreamId, queueId },
    config: {
      mode: { kind: 'copilot', maxConcurrentCalls: CALLS_AT_ONCE },
      phoneTypes: ['mobile'],
      reattempt: { reasons: ['failed'], retriesMax: 3 },
      aiFailure: { action: 'none' },
    },
  });
  await database.db.transaction().execute(async (tx) => {
    const people = await upsertContacts(
      tx,
      writer,
      Array.from({ length: contacts }, (_, n) => ({
        uniqueIdentifier: `person-${n}`,
        phones: { mobile: numberOf(n) },
      })),
    );
    const tasks = people.map(({ id }) => ({ contactIds: [id], source: 'file' as const }));
    await createTasks(tx, writer, { id: engagementId }, tasks);
  });
  await database.close();
}

/** Its last digit tells the far end what to do. */
function numberOf(n: number): string {
  return `+1206555${String(n).padStart(4, '0')}`;
}
