/** Requests as no client should send them: good ones, changed at random, from one seed. */
import type { InjectOptions } from 'fastify';
import type { ListedRoute } from '../../dialer/http/route-table.ts';

/** Numerical Recipes' linear congruential generator: enough to choose by, and the same everywhere. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS: readonly string[] = [
  ...['', ' ', '0', '-1', 'null', 'true', '\0', '\uD800', '../../etc/passwd', "' or 1=1 --"],
  ...[
    '%00',
    '%',
    '%E0%A4%A',
    '[]',
    '{}',
    '𝒳',
    '+12025550143',
    '2026-03-02T15:00:00Z',
    'a'.repeat(300),
  ],
  ...['9007199254740993', '1e999', '2026-02-30T25:61:61Z', '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11'],
];
const VALUES: readonly unknown[] = [
  ...WORDS,
  ...[null, true, false, 0, -1, 1.5, 1e308, 9_007_199_254_740_993, [], {}, [[]], [null]],
  ...[{ a: { b: { c: 1 } } }, 'x'.repeat(5_000), Array.from({ length: 60 }, () => ({}))],
];
const METHODS = ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'] as const;
const TYPES = [
  'application/json',
  'text/csv',
  'text/plain',
  'application/xml',
  '',
  'application/json; charset=x',
];

/** Half a surrogate pair cannot be written in a URL. */
function encoded(word: string): string {
  return encodeURIComponent(Buffer.from(word).toString());
}

export interface Mutator {
  readonly routes: readonly ListedRoute[];
  readonly ids: readonly string[];
  readonly keys: readonly string[];
  readonly pick: (below: number) => number;
}

export function mutatedRequest({ routes, ids, keys, pick }: Mutator): InjectOptions {
  const one = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
  const route = one(routes);
  const id = (): string => (pick(3) === 0 ? encoded(one(WORDS)) : one(ids));
  const path = route.url.replaceAll(/:\w+|\*/g, id);
  const method = pick(8) === 0 ? one(METHODS) : (route.method as (typeof METHODS)[number]);
  const parameters = route.schema?.querystring as { properties?: object } | undefined;
  const names = [...Object.keys(parameters?.properties ?? {}), 'what', '__proto__', 'limit'];
  const query = Array.from({ length: pick(4) }, () => {
    const value = pick(4) === 0 ? one(WORDS) : encoded(one([...WORDS, ...ids]));
    return `${one(names)}=${value}`;
  });
  const headers: Record<string, string> = {};
  if (pick(20) > 0) headers['authorization'] = `Bearer ${one(keys)}`;
  if (pick(6) === 0)
    headers['authorization'] = one(['Basic ' + one(keys), 'Bearer', 'Bearer \x7f']);
  if (pick(3) === 0) headers['idempotency-key'] = one(['a', 'b', 'x'.repeat(201), '\t', 'ü']);
  if (pick(3) === 0) headers['if-match'] = one(['"1"', '*', 'W/"1"', '"99999999999"', '']);
  if (pick(6) === 0)
    headers['accept'] = one(['*/*', 'text/html', ';;;', 'application/json;q=0', '*']);
  if (pick(9) === 0) headers['last-event-id'] = one(['0-0', '1', '9-99999999999999999']);
  if (pick(9) === 0) headers['content-length'] = one(['-1', '99999999', 'x']);
  const url = `${path}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  if (method === 'GET' || method === 'HEAD') return { method, url, headers };
  headers['content-type'] = pick(6) === 0 ? one(TYPES) : 'application/json';
  return { method, url, headers, payload: payloadOf(route, { one, pick, ids }) };
}

interface Choosing {
  readonly one: <T>(list: readonly T[]) => T;
  readonly pick: (below: number) => number;
  readonly ids: readonly string[];
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function payloadOf({ schema }: ListedRoute, { one, pick, ids }: Choosing): string {
  const examples = (schema?.body as { examples?: readonly unknown[] } | undefined)?.examples ?? [
    {},
  ];
  const example = JSON.stringify(one(examples)).replaceAll('my-carrier', 'carrier');
  const real = example.replaceAll(UUID, () => one(ids));
  let body = JSON.parse(real) as unknown;
  for (let left = pick(4); left > 0; left -= 1) {
    const value = pick(4) === 0 ? one(ids) : one(VALUES);
    body = changed(body, value, { one, pick, ids });
  }
  const text = JSON.stringify(body);
  switch (pick(20)) {
    case 0:
      return text.slice(0, pick(text.length + 1));
    case 1:
      return text.replace(/"/, '');
    case 2:
      return '['.repeat(50_000);
    default:
      return text;
  }
}

/** One place of it has another value, is gone, or has another name. */
function changed(body: unknown, value: unknown, choosing: Choosing): unknown {
  const { one, pick } = choosing;
  if (typeof body !== 'object' || body === null || pick(5) === 0) return value;
  if (Array.isArray(body)) {
    if (body.length === 0) return [value];
    return body.map((item, index) =>
      index === 0 ? changed(item, value, choosing) : (item as unknown),
    );
  }
  const entries = Object.entries(body);
  if (entries.length === 0) return { [one(WORDS)]: value };
  const at = pick(entries.length);
  const [name = '', inner] = entries[at] ?? [];
  switch (pick(4)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries[at] = [`${name}${one(WORDS)}`, inner];
      break;
    default:
      entries[at] = [name, changed(inner, value, choosing)];
  }
  return Object.fromEntries(entries);
}
