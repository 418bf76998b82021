/** Everything that is wrong with a definition, as things stand here at this moment. */
import type { Transaction } from 'kysely';
import type { JourneyAssets } from '../../../journey-core/definition/assets.schema.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type {
  JourneyFault,
  JourneyFaultCode,
} from '../../../journey-core/validation/journey-fault.ts';
import { validateJourney } from '../../../journey-core/validation/validate-journey.ts';
import type { Database } from '../../store/schema/database.ts';
import { assetsFor, storedAssets, type StoredAssets } from './journey-assets.ts';

/** Beyond the validator's: what only an installation can know. */
export const SERVICE_FAULT_CODES = [
  'CONVERSATIONS_OFF', // journeys call nobody here
  'NO_LIVE_CHANNEL', // warning: nothing here sends on this channel yet
] as const;

export interface FoundFault extends Omit<JourneyFault, 'code' | 'where'> {
  readonly code: JourneyFaultCode | (typeof SERVICE_FAULT_CODES)[number];
}

export interface CheckedDefinition {
  /** Errors, then what blocks publishing, then warnings. */
  readonly faults: readonly FoundFault[];
  /** With what it relies on here; null when there is an error. */
  readonly journey: Journey | null;
  readonly isPublishable: boolean;
}

export interface CheckOptions {
  /** Journeys may call people. */
  readonly hasConversations: boolean;
  /** Names of those that are configured; undefined: what a definition declares is there. */
  readonly webhooks?: readonly string[];
}

export async function checkDefinition(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  definition: unknown,
  options: CheckOptions,
): Promise<CheckedDefinition> {
  return checkAgainst(
    await storedAssets(db, businessUnitId, options.webhooks),
    definition,
    options,
  );
}

/** Pure: several definitions may be checked against what was read once. */
export function checkAgainst(
  stored: StoredAssets,
  definition: unknown,
  { hasConversations }: CheckOptions,
): CheckedDefinition {
  const assets = assetsFor(definition, stored);
  const { faults: found, journey } = validateJourney(definition, assets);
  const faults = [
    ...found.flatMap((fault) => ofAuthor(fault, definition, stored, assets)),
    ...(journey === null ? [] : channelFaults(journey, hasConversations)),
  ].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return {
    faults,
    journey: journey === null ? null : { ...journey, assets },
    isPublishable: faults.every(({ severity }) => severity === 'warning'),
  };
}

const SEVERITIES = ['error', 'blocksPublishing', 'warning'];

/**
 * What was declared stands behind what is stored in the lists that were checked: its faults are told
 * where the author wrote it. What is stored is looked after where it was made.
 */
function ofAuthor(
  fault: JourneyFault,
  definition: unknown,
  stored: StoredAssets,
  assets: JourneyAssets,
): JourneyFault[] {
  const [, kind, index, rest = ''] = /^\/assets\/(\w+)\/(\d+)(.*)$/.exec(fault.path) ?? [];
  if (kind === undefined || !isStoredKind(kind)) return [fault];
  if (Number(index) < (stored[kind] ?? []).length) return [];
  const name = assets[kind]?.[Number(index)]?.name;
  const declared = (definition as Journey).assets?.[kind] ?? [];
  const place = declared.findIndex((item) => item.name === name);
  return [{ ...fault, path: `/assets/${kind}/${place}${rest}` }];
}

const STORED_KINDS = [
  'triggers',
  'segments',
  'engagements',
  'complianceProfiles',
  'quietTimes',
  'webhooks',
] as const;

function isStoredKind(kind: string): kind is (typeof STORED_KINDS)[number] {
  return (STORED_KINDS as readonly string[]).includes(kind);
}

function channelFaults({ steps }: Journey, hasConversations: boolean): FoundFault[] {
  return steps.flatMap((step, index): FoundFault[] => {
    const path = `/steps/${index}`;
    if (step.type !== 'voice' && step.type !== 'sms') return [];
    if (!hasConversations) {
      const problem = 'is a conversation, and conversations of journeys are switched off here';
      const remedy = 'set journeys.conversations, or take the step out';
      const severity = 'blocksPublishing' as const;
      return [{ path, code: 'CONVERSATIONS_OFF', severity, problem, remedy }];
    }
    if (step.type === 'voice') return [];
    const problem = 'nothing here sends text messages yet: everybody is blocked at this step';
    const remedy = 'lead its branch for blocked people to another channel';
    return [{ path, code: 'NO_LIVE_CHANNEL', severity: 'warning', problem, remedy }];
  });
}
