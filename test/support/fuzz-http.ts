/** Sends mutated requests, and looks at what comes back: never a 5xx, always a problem that says so. */
import type { Test } from 'tap';
import { ApiRig, type Json } from './api-rig.ts';
import { mutatedRequest, seeded } from './mutated-requests.ts';
import type { StorePlace } from './store-target.ts';

/** Most requests get past the door. */
const ADMIN_SHARE = [1, 2, 3, 4, 5, 6];

/** Streams answer for as long as they are listened to: not with `inject`. */
const isStream = (url: string): boolean => url === '/v1/events';

export async function fuzzHttp(
  t: Test,
  place: StorePlace,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<void> {
  t.comment(`seed ${seed}`);
  const rig = await ApiRig.open(t, place);
  const { id, workstreamId, queueId } = await rig.engagement();
  const { id: fed } = await rig.engagement({ intake: 'file' });
  const contacts = [{ uniqueIdentifier: 'C-1', phones: { mobile: '+12025550143' } }];
  const task = await rig.make('/v1/tasks', { engagementId: id, contacts });
  const mutator = {
    routes: rig.app.routeTable.routes.filter(({ url }) => !isStream(url)),
    ids: [id, workstreamId, queueId, fed, task],
    keys: [...ADMIN_SHARE.map(() => rig.adminKey), await rig.key('read'), 'rf_nonsense_nonsense'],
    pick: seeded(seed),
  };
  const statuses = new Map<number, number>();
  for (let n = 0; n < count; n += 1) {
    const request = mutatedRequest(mutator);
    const response = await rig.app.inject(request);
    const { statusCode } = response;
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    if (statusCode < 400 || (statusCode < 500 && request.method === 'HEAD')) continue;
    const told = `request ${n} of seed ${seed}: ${JSON.stringify(request).slice(0, 600)}`;
    if (statusCode >= 500) t.fail(`${statusCode} to ${told}: ${response.body}`);
    const problem = problemIn(response.headers['content-type'], response.body);
    if (problem?.['status'] !== statusCode) t.fail(`no problem in the answer to ${told}`);
  }
  const shown = [...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`);
  t.comment(shown.join(', '));
  for (const status of [200, 201, 400, 401, 403, 404, 405, 406, 413, 415, 428]) {
    if (count >= 2_000) t.ok(statuses.has(status), `${status} was among the answers`);
  }
  t.equal((await rig.get('/v1/queues')).status, 200, 'and it serves as before');
}

function problemIn(type: unknown, body: string): Json | undefined {
  if (!String(type).startsWith('application/problem+json')) return undefined;
  return JSON.parse(body) as Json;
}
