/** Compliance profiles, their purposes and topics, quiet times, and the frequency cap. */
import { Type } from 'typebox';
import { FrequencyCap } from '../../../../journey-core/definition/assets.schema.ts';
import {
  changeProfile,
  changePurpose,
  changeTopic,
  createProfileIn,
  createPurposeIn,
  createTopicIn,
  profileInput,
  profilesOfPurpose,
  purposeInput,
  topicInput,
} from '../../../consent/compliance-settings.ts';
import { ProfileInput, PurposeInput, TopicInput } from '../../../consent/consent.schema.ts';
import {
  changeQuietTime,
  createQuietTimeIn,
  frequencyCapOf,
  quietTimeOf,
  QuietTimeInput,
  setFrequencyCap,
} from '../../../consent/sending-settings.ts';
import { callerOfRequest } from '../../access.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { versionedRoutes, type VersionedResource } from '../versioned-resource.ts';
import { EditingHeaders, exampleId, Id, problems, Time, timeText } from '../wire-types.ts';

const tag = 'consent';
const access = 'operate';
const made = {
  ...{ version: 1, createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
};
const stored = { id: Id, version: Type.Integer(), createdAt: Time, updatedAt: Time };

function storedBody(row: {
  id: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}) {
  return {
    ...{ id: row.id, version: row.version },
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

const profileExample = {
  ...{ name: 'Deliveries', companyAddress: 'Example Ltd, 1 High Street, Springfield' },
  ...{ preferenceCenter: 'https://example.com/preferences', channels: ['voice', 'sms'] },
  ...{ quietTimeId: null, state: 'active' },
};
const profiles: VersionedResource<'compliance_profiles'> = {
  ...{ url: '/v1/consent/profiles', tag, access, table: 'compliance_profiles' },
  ...{ one: 'ComplianceProfile', many: 'ComplianceProfiles' },
  description: 'Begins with three purposes of its own: Commercial, Transactional, Tracking.',
  input: Type.Object(ProfileInput.properties, {
    ...{ additionalProperties: false, examples: [profileExample] },
  }),
  shape: Type.Object(
    { ...stored, ...ProfileInput.properties },
    { examples: [{ id: exampleId('31'), ...profileExample, ...made }] },
  ),
  patchExample: { state: 'inactive' },
  ...{ create: createProfileIn, change: changeProfile },
  bodyOf: (_, row) => ({ ...storedBody(row), ...profileInput(row) }),
};

const purposeExample = {
  ...{ name: 'Delivery updates', type: 'commercial', enforcement: 'restrictive', state: 'active' },
  profileIds: [exampleId('31')],
};
const purposes: VersionedResource<'purposes'> = {
  ...{ url: '/v1/consent/purposes', tag, access, table: 'purposes' },
  ...{ one: 'Purpose', many: 'Purposes' },
  description: 'A reason to contact people, in one or several profiles.',
  input: Type.Object(PurposeInput.properties, {
    ...{ additionalProperties: false, examples: [purposeExample] },
  }),
  shape: Type.Object(
    { ...stored, ...PurposeInput.properties },
    { examples: [{ id: exampleId('32'), ...purposeExample, ...made }] },
  ),
  patchExample: { enforcement: 'nonRestrictive' },
  ...{ create: createPurposeIn, change: changePurpose },
  bodyOf: async (db, row) => {
    return { ...storedBody(row), ...purposeInput(row, await profilesOfPurpose(db, row.id)) };
  },
};

const topicExample = { name: 'Time slots', purposeId: exampleId('32'), state: 'active' };
const topics: VersionedResource<'topics'> = {
  ...{ url: '/v1/consent/topics', tag, access, table: 'topics' },
  ...{ one: 'Topic', many: 'Topics' },
  description: 'A finer subject of one purpose. It counts only with consent to its purpose.',
  input: Type.Object(TopicInput.properties, {
    ...{ additionalProperties: false, examples: [topicExample] },
  }),
  shape: Type.Object(
    { ...stored, ...TopicInput.properties },
    { examples: [{ id: exampleId('33'), ...topicExample, ...made }] },
  ),
  patchExample: { name: 'Delivery slots' },
  ...{ create: createTopicIn, change: changeTopic },
  bodyOf: (_, row) => ({ ...storedBody(row), ...topicInput(row) }),
};

const quietExample = {
  name: 'Evenings',
  timeZone: 'audience',
  quiet: [{ days: ['monday', 'tuesday'], from: '20:00', to: '24:00', channels: ['voice'] }],
};
const quietTimes: VersionedResource<'quiet_times'> = {
  ...{ url: '/v1/consent/quiet-times', tag, access, table: 'quiet_times' },
  ...{ one: 'QuietTime', many: 'QuietTimes' },
  description: 'Hours and days in which nothing is sent, for a profile or a step to name.',
  input: Type.Object(QuietTimeInput.properties, {
    ...{ additionalProperties: false, examples: [quietExample] },
  }),
  shape: Type.Object(
    { ...stored, ...QuietTimeInput.properties },
    { examples: [{ id: exampleId('34'), ...quietExample, ...made }] },
  ),
  patchExample: { timeZone: 'journey' },
  ...{ create: createQuietTimeIn, change: changeQuietTime },
  bodyOf: (_, row) => ({ ...storedBody(row), ...quietTimeOf(row) }),
};

export function complianceRoutes(app: ApiApp, context: ApiContext): void {
  versionedRoutes(app, context, profiles);
  versionedRoutes(app, context, purposes);
  versionedRoutes(app, context, topics);
  versionedRoutes(app, context, quietTimes);
  frequencyCapRoutes(app, context);
}

const capExample = { voice: { perDay: 1, perWeek: 3 }, sms: { perDay: 1 } };
const NewCap = Type.Object(FrequencyCap.properties, {
  ...{ additionalProperties: false, examples: [capExample] },
});
const Cap = Type.Object(
  { version: Type.Integer({ description: '0: none was set yet.' }), caps: NewCap },
  { examples: [{ version: 1, caps: capExample }] },
);

function frequencyCapRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const url = '/v1/consent/frequency-cap';
  const read = { operationId: 'getFrequencyCap', tags: [tag], response: { 200: Cap, ...problems } };
  app.get(url, { config: { access: 'read' }, schema: read }, async (request, reply) => {
    const cap = await frequencyCapOf(db, callerOfRequest(request).businessUnitId);
    tagged(reply, cap);
    return cap;
  });

  const set = {
    ...{ operationId: 'setFrequencyCap', tags: [tag], headers: EditingHeaders, body: NewCap },
    description: 'Commercial messages to one contact point, by channel; replaced as a whole.',
    response: { 200: Cap, ...problems },
  };
  app.put(url, { config: { access }, schema: set }, async (request, reply) => {
    const version = versionAsked(request);
    const cap = await db
      .transaction()
      .execute((tx) => setFrequencyCap(tx, writerOf(context, request), request.body, version));
    tagged(reply, cap);
    return cap;
  });
}
