/** One request for each code of the table of errors, and what has to be there for it. */
import { aiAgentHttp } from '../../dialer/http/ai-agent.routes.ts';
import { DialerError, type ErrorCode } from '../../machines/errors.ts';
import type { AiAgentDesk } from '../../dialer/ai-agents/ai-agent-desk.ts';
import { AI_CALLS_PATH } from '../../dialer/ai-agents/ai-agent-desk.ts';
import type { PROBLEMS } from '../../dialer/http/problem-details.ts';
import type { HttpPlugin } from '../../dialer/http/http-server.ts';
import { SEED_OF_REFUSAL, type ApiRig, type Asked, type Json } from './api-rig.ts';

export type ProblemCode = keyof typeof PROBLEMS;

/** AI agents are refused by their desk: its codes pass through HTTP as they are. */
export function refusingDesk(): HttpPlugin {
  return aiAgentHttp({
    takeResults: (_attemptId: string, _token: unknown, body: unknown) =>
      Promise.reject(new DialerError((body as { code: ErrorCode }).code, 'as asked')),
  } as unknown as AiAgentDesk);
}

const NOWHERE = '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11';
const json = { 'content-type': 'application/json' };
const desk = (code: ErrorCode): Asked => {
  return { method: 'POST', url: `${AI_CALLS_PATH}/a/results`, body: { code }, key: null };
};

type Provocation = (rig: ApiRig, made: Made) => Asked | Promise<Asked>;

export interface Made {
  readonly id: string;
  readonly workstreamId: string;
  readonly queueId: string;
  readonly fed: string;
  readonly sms: string;
  readonly paced: string;
  readonly finalTask: string;
  readonly readKey: string;
  readonly journey: string;
}

export async function makeForProblems(rig: ApiRig): Promise<Made> {
  const { id, queueId, workstreamId: voice } = await rig.engagement();
  const { id: fed } = await rig.engagement({ intake: 'file' });
  const smsWorkstream = { name: 'S', channel: 'sms', number: '+12025550101' };
  const workstreamId = await rig.make('/v1/workstreams', smsWorkstream);
  const sms = { name: 'N', channel: 'sms', workstreamId, queueId, config: {} };
  const paced = { config: { mode: { kind: 'predictive' } } };
  const { id: pacedId } = await rig.engagement(paced);
  const finalTask = await rig.make('/v1/tasks', task(id));
  await rig.post(`/v1/tasks/${finalTask}/cancel`);
  const smsId = await rig.make('/v1/engagements', sms);
  return {
    id,
    workstreamId: voice,
    queueId,
    fed,
    sms: smsId,
    paced: pacedId,
    finalTask,
    readKey: await rig.key('read'),
    journey: await rig.make('/v1/journeys', { name: 'Unfinished' }),
  };
}

function task(engagementId: string, contact: Json = {}, more: Json = {}): Json {
  const ada = { uniqueIdentifier: 'C-1', phones: { mobile: '+12025550143' }, ...contact };
  return { engagementId, contacts: [ada], ...more };
}

const post = (url: string, body: unknown, headers = {}): Asked => {
  return { method: 'POST', url, body, headers };
};
const change = (url: string, tag: string, body: Json): Asked => {
  return { method: 'PATCH', url, headers: { 'if-match': tag }, body };
};
const forecastWith = (id: string, body: Json): Asked =>
  post(`/v1/engagements/${id}/forecast`, body);
const csv = { 'content-type': 'text/csv' };
const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`a${n}`, 'v']));

/** Left out are those that need another rig: see the test. */
export const PROVOCATIONS: Readonly<
  Record<
    Exclude<
      ProblemCode,
      | 'TOO_MANY_REQUESTS'
      | 'TOO_MANY_STREAMS'
      | 'JOURNEYS_OFF'
      | 'STARTING'
      | 'STORE_UNAVAILABLE'
      | 'INTERNAL'
    >,
    Provocation
  >
