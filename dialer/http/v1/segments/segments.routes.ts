/** Segments: made, edited, tried before they are made, and who is in them. */
import { Type } from 'typebox';
import { previewSegment } from '../../../segments/preview-segment.ts';
import { addContacts, removeContact, segmentOfList } from '../../../segments/list-members.ts';
import {
  changeSegment,
  createSegmentIn,
  segmentInput,
  SegmentInput,
} from '../../../segments/segment-settings.ts';
import type { SegmentRow } from '../../../store/schema/segment-tables.ts';
import { rowOf } from '../../../store/versioned-row.ts';
import { callerOfRequest } from '../../access.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { versionedRoutes, type VersionedResource } from '../versioned-resource.ts';
import {
  closed,
  exampleId,
  Id,
  IdParams,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const tag = 'segments';
const access = 'operate';
const url = '/v1/segments';
const condition = {
  all: [
    { from: 'contact', attribute: 'city', operator: 'is', value: 'Utrecht' },
    { from: 'contact', attribute: 'DeliveryDate', operator: 'inNext', value: '1d' },
  ],
};
const example = {
  ...{ name: 'Delivery tomorrow', description: 'In Utrecht', kind: 'dynamic' },
  ...{ condition, evaluation: 'ongoing', every: null },
};

const NewSegment = Type.Object(SegmentInput.properties, { ...closed, examples: [example] });
const Segment = Type.Object(
  {
    id: Id,
    ...SegmentInput.properties,
    memberCount: Type.Integer({ minimum: 0 }),
    rounds: Type.Integer({ minimum: 0, description: 'How often all contacts were looked at.' }),
    evaluatedAt: orNull(Time),
    dueAt: orNull(Time),
    fault: orNull(Type.String({ description: 'Why the last round failed.' })),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        ...{ id: exampleId('51'), ...example, memberCount: 412, rounds: 1 },
        ...{ evaluatedAt: '2026-03-02T15:00:01.000Z', dueAt: '2026-03-02T15:15:00.000Z' },
        ...{ fault: null, version: 1 },
        ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
      },
    ],
  },
);

const segments: VersionedResource<'segments'> = {
  ...{ url, tag, access, table: 'segments', one: 'Segment', many: 'Segments' },
  description: 'A list of contacts, or a rule that finds them.',
  ...{ input: NewSegment, shape: Segment, patchExample: { description: 'In Utrecht and near' } },
  ...{ create: createSegmentIn, change: changeSegment },
  bodyOf: (_, row) => segmentBody(row),
};

function segmentBody(row: SegmentRow) {
  return {
    ...{ id: row.id, ...segmentInput(row), memberCount: row.member_count, rounds: row.round },
    evaluatedAt: timeOrNull(row.evaluated_at_ms),
    dueAt: timeOrNull(row.due_at_ms),
    ...{ fault: row.fault, version: row.version },
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

export function segmentRoutes(app: ApiApp, context: ApiContext): void {
  versionedRoutes(app, context, segments);
  previewRoute(app, context);
  memberRoutes(app, context);
  listRoutes(app, context);
}

const Preview = Type.Object(
  {
    count: Type.Integer({ minimum: 0 }),
    isExact: Type.Boolean({ description: 'False: there are more than could be counted in time.' }),
    contactIds: Type.Array(Id, { description: 'The first of them.' }),
  },
  { examples: [{ count: 412, isExact: true, contactIds: [exampleId('14')] }] },
);

function previewRoute(app: ApiApp, context: ApiContext): void {
  const preview = {
    ...{ operationId: 'previewSegment', tags: [tag] },
    body: Type.Object({ condition: Type.Unknown() }, { ...closed, examples: [{ condition }] }),
    description: 'Who a condition finds now. Nothing is kept.',
    response: { 200: Preview, ...problems },
  };
  app.post(`${url}/preview`, { config: { access: 'read' }, schema: preview }, (request) =>
    previewSegment(writerOf(context, request), request.body.condition),
  );
}

const Member = Type.Object(
  { contactId: Id, enteredAt: Time },
  { examples: [{ contactId: exampleId('14'), enteredAt: '2026-03-02T15:00:00.000Z' }] },
);

function memberRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listSegmentMembers', tags: [tag], params: IdParams },
    querystring: Type.Object(PAGE, closed),
    response: { 200: pageOf(Member), ...problems },
  };
  app.get(`${url}/:id/members`, { config: { access: 'read' }, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id } = await rowOf(db, businessUnitId, 'segments', request.params.id);
    const { limit, cursor } = request.query;
    const query = db
      .selectFrom('segment_members')
      .select(['contact_id', 'entered_at_ms'])
      .where('segment_id', '=', id)
      .orderBy('contact_id', 'desc')
      .limit(limit + 1);
    const rows = await (
      cursor === undefined ? query : query.where('contact_id', '<', cursor)
    ).execute();
    return paged(rows, limit, {
      key: (row) => row.contact_id,
      body: (row) => ({ contactId: row.contact_id, enteredAt: timeText(row.entered_at_ms) }),
    });
  });
}

const CONTACTS_MAX = 500;
const Removed = Type.Object({ contactId: Id }, { examples: [{ contactId: exampleId('14') }] });
const Added = Type.Object(
  {
    added: Type.Integer({ minimum: 0 }),
    unknown: Type.Array(Type.String(), { description: 'Identifiers that no contact has.' }),
  },
  { examples: [{ added: 2, unknown: [] }] },
);

function listRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'deliver' } as const;
  const add = {
    ...{ operationId: 'addSegmentMembers', tags: [tag], params: IdParams },
    body: Type.Object(
      {
        uniqueIdentifiers: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
          ...{ minItems: 1, maxItems: CONTACTS_MAX },
        }),
      },
      { ...closed, examples: [{ uniqueIdentifiers: ['C-100', 'C-101'] }] },
    ),
    description: 'To a list, by the contacts’ own identifiers. Who is in it already stays.',
    response: { 200: Added, ...problems },
  };
  app.post(`${url}/:id/members`, { config, schema: add }, (request) => {
    const writer = writerOf(context, request);
    return db.transaction().execute(async (tx) => {
      const segment = await segmentOfList(tx, writer, request.params.id);
      return addContacts(tx, writer, segment, request.body.uniqueIdentifiers);
    });
  });

  const remove = {
    ...{ operationId: 'removeSegmentMember', tags: [tag] },
    params: Type.Object({ id: Id, contactId: Id }, closed),
    description: 'From a list.',
    response: { 200: Removed, ...problems },
  };
  app.delete(`${url}/:id/members/:contactId`, { config, schema: remove }, async (request) => {
    const writer = writerOf(context, request);
    const { id, contactId } = request.params;
    await db.transaction().execute(async (tx) => {
      const segment = await segmentOfList(tx, writer, id);
      const isGone = await removeContact(tx, writer, segment, contactId);
      if (!isGone) throw notFound('member', contactId);
    });
    return { contactId };
  });
}
