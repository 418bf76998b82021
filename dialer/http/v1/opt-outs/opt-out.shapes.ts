/** The do-not-call list as `/v1` takes and shows it. */
import { Type } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import { OPT_OUT_SOURCES } from '../../../opt-outs/opt-outs.ts';
import type { OptOutRow } from '../../../store/schema/edge-tables.ts';
import { csvLine } from '../csv-reply.ts';
import {
  Id,
  orNull,
  PAGE,
  pageOf,
  shownNumber,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const Detail = Type.String({
  description: 'For people: why, or what was pressed.',
  maxLength: 500,
});
const country = Type.Optional(
  Type.String({
    description: 'Where a number without country code belongs: ISO 3166-1 alpha-2.',
    minLength: 2,
    maxLength: 2,
  }),
);
const example = { number: '+12025550143', detail: 'asked by letter of 2 March' };

export const NewOptOut = Type.Object(
  {
    number: Type.String({
      description:
        'In the forms that contacts’ numbers are taken in: E.164 with plus, or local with `country`. ' +
        'Where a trunk takes any string, also what contacts have as it is; of 7 digits or more ' +
        'without plus only when a contact has exactly that.',
      minLength: 3,
      maxLength: 64,
    }),
    country,
    detail: Type.Optional(Detail),
  },
  { additionalProperties: false, examples: [example] },
);

export const OptOut = Type.Object(
  {
    id: Id,
    number: Type.String({ description: 'Masked unless the key may see numbers.' }),
    source: Type.Enum([...OPT_OUT_SOURCES], {
      description:
        'message: a digit pressed during a call of ours. inbound: when they called us back.',
    }),
    detail: orNull(Detail),
    engagementId: orNull(Id),
    attemptId: orNull(Id),
    createdAt: Time,
    createdBy: Type.String(),
    removedAt: orNull(
      Type.String({ ...Time, description: 'Null: it holds. A removed one is kept as a record.' }),
    ),
    removedBy: orNull(Type.String()),
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a31',
        ...{ ...example, number: '+1…43', source: 'api', engagementId: null, attemptId: null },
        ...{ createdAt: '2026-03-02T15:00:00.000Z', createdBy: 'key:rf_AbCdEfGh' },
        ...{ removedAt: null, removedBy: null },
      },
    ],
  },
);
export const OptOutPage = pageOf(OptOut);

const filters = {
  number: Type.Optional(
    Type.String({
      description: 'The whole number, in any form that it is taken in; write the plus as %2B.',
      maxLength: 64,
    }),
  ),
  country,
  source: Type.Optional(Type.Enum([...OPT_OUT_SOURCES])),
  removed: Type.Boolean({ description: 'With those that were removed.', default: false }),
};
export const OptOutFilters = Type.Object({ ...PAGE, ...filters }, { additionalProperties: false });
export const OptOutExport = Type.Object(filters, { additionalProperties: false });

export function optOutBody(row: OptOutRow, caller: Caller) {
  return {
    id: row.id,
    number: shownNumber(caller, row.number),
    source: row.source,
    detail: row.detail,
    engagementId: row.engagement_id,
    attemptId: row.attempt_id,
    createdAt: timeText(row.created_at_ms),
    createdBy: row.created_by,
    removedAt: timeOrNull(row.removed_at_ms),
    removedBy: row.removed_by,
  };
}

export const CSV_HEADER =
  'Number,Source,Detail,EngagementId,AttemptId,CreatedAt,CreatedBy,RemovedAt,RemovedBy\r\n';

export function optOutLine(row: OptOutRow, caller: Caller): string {
  const [, number, ...values] = Object.values(optOutBody(row, caller)); // all but the id
  return csvLine([{ number: number ?? null }, ...values]);
}
