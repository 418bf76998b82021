/** Segments: made and edited. A list has members that were given; a rule finds its own. */
import type { Transaction } from 'kysely';
import { Type, type Static } from 'typebox';
import type { Condition } from '../../journey-core/definition/condition.schema.ts';
import {
  DURATION_PATTERN,
  durationMs,
  durationText,
} from '../../journey-core/definition/duration.ts';
import { DialerError } from '../../machines/errors.ts';
import { checkedInput, Name } from '../checked-input.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { mergePatch } from '../merge-patch.ts';
import type { Database } from '../store/schema/database.ts';
import type { SegmentRow } from '../store/schema/segment-tables.ts';
import {
  createRow,
  refuseNameOfAnother,
  rowToChange,
  writeChange,
  type Change,
} from '../store/versioned-row.ts';
import { changesByItself, readCondition } from './segment-condition.ts';

type Tx = Transaction<Database>;

/** A round looks at every contact: not more often than this. */
export const EVERY_MIN_MS = 60_000;
const EVERY_MAX_MS = 90 * 86_400_000;
/** Of ongoing segments whose condition depends on the time of day, or on other segments. */
const ONGOING_EVERY_MS = 15 * 60_000;

export const SegmentInput = Type.Object(
  {
    name: Name,
    description: Type.String({ maxLength: 200, default: '' }),
    kind: Type.Enum(['static', 'dynamic'], { description: 'A list, or a rule.' }),
    condition: Type.Unknown({
      description:
        'Of a rule: tests of contacts (`from: contact`) and of membership elsewhere, combined by ' +
        'all and any, as in journeys. Dates without an offset are in UTC. Null of a list.',
      default: null,
    }),
    evaluation: Type.Union(
      [
        Type.Enum(['oneTime', 'ongoing', 'repeating'], {
          description:
            'oneTime: who fits when it is made. ongoing: people enter and leave as they change. ' +
            'repeating: in rounds.',
        }),
        Type.Null(),
      ],
      { description: 'Of a rule; null of a list.', default: null },
    ),
    every: Type.Union([Type.String({ pattern: DURATION_PATTERN }), Type.Null()], {
      description: 'From round to round, 1m to 90d. Of repeating ones.',
      default: null,
    }),
  },
  { additionalProperties: false },
);
type SegmentInput = Static<typeof SegmentInput>;

export async function createSegmentIn(tx: Tx, writer: Writer, input: unknown): Promise<SegmentRow> {
  const columns = await segmentColumns(tx, writer, input);
  return createRow(tx, writer, 'segments', {
    ...columns,
    due_at_ms: columns.kind === 'dynamic' ? writer.nowMs : null,
    ...{ scan_after_id: null, round: 0, member_count: 0, evaluated_at_ms: null, fault: null },
    ...{ lease_owner: null, lease_until_ms: null },
  });
}

/** A list stays a list. A changed rule is evaluated anew. */
export async function changeSegment(tx: Tx, writer: Writer, change: Change): Promise<SegmentRow> {
  const row = await rowToChange(tx, writer, 'segments', change);
  const before = segmentInput(row);
  const columns = await segmentColumns(tx, writer, patched(before, change), row.id);
  if (columns.kind !== row.kind) {
    throw new DialerError('NOT_CHANGEABLE', 'kind cannot be changed: make another segment');
  }
  const isRule = columns.kind === 'dynamic';
  const isOther =
    columns.condition !== row.condition ||
    columns.evaluation !== row.evaluation ||
    columns.every_ms !== row.every_ms;
  const anew = isRule && isOther ? { due_at_ms: writer.nowMs, scan_after_id: null } : {};
  return writeChange(tx, writer, 'segments', row, { ...columns, ...anew });
}

/** A condition is replaced as a whole: merged into another one it would mean neither. */
function patched(before: ReturnType<typeof segmentInput>, { patch }: Change): unknown {
  const { condition, ...rest } = patch;
  const merged = mergePatch(before, rest) as Readonly<Record<string, unknown>>;
  return 'condition' in patch ? { ...merged, condition } : merged;
}

export function segmentInput(row: SegmentRow) {
  return {
    ...{ name: row.name, description: row.description, kind: row.kind },
    condition: row.condition === null ? null : (JSON.parse(row.condition) as Condition),
    evaluation: row.evaluation,
    every: row.evaluation === 'repeating' ? durationText(row.every_ms ?? 0) : null,
  };
}

async function segmentColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const checked = checkedInput(SegmentInput, input, 'the segment');
  const { name, description, kind } = checked;
  await refuseNameOfAnother(tx, writer, 'segments', name, ownId);
  if (kind === 'static') {
    for (const field of ['condition', 'evaluation', 'every'] as const) {
      if (checked[field] !== null) throw misplaced(field, 'is of a rule, not of a list');
    }
    return { name, description, kind, condition: null, evaluation: null, every_ms: null };
  }
  const { condition } = await readCondition(tx, writer.businessUnitId, checked.condition, ownId);
  const { evaluation } = checked;
  if (evaluation === null) throw misplaced('evaluation', 'is missing: say when it is evaluated');
  const every_ms = everyMs(checked, evaluation, condition);
  return { name, description, kind, condition: JSON.stringify(condition), evaluation, every_ms };
}

function everyMs(
  { every }: SegmentInput,
  evaluation: NonNullable<SegmentInput['evaluation']>,
  condition: Condition,
): number | null {
  if (evaluation !== 'repeating') {
    if (every !== null) throw misplaced('every', 'is of repeating segments');
    return evaluation === 'ongoing' && changesByItself(condition) ? ONGOING_EVERY_MS : null;
  }
  const ms = every === null ? undefined : durationMs(every);
  if (ms !== undefined && ms >= EVERY_MIN_MS && ms <= EVERY_MAX_MS) return ms;
  throw misplaced('every', 'is from 1m to 90d');
}

function misplaced(field: string, detail: string): DialerError {
  const faults = [{ pointer: `/${field}`, detail }];
  return new DialerError('REQUEST_INVALID', `${field} ${detail}`, { faults });
}
