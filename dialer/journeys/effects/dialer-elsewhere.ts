/**
 * A dialer in another process, asked over its `/v1` with a key of the role `deliver`. A request carries
 * the effect's key as `Idempotency-Key` and as `requestId`: sent again at once it is answered as before,
 * and long after it is found. Its end is asked for, now and then, and at once when it is heard of: what was
 * missed while either of the two was away is simply there.
 */
import { DialerError } from '../../../machines/errors.ts';
import { isRecord } from '../../../journey-core/interpreter/json-value.ts';
import type { PhoneType } from '../../engagements/engagement-config.schema.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import { ELSEWHERE_HEARD_POLL_MS, ELSEWHERE_POLL_MS } from './ask-elsewhere.ts';
import type { ConversationRequest, DialerElsewhere, TaskStanding } from './journey-dialer.ts';
import { dispositionsOf, resultOf } from './standing-of-task.ts';

export interface ElsewhereSettings {
  /** `https://host`, without a slash at the end. */
  readonly url: string;
  /** Never shown or logged. */
  readonly key: string;
  /** Of one request. ms */
  readonly timeoutMs: number;
}

type Json = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly body: Json;
}

type Ask = (
  method: 'GET' | 'POST',
  path: string,
  sent?: { readonly body: unknown; readonly key?: string },
) => Promise<Answer>;

export function dialerElsewhere({
  database,
  isHearing,
  ...settings
}: ElsewhereSettings & {
  readonly database: OpenDatabase;
  /** Ends of tasks are heard of as they come. */
  readonly isHearing: () => boolean;
}): DialerElsewhere {
  const ask = asker(settings);
  return {
    where: 'elsewhere',
    engagement: (name) => engagementNamed(ask, name),
    request: (request) => requestTask(ask, database, request),
    taskOf: async (key) => {
      const { body } = await expect(200, ask('GET', `/v1/tasks?requestId=${encode(key)}&limit=1`));
      const [task] = itemsOf(body);
      return task === undefined ? undefined : String(task['id']);
    },
    standing: (taskId, nowMs) => standingThere(ask, taskId, { nowMs, isHearing: isHearing() }),
    cancel: async (taskId) => {
      const body = { reason: 'the journey took it back' };
      const { status } = await ask('POST', `/v1/tasks/${encode(taskId)}/cancel`, { body });
      // Ended already, or not there any more: nothing is left to be cancelled.
      if (status >= 300 && status !== 409 && status !== 404) throw unexpected(status, 'cancel');
    },
  };
}

