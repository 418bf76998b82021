/** Consent as `/v1` takes and shows it. */
import { Type } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import {
  ChannelName,
  CONSENT_STATUSES,
  PointFields,
  SaidFields,
  SUBJECT_FIELDS,
} from '../../../consent/consent.schema.ts';
import type {
  ConsentImportRow,
  ConsentRecordRow,
  ConsentStatementRow,
} from '../../../store/schema/consent-tables.ts';
import {
  closed,
  exampleId,
  Id,
  orNull,
  PAGE,
  pageOf,
  shownNumber,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const said = {
  ...{ channel: 'voice', purposeId: exampleId('32'), topicId: null, status: 'optedIn' },
  ...{ source: 'webForm', reason: 'Box ticked on the order form of 2 March' },
};

export const NewStatement = Type.Object(
  {
    channel: ChannelName,
    ...PointFields,
    ...SUBJECT_FIELDS,
    profileId: Type.Optional(Id),
    ...SaidFields,
    statedAt: Type.Optional(Time),
  },
  {
    ...closed,
    description:
      'What was said last counts, not what is sent last; of two of one time the opt-out.',
    examples: [{ ...said, address: '+12025550143', statedAt: '2026-03-02T14:58:00.000Z' }],
  },
);

const text = orNull(Type.String());

export const ConsentRecordBody = Type.Object(
  {
    id: Id,
    contactPointId: Id,
    address: Type.String({ description: 'A number is masked unless the key may see numbers.' }),
    channel: ChannelName,
    purposeId: Id,
    topicId: orNull(Id),
    status: Type.Enum([...CONSENT_STATUSES]),
    source: Type.String(),
    reason: text,
    profileId: orNull(Id),
    contactId: orNull(Id),
    active: Type.Boolean({
      description: 'Whether it is in use. One that is not still counts: an opt-out stays one.',
    }),
    statedAt: Time,
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
    updatedBy: Type.String(),
  },
  {
    examples: [
      {
        ...{ id: exampleId('41'), contactPointId: exampleId('42'), address: '+1…43', ...said },
        ...{ profileId: exampleId('31'), contactId: null, active: true, version: 1 },
        statedAt: '2026-03-02T14:58:00.000Z',
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
        updatedBy: 'key:rf_8Lk2Qa1',
      },
    ],
  },
);
export const RecordPage = pageOf(ConsentRecordBody);

export const RecordList = Type.Object(
  {
    ...PAGE,
    contactPointId: Type.Optional(Id),
    contactId: Type.Optional(
      Type.String({ ...Id, description: 'Of all addresses that the contact has.' }),
    ),
    purposeId: Type.Optional(Id),
    channel: Type.Optional(ChannelName),
    status: Type.Optional(Type.Enum([...CONSENT_STATUSES])),
  },
  closed,
);

export const Statement = Type.Object(
  {
    id: Id,
    status: Type.Enum([...CONSENT_STATUSES]),
    source: Type.String(),
    reason: text,
    profileId: orNull(Id),
    contactId: orNull(Id),
    importId: orNull(Id),
    counted: Type.Boolean({ description: 'False: something later was known already.' }),
    statedAt: Time,
    recordedAt: Time,
    recordedBy: Type.String(),
  },
  {
    examples: [
      {
        ...{ id: exampleId('43'), status: 'optedIn', source: 'webForm', reason: null },
        ...{ profileId: exampleId('31'), contactId: null, importId: null, counted: true },
        statedAt: '2026-03-02T14:58:00.000Z',
        recordedAt: '2026-03-02T15:00:00.000Z',
        recordedBy: 'key:rf_8Lk2Qa1',
      },
    ],
  },
);
export const StatementPage = pageOf(Statement);

export const ContactConsent = Type.Object(
  {
    contactId: Id,
    records: Type.Array(
      Type.Object({ record: ConsentRecordBody, statements: Type.Array(Statement) }),
    ),
    optOuts: Type.Array(
      Type.Object({
        id: Id,
        contactPointId: Id,
        source: Type.String(),
        createdAt: Time,
        removedAt: orNull(Time),
      }),
      { description: 'Entries of the opt-out list for the numbers that the contact has.' },
    ),
  },
  { examples: [{ contactId: exampleId('14'), records: [], optOuts: [] }] },
);

export const Question = Type.Object(
  {
    channel: ChannelName,
    ...PointFields,
    profileId: Id,
    ...SUBJECT_FIELDS,
  },
  {
    ...closed,
    examples: [
      {
        ...{ channel: 'voice', address: '+12025550143', profileId: exampleId('31') },
        purposeId: exampleId('32'),
      },
    ],
  },
);

export const Verdict = Type.Object(
  {
    passes: Type.Boolean(),
    reason: Type.Enum(['passes', 'opted_out', 'no_opt_in', 'unknown_purpose', 'opt_out_list']),
    contactPointId: orNull(Id),
    cells: Type.Array(
      Type.Object({
        of: Type.Enum(['purpose', 'topic']),
        name: Type.String(),
        enforcement: Type.Enum(['restrictive', 'nonRestrictive', 'disabled']),
        status: Type.Enum([...CONSENT_STATUSES]),
        recordId: orNull(Id),
        passes: Type.Boolean(),
      }),
      { description: 'The purpose, then the topic if one is asked for: both have to pass.' },
    ),
    optOutId: orNull(Id),
  },
  {
    examples: [
      {
        ...{ passes: false, reason: 'opted_out', contactPointId: exampleId('42') },
        cells: [
          {
            ...{ of: 'purpose', name: 'Delivery updates', enforcement: 'restrictive' },
            ...{ status: 'optedOut', recordId: exampleId('41'), passes: false },
          },
        ],
        optOutId: null,
      },
    ],
  },
);

const count = Type.Integer({ minimum: 0 });

export const ConsentImportBody = Type.Object(
  {
    id: Id,
    fileName: Type.String(),
    status: Type.Enum(['inProgress', 'completed', 'completedWithErrors', 'failed']),
    rowsRead: count,
    rowsApplied: count,
    rowsUnchanged: Type.Integer({
      minimum: 0,
      description: 'Known already, or older than what is.',
    }),
    rowsFailed: count,
    faults: Type.Array(Type.Object({ line: Type.Integer(), reason: Type.String() }), {
      description: 'The first 100.',
    }),
    createdAt: Time,
    createdBy: Type.String(),
  },
  {
    examples: [
      {
        ...{ id: exampleId('44'), fileName: 'opt-ins.csv', status: 'completedWithErrors' },
        ...{ rowsRead: 60, rowsApplied: 58, rowsUnchanged: 1, rowsFailed: 1 },
        faults: [{ line: 7, reason: 'is an opt-in without StatedAt' }],
        createdAt: '2026-03-02T15:00:00.000Z',
        createdBy: 'key:rf_8Lk2Qa1',
      },
    ],
  },
);
export const ImportPage = pageOf(ConsentImportBody);

export interface Point {
  readonly kind: string;
  readonly value: string;
}

export function recordBody(row: ConsentRecordRow, point: Point | undefined, caller: Caller) {
  const { kind = 'phone', value = '' } = point ?? {};
  return {
    id: row.id,
    contactPointId: row.contact_point_id,
    address: kind === 'phone' ? shownNumber(caller, value) : value,
    channel: row.channel,
    purposeId: row.purpose_id,
    topicId: row.topic_id || null,
    status: row.status,
    source: row.source,
    reason: row.reason,
    profileId: row.profile_id,
    contactId: row.contact_id,
    active: row.is_active === 1,
    statedAt: timeText(row.stated_at_ms),
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
    updatedBy: row.updated_by,
  };
}

export function statementBody(row: ConsentStatementRow) {
  return {
    ...{ id: row.id, status: row.status, source: row.source, reason: row.reason },
    profileId: row.profile_id,
    contactId: row.contact_id,
    importId: row.import_id,
    counted: row.is_applied === 1,
    statedAt: timeText(row.stated_at_ms),
    recordedAt: timeText(row.recorded_at_ms),
    recordedBy: row.recorded_by,
  };
}

export function importBody(row: ConsentImportRow) {
  return {
    ...{ id: row.id, fileName: row.source_name, status: row.status },
    rowsRead: row.rows_read,
    rowsApplied: row.rows_applied,
    rowsUnchanged: row.rows_unchanged,
    rowsFailed: row.rows_failed,
    faults: JSON.parse(row.faults) as { line: number; reason: string }[],
    createdAt: timeText(row.created_at_ms),
    createdBy: row.created_by,
  };
}

export function optOutBody(row: {
  readonly id: string;
  readonly contact_point_id: string;
  readonly source: string;
  readonly created_at_ms: number;
  readonly removed_at_ms: number | null;
}) {
  return {
    ...{ id: row.id, contactPointId: row.contact_point_id, source: row.source },
    createdAt: timeText(row.created_at_ms),
    removedAt: timeOrNull(row.removed_at_ms),
  };
}
