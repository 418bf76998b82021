/** One request for one task: its contacts are made or brought up to date, and the task is theirs. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { findPoints, type Address } from '../consent/contact-address.ts';
import { checkAttributes, contactEntry, type ContactEntry } from '../contacts/contact-entry.ts';
import { upsertContacts, type ContactInput } from '../contacts/upsert-contacts.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import { INTAKES, type Intake } from '../engagements/engagement-inputs.schema.ts';
import type { Window } from '../eligibility/window.ts';
import type { DestinationRules } from '../intake/destination.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { createTasks, type TaskInput } from './create-tasks.ts';

export interface TaskRequest {
  readonly engagementId: string;
  /** One, or a chain of up to five in dial order. */
  readonly contacts: readonly (ContactEntry & { readonly windows?: readonly Window[] })[];
  readonly windows?: readonly Window[];
  readonly priority?: string;
  readonly requestId?: string;
  readonly inputAttributes?: Readonly<Record<string, string>>;
  /** Default: all that its contacts have. */
  readonly onlyGivenNumbers?: boolean;
  readonly journey?: NonNullable<TaskInput['journey']>;
}

export type TasksEngagement = Pick<EngagementRow, 'id' | 'workstream_id'> & {
  readonly phoneTypes: readonly PhoneType[];
};

const WAYS: Readonly<Record<string, string>> = {
  ...{ api: 'by requests', file: 'by files', journeys: 'by journeys' },
};

/** An engagement that takes work in this way, or in one of these. */
export async function engagementFor(
  tx: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  engagementId: string,
  intake: Intake | readonly Intake[],
): Promise<TasksEngagement> {
  const row = await tx
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', engagementId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId}`);
  }
  if (row.status === 'inactive') {
    throw new DialerError('ENGAGEMENT_INACTIVE', `engagement ${engagementId} is inactive`);
  }
  if (![intake].flat().includes(row.intake as Intake)) {
    const detail = `engagement ${engagementId} is fed ${WAYS[row.intake] ?? row.intake}`;
    throw new DialerError('INTAKE_NOT_ALLOWED', detail);
  }
  const { phoneTypes } = JSON.parse(row.config) as { phoneTypes: readonly PhoneType[] };
  return { ...row, phoneTypes };
}

/** What a journey may feed, be it of this installation or of another. */
const JOURNEY_INTAKES = INTAKES.filter((intake) => intake !== 'file');

/** Throws before anything is written when the request cannot be met. */
export async function acceptTask(
  tx: Transaction<Database>,
  writer: Writer,
  request: TaskRequest,
  rulesOf: (workstreamId: string) => Promise<DestinationRules>,
): Promise<TaskRow> {
  const { businessUnitId } = writer;
  const intakes = request.journey === undefined ? (['api'] as const) : JOURNEY_INTAKES;
  const engagement = await engagementFor(tx, businessUnitId, request.engagementId, intakes);
  const rules = await rulesOf(engagement.workstream_id);
  checkWindows(request);
  checkAttributes(request.inputAttributes, 'inputAttributes');
  const inputs = contactsOf(request, rules, engagement.phoneTypes);
  const contacts = await upsertContacts(tx, writer, inputs);
  const [taskId = ''] = await createTasks(tx, writer, engagement, [
    {
      ...taskInput(
        request,
        contacts.map(({ id }) => id),
      ),
      ...(await restrictionsOf(tx, writer, request, inputs)),
    },
  ]);
  return tx.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirstOrThrow();
}

async function restrictionsOf(
  tx: Transaction<Database>,
  { businessUnitId }: Writer,
  { onlyGivenNumbers = false }: TaskRequest,
  inputs: readonly ContactInput[],
): Promise<Pick<TaskInput, 'restrictions'>> {
  if (!onlyGivenNumbers) return {};
  const addresses = inputs.flatMap(({ phones = {} }) =>
    Object.values(phones).map((value): Address => ({ kind: 'phone', value })),
  );
  const points = await findPoints(tx, businessUnitId, addresses);
  return { restrictions: { contactPointIds: [...points.values()], consent: null } };
}

function contactsOf(
  { contacts }: TaskRequest,
  rules: DestinationRules,
  phoneTypes: readonly PhoneType[],
): ContactInput[] {
  const seen = new Set<string>();
  return contacts.map(({ windows: _, ...entry }, index) => {
    const place = `contacts[${index}]`;
    if (seen.has(entry.uniqueIdentifier)) {
      const detail = `${place} has the identifier of a contact before it`;
      throw new DialerError('REQUEST_INVALID', detail);
    }
    seen.add(entry.uniqueIdentifier);
    const input = contactEntry(entry, rules, place);
    if (!phoneTypes.some((type) => input.phones?.[type] !== undefined)) {
      const detail = `${place} has no number of a kind that is dialled: ${phoneTypes.join(', ')}`;
      throw new DialerError('PHONE_MISSING', detail);
    }
    return input;
  });
}

function checkWindows({ windows = [], contacts }: TaskRequest): void {
  const all = [...windows, ...contacts.flatMap((contact) => contact.windows ?? [])];
  if (all.every(({ startMs, endMs }) => endMs > startMs)) return;
  throw new DialerError('WINDOW_INVALID', 'a window ends before it begins');
}

function taskInput(request: TaskRequest, contactIds: readonly string[]): TaskInput {
  const { windows, priority, requestId, inputAttributes, contacts, journey } = request;
  const own = contacts.flatMap((contact, index) => {
    const id = contactIds[index];
    const given = contact.windows ?? [];
    return id === undefined || given.length === 0 ? [] : [[id, given] as const];
  });
  return {
    ...{ contactIds, windowsByContact: Object.fromEntries(own) },
    source: journey === undefined ? 'api' : 'journey',
    ...(journey === undefined ? {} : { journey }),
    ...(windows === undefined ? {} : { windows }),
    ...(priority === undefined ? {} : { priorityValue: priority }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(inputAttributes === undefined ? {} : { inputAttributes }),
  };
}
