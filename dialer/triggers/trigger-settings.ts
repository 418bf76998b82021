/** Custom and business triggers: made, edited, made ready to use, and retired (spec A.19, G.5). */
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import {
  Condition,
  OPERATORS_OF,
  testsOf,
} from '../../journey-core/definition/condition.schema.ts';
import { ENTRY_CONDITIONS_MAX } from '../../journey-core/definition/journey.schema.ts';
import { judgeCondition } from '../../journey-core/interpreter/judge-condition.ts';
import { own, type Values } from '../../journey-core/interpreter/json-value.ts';
import { DialerError, type ErrorFault } from '../../machines/errors.ts';
import { checkShape } from '../checked-shape.ts';
import { checkedInput, Name } from '../checked-input.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { mergePatch } from '../merge-patch.ts';
import type { Database } from '../store/schema/database.ts';
import type { TriggerRow } from '../store/schema/segment-tables.ts';
import {
  createRow,
  refuseNameOfAnother,
  rowToChange,
  writeChange,
  type Change,
} from '../store/versioned-row.ts';
import { KEPT_DAYS } from './add-occurrences.ts';
import { isInteractionTrigger } from './interaction-triggers.ts';
import { TriggerAttribute } from './trigger-attributes.ts';

type Tx = Transaction<Database>;

export const TriggerInput = Type.Object(
  {
    name: Name,
    description: Type.String({ maxLength: 200, default: '' }),
    kind: Type.Enum(['custom', 'business'], {
      description: 'custom: raised by code. business: a record elsewhere was made or changed.',
    }),
    state: Type.Enum(['draft', 'ready', 'retired'], {
      description: 'It can be raised, and journeys can rely on it, while it is ready.',
      default: 'draft',
    }),
    attributes: Type.Array(TriggerAttribute, {
      description: 'What it carries.',
      maxItems: 200,
      default: [],
    }),
    conditions: Type.Unknown({
      description:
        'Tests of what it carries (`from: trigger`), up to 29, combined by all and any, as in ' +
        'journeys. What does not meet them is not recorded. Null: everything is.',
      default: null,
    }),
    keptDays: Type.Integer({
      description: 'How long what it was raised with is kept.',
      minimum: 1,
      maximum: 400,
      default: KEPT_DAYS,
    }),
  },
  { additionalProperties: false },
);

export async function createTriggerIn(tx: Tx, writer: Writer, input: unknown): Promise<TriggerRow> {
  return createRow(tx, writer, 'triggers', await triggerColumns(tx, writer, input));
}

/** What journeys know it by, its name and its kind, stays. */
export async function changeTrigger(tx: Tx, writer: Writer, change: Change): Promise<TriggerRow> {
  const row = await rowToChange(tx, writer, 'triggers', change);
  const { conditions, ...rest } = change.patch;
  const merged = mergePatch(triggerInput(row), rest) as Readonly<Record<string, unknown>>;
  // A condition is replaced as a whole: merged into another one it would mean neither.
  const input = 'conditions' in change.patch ? { ...merged, conditions } : merged;
  const columns = await triggerColumns(tx, writer, input, row.id);
  for (const name of ['name', 'kind'] as const) {
    if (columns[name] === row[name]) continue;
    throw new DialerError('NOT_CHANGEABLE', `${name} cannot be changed: make another trigger`);
  }
  return writeChange(tx, writer, 'triggers', row, columns);
}

export function triggerInput(row: TriggerRow) {
  return {
    ...{ name: row.name, description: row.description, kind: row.kind, state: row.state },
    attributes: attributesOf(row),
    conditions: conditionsOf(row),
    keptDays: row.kept_days,
  };
}

export function attributesOf({ attributes }: TriggerRow): TriggerAttribute[] {
  return JSON.parse(attributes) as TriggerAttribute[];
}

function conditionsOf({ conditions }: TriggerRow): Condition | null {
  return conditions === null ? null : (JSON.parse(conditions) as Condition);
}

/** Whether what it was raised with is what it is for. */
export function meetsConditions(row: TriggerRow, values: Values, nowMs: number): boolean {
  const condition = conditionsOf(row);
  if (condition === null) return true;
  const known = {
    ...{ nowMs, timeZone: 'UTC' },
    valueOf: (_from: string, attribute: string) => own(values, attribute),
    isMember: () => false,
  };
  return judgeCondition(condition, known).holds;
}

async function triggerColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const checked = checkedInput(TriggerInput, input, 'the trigger');
  const { name, description, kind, state, attributes, keptDays } = checked;
  if (isInteractionTrigger(name)) {
    throw refusal([{ pointer: '/name', detail: `${name} is a trigger of the dialer's own` }]);
  }
  await refuseNameOfAnother(tx, writer, 'triggers', name, ownId);
  const names = attributes.map((attribute) => attribute.name);
  const twice = names.findIndex((one, index) => names.indexOf(one) !== index);
  if (twice !== -1) {
    throw refusal([{ pointer: `/attributes/${twice}/name`, detail: 'is there twice' }]);
  }
  const { conditions = null } = checked;
  if (conditions !== null) checkConditions(conditions, attributes);
  return {
    ...{ name, description, kind, state },
    attributes: JSON.stringify(attributes),
    conditions: conditions === null ? null : JSON.stringify(conditions),
    kept_days: keptDays,
  };
}

function checkConditions(written: unknown, attributes: readonly TriggerAttribute[]): void {
  checkShape(Condition, written, '/conditions');
  const tests = testsOf(written as Condition, '/conditions');
  if (tests.length > ENTRY_CONDITIONS_MAX) {
    const detail = `has ${tests.length} tests: up to ${ENTRY_CONDITIONS_MAX} are taken`;
    throw refusal([{ pointer: '/conditions', detail }]);
  }
  const types = new Map(attributes.map(({ name, type }) => [name, type] as const));
  const faults = tests.flatMap(({ test, path }): ErrorFault[] => {
    if ('segment' in test) return [{ pointer: path, detail: 'asks for a segment, not for it' }];
    if (test.from !== 'trigger') return [{ pointer: `${path}/from`, detail: 'write trigger' }];
    if (test.valueFrom !== undefined && test.valueFrom.from !== 'trigger') {
      return [{ pointer: `${path}/valueFrom/from`, detail: 'write trigger' }];
    }
    const type = types.get(test.attribute);
    if (type === undefined) {
      return [{ pointer: `${path}/attribute`, detail: 'is not among its attributes' }];
    }
    const operators: readonly string[] = OPERATORS_OF[type];
    if (operators.includes(test.operator)) return [];
    const detail = `is not for ${type}: use one of ${operators.join(', ')}`;
    return [{ pointer: `${path}/operator`, detail }];
  });
  if (faults.length > 0) throw refusal(faults);
}

function refusal(faults: readonly ErrorFault[]): DialerError {
  const detail = faults.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ');
  return new DialerError('REQUEST_INVALID', detail, { faults });
}