> = {
  REQUEST_INVALID: () => post('/v1/queues', { name: 'Q', colour: 'red' }),
  BODY_UNREADABLE: () => post('/v1/queues', '{', json),
  PHONE_MISSING: (_, { id }) => post('/v1/tasks', task(id, { phones: {} })),
  PHONE_INVALID: (_, { id }) => post('/v1/tasks', task(id, { phones: { mobile: '12' } })),
  TIME_ZONE_INVALID: (_, { id }) => post('/v1/tasks', task(id, { timeZone: 'Mars/Olympus' })),
  WINDOW_INVALID: (_, { id }) => {
    const windows = [{ start: '2099-01-02T00:00:00Z', end: '2099-01-01T00:00:00Z' }];
    return post('/v1/tasks', task(id, {}, { windows }));
  },
  ATTRIBUTES_INVALID: () => desk('ATTRIBUTES_INVALID'),
  ATTRIBUTE_TOO_LONG: (_, { id }) =>
    post('/v1/tasks', task(id, {}, { inputAttributes: { note: 'x'.repeat(4_001) } })),
  ATTRIBUTES_TOO_MANY: (_, { id }) => post('/v1/tasks', task(id, { attributes: many })),
  KEY_UNAUTHORIZED: () => ({ url: '/v1/queues', key: 'rf_0000000000000000000000000' }),
  AI_SESSION_UNAUTHORIZED: () => desk('AI_SESSION_UNAUTHORIZED'),
  KEY_FORBIDDEN: (_, { readKey }) => ({ ...post('/v1/queues', { name: 'Q' }), key: readKey }),
  ROUTE_NOT_FOUND: () => ({ url: '/v1/nothing' }),
  NOT_FOUND: () => ({ url: `/v1/tasks/${NOWHERE}` }),
  METHOD_NOT_ALLOWED: () => ({ method: 'PUT', url: '/v1/queues', body: {} }),
  NOT_ACCEPTABLE: () => ({
    url: '/v1/queues',
    headers: { accept: 'text/html, application/json;q=0' },
  }),
  ENGAGEMENT_INACTIVE: (_, { sms }) => post(`/v1/engagements/${sms}/start`, undefined),
  INTAKE_NOT_ALLOWED: (_, { fed }) => post('/v1/tasks', task(fed)),
  NOT_CHANGEABLE: (_, { id }) => change(`/v1/engagements/${id}`, '"1"', { intake: 'file' }),
  IN_USE: async (rig) => {
    const segment = await rig.make('/v1/segments', { name: 'Relied on', kind: 'static' });
    const journey = await rig.make('/v1/journeys', {
      ...{ format: 'ringfence-journey/1', name: 'Relies', timeZone: 'UTC' },
      entry: { kind: 'segment', segment: 'Relied on', frequency: 'ongoing' },
      steps: [{ id: 'done', type: 'exit' }],
    });
    await rig.post(`/v1/journeys/${journey}/publish`, {});
    return change(`/v1/segments/${segment}`, '"1"', { name: 'Another' });
  },
  NOT_PACED: (_, { id }) => post(`/v1/engagements/${id}/forecast`, {}),
  NOTHING_PENDING: (_, { paced }) => forecastWith(paced, { representatives: 3 }),
  NO_REPRESENTATIVES: (_, { paced }) => forecastWith(paced, {}),
  TOO_MANY_FORECASTS: (_, { paced }) =>
    forecastWith(paced, { seed: SEED_OF_REFUSAL.TOO_MANY_FORECASTS }),
  FORECAST_TIMEOUT: (_, { paced }) =>
    forecastWith(paced, { seed: SEED_OF_REFUSAL.FORECAST_TIMEOUT }),
  TASK_FINAL: (_, { finalTask }) => post(`/v1/tasks/${finalTask}/cancel`, undefined),
  JOURNEY_NOT_READY: (_, { journey }) => post(`/v1/journeys/${journey}/publish`, {}),
  JOURNEY_STATE: (_, { journey }) => post(`/v1/journeys/${journey}/stop`, {}),
  LAST_ADMIN_KEY: async (rig) => {
    const { items } = (await rig.get('/v1/api-keys')).body as { items: Json[] };
    const admin = items.find(({ role }) => role === 'admin');
    return { method: 'DELETE', url: `/v1/api-keys/${String(admin?.['id'])}` };
  },
  AI_SESSION_ENDED: () => desk('AI_SESSION_ENDED'),
  VERSION_CONFLICT: (_, { id }) => change(`/v1/engagements/${id}`, '"9"', { name: 'B' }),
  BODY_TOO_LARGE: () => post('/v1/queues', JSON.stringify({ name: 'x'.repeat(2 ** 20) }), json),
  FILE_TOO_LARGE: (_, { fed }) =>
    post(`/v1/engagements/${fed}/batches?fileName=a.csv`, Buffer.alloc(10_000_001, 'x'), csv),
  MEDIA_TYPE_UNSUPPORTED: () => post('/v1/queues', '<a/>', { 'content-type': 'text/xml' }),
  FILE_NOT_CSV: (_, { fed }) => post(`/v1/engagements/${fed}/batches?fileName=a.txt`, 'a,b', csv),
  IDEMPOTENCY_KEY_REUSED: async (rig) => {
    const headers = { 'idempotency-key': 'used' };
    await rig.post('/v1/queues', { name: 'One' }, headers);
    return post('/v1/queues', { name: 'Two' }, headers);
  },
  PRECONDITION_REQUIRED: (_, { queueId }) => {
    return { method: 'PATCH', url: `/v1/queues/${queueId}`, body: { name: 'Q' } };
  },
};