function asker({ url, key, timeoutMs }: ElsewhereSettings): Ask {
  return async (method, path, sent) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        accept: 'application/json, application/problem+json',
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...(sent?.key === undefined ? {} : { 'idempotency-key': sent.key }),
      },
      ...(sent === undefined ? {} : { body: JSON.stringify(sent.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json().catch(() => ({}));
    return { status: response.status, body: isRecord(body) ? body : {} };
  };
}

async function engagementNamed(ask: Ask, name: string) {
  const { body } = await expect(200, ask('GET', `/v1/engagements?name=${encode(name)}&limit=200`));
  const voice = itemsOf(body).filter(
    (one) => one['channel'] === 'voice' && one['intake'] !== 'file',
  );
  if (voice.length === 0) return 'engagement_missing' as const;
  const open = voice.find(({ status }) => status !== 'inactive');
  if (open === undefined) return 'engagement_closed' as const;
  const { phoneTypes } = open['config'] as { readonly phoneTypes: readonly PhoneType[] };
  return { id: String(open['id']), phoneTypes };
}

const FIELDS = [
  ['mobile', 'mobile_point_id'],
  ['business', 'business_point_id'],
  ['home', 'home_point_id'],
] as const;

async function requestTask(ask: Ask, { db }: OpenDatabase, request: ConversationRequest) {
  const { key, contactId, contactPointIds, windows, inputAttributes, engagement } = request;
  const contact = await db
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow();
  const points = await db
    .selectFrom('contact_points')
    .select(['id', 'value'])
    .where('id', 'in', [...contactPointIds])
    .execute();
  const phones = FIELDS.flatMap(([type, column]) => {
    const point = points.find(({ id }) => id === contact[column]);
    return point === undefined ? [] : [[type, point.value] as const];
  });
  const fields = {
    firstName: contact.first_name,
    lastName: contact.last_name,
    timeZone: contact.time_zone,
    country: contact.country,
    state: contact.state,
    postalCode: contact.postal_code,
    city: contact.city,
  };
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  const body = {
    engagementId: engagement.id,
    requestId: key,
    contacts: [
      {
        uniqueIdentifier: contact.unique_identifier,
        ...Object.fromEntries(known),
        phones: Object.fromEntries(phones),
      },
    ],
    windows: windows.map(({ startMs, endMs }) => ({
      start: new Date(startMs).toISOString(),
      end: new Date(endMs).toISOString(),
    })),
    inputAttributes,
    journey: { journeyId: request.journeyId, journeyRunId: request.runId },
    onlyGivenNumbers: true,
  };
  const { status, body: answer } = await ask('POST', '/v1/tasks', { body, key });
  if (status === 201) return { taskId: String(answer['id']) };
  if (answer['code'] === 'ENGAGEMENT_INACTIVE') return 'engagement_closed' as const;
  if (status === 404) return 'engagement_missing' as const;
  throw unexpected(status, 'request', answer['code']);
}

interface Asking {
  readonly nowMs: number;
  /** From before it was asked. */
  readonly isHearing: boolean;
}

async function standingThere(ask: Ask, taskId: string, asking: Asking): Promise<TaskStanding> {
  const { status, body: task } = await ask('GET', `/v1/tasks/${encode(taskId)}`);
  if (status === 404) return { is: 'gone' };
  if (status !== 200) throw unexpected(status, 'standing');
  if (task['isSettled'] !== true) return { is: 'open', askAgainAtMs: nextPollMs(task, asking) };
  const deliveries = task['deliveries'] as readonly { readonly id: string }[];
  const last = deliveries.at(-1);
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const reason = text(task['lastSubReason']);
  const ended = {
    ...{ result: resultOf(text(task['lastResult'])), attempts: Number(task['attempts']) },
    ...{ deliveryTaskId: taskId, ...(reason === null ? {} : { reason }) },
  };
  if (last === undefined) return { is: 'ended', ended: { ...ended, dispositionCodes: [] } };
  const { body } = await expect(200, ask('GET', `/v1/deliveries/${encode(last.id)}`));
  return { is: 'ended', ended: { ...ended, deliveryId: last.id, ...saidOf(body) } };
}

function saidOf(delivery: Json) {
  const attributes = (delivery['attributes'] ?? []) as readonly {
    readonly type: string;
    readonly keyword: string;
    readonly value: string;
  }[];
  const returned = attributes.filter(({ type }) => type === 'Result');
  const diagnostics = delivery['sipDiagnostics'];
  const sipCode = isRecord(diagnostics) ? diagnostics['sipCode'] : undefined;
  return {
    ...(typeof sipCode === 'number' ? { returnCode: String(sipCode) } : {}),
    dispositionCodes: dispositionsOf((delivery['dispositionCodes'] ?? null) as string | null),
    attributes: Object.fromEntries(returned.map(({ keyword, value }) => [keyword, value])),
  };
}

/**
 * A task that waits for its hour is left alone until then. The end of one that is open is heard; what is
 * said of it afterwards may end without anything that could be.
 */
function nextPollMs(task: Json, { nowMs, isHearing }: Asking): number {
  const next =
    typeof task['nextScheduledAt'] === 'string' ? Date.parse(task['nextScheduledAt']) : 0;
  const isOpen = task['state'] !== 'final';
  return (
    Math.max(next, nowMs) + (isHearing && isOpen ? ELSEWHERE_HEARD_POLL_MS : ELSEWHERE_POLL_MS)
  );
}

function itemsOf(body: Json): readonly Json[] {
  return (body['items'] ?? []) as readonly Json[];
}

function encode(part: string): string {
  return encodeURIComponent(part);
}

async function expect(status: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  if (answer.status !== status) throw unexpected(answer.status, 'read', answer.body['code']);
  return answer;
}

function unexpected(status: number, what: string, code?: unknown): DialerError {
  const shown = typeof code === 'string' ? ` ${code}` : '';
  return new DialerError(
    'STORE_UNAVAILABLE',
    `the dialer elsewhere: ${what}: HTTP ${status}${shown}`,
  );
}
