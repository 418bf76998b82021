/** Goal: texts become drafts over the API, with a model that nobody has to trust, on both databases. */
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { SAMPLE_PROMPTS } from '../../journey-core/draft/sample-prompts.ts';
import { ChatModel } from '../../dialer/journeys/drafting/chat-model.ts';
import { forgetDrafts } from '../../dialer/journeys/drafting/draft-requests.ts';
import { makeDraft } from '../../dialer/journeys/drafting/draft-with-model.ts';
import { webhookFault } from '../../config/webhook-address.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { storeTargets } from '../support/store-target.ts';

t.setTimeout(240_000);

const DAY_MS = 86_400_000;
const KEY = 'sk-never-shown-0123456789';
const TEXT = 'Call everyone in the segment "gold". If nobody answers, send an SMS. Sing a song.';
const NOW = { nowMs: Date.parse('2026-11-21T12:00:00Z'), timeZone: 'UTC' };

const journey = {
  ...{ format: 'ringfence-journey/1', name: 'By the model', timeZone: 'UTC' },
  entry: { kind: 'segment', segment: 'gold', frequency: 'oneTime' },
  steps: [
    {
      ...{ id: 'call', type: 'voice', engagement: 'Upsell', next: 'done' },
      compliance: { profile: 'profileToChoose', purpose: 'purposeToChoose' },
    },
    { id: 'done', type: 'exit' },
  ],
};
const GOOD = JSON.stringify({ journey, notUnderstood: ['Sing a song.'], assumptions: ['once'] });
const DANGLING = JSON.stringify({ journey: { ...journey, steps: [journey.steps[0]] } });
const completion = (content: unknown) => JSON.stringify({ choices: [{ message: { content } }] });

interface Reply {
  readonly status?: number;
  readonly body: string;
  /** Never ends. */
  readonly hangs?: boolean;
  readonly location?: string;
}

/** An endpoint that answers by the script, and then as the last of it. */
async function endpoint(t: Test, replies: readonly Reply[]) {
  const asked: { readonly headers: IncomingMessage['headers']; readonly body: Json }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const reply = replies[Math.min(asked.length, replies.length - 1)] ?? { body: '' };
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Json;
      asked.push({ headers: request.headers, body: { ...body, path: request.url } });
      if (reply.hangs === true) return;
      const headers = reply.location === undefined ? {} : { location: reply.location };
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...headers });
      response.end(reply.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { url, asked };
}

const chat = (url: string, timeoutMs = 60_000) =>
  new ChatModel({ url, key: KEY, model: 'some-model', timeoutMs });

t.test(
  '[JRN-58] a model is asked in the form of chat completions, and its journey checked',
  async (t) => {
    const { url, asked } = await endpoint(t, [
      { body: completion(`Here:\n\`\`\`json\n${GOOD}\n\`\`\``) },
    ]);
    const made = await makeDraft(TEXT, NOW, { model: chat(url), triesMax: 3 });
    t.match(made, {
      ...{ madeBy: 'some-model', model: { name: 'some-model', tries: 1, failure: null } },
      draft: {
        ...{ journey: { name: 'By the model' }, assumptions: ['once'] },
        notUnderstood: [{ text: 'Sing a song.', at: { offset: 69, length: 12 } }],
      },
    });
    t.match(
      made.draft.placeholders.map(({ kind, name }) => `${kind} ${name}`),
      ['segment gold', 'engagement Upsell', 'complianceProfile profileToChoose'],
    );
    t.same(new Set(made.draft.faults.map(({ code }) => code)), new Set(['ASSET_NOT_READY']));
    t.match(asked, [
      {
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: { model: 'some-model', path: '/v1/chat/completions' },
      },
    ]);
    const messages = asked[0]?.body['messages'] as { role: string; content: string }[];
    t.match(messages, [
      { role: 'system', content: /ringfence-journey\/1/ },
      { role: 'user', content: TEXT },
    ]);
  },
);

const failing: readonly (readonly [string, readonly Reply[], string, number])[] = [
  ['never valid', [{ body: completion(DANGLING) }], 'invalid', 3],
  ['never JSON', [{ body: completion('I would rather not.') }], 'invalid', 3],
  ['500', [{ status: 500, body: `{"error":"${KEY}"}` }], 'status', 1],
  ['401', [{ status: 401, body: '{}' }], 'status', 1],
  [
    'a redirect is not followed',
    [{ status: 302, body: '', location: 'http://127.0.0.1:1/' }],
    'status',
    1,
  ],
  ['no JSON around it', [{ body: '<html>' }], 'unreadable', 1],
  ['no content', [{ body: '{"choices":[]}' }], 'unreadable', 1],
  ['content of another type', [{ body: completion(null) }], 'unreadable', 1],
  ['larger than 1 MiB', [{ body: completion('x'.repeat(1_100_000)) }], 'unreadable', 1],
];

t.test('[JRN-58] asked again with the faults; what never holds is not used', async (t) => {
  const replies = ['{"journey": 5}', GOOD.slice(0, -4), DANGLING, GOOD].map((text) => ({
    body: completion(text),
  }));
  const { url, asked } = await endpoint(t, replies);
  const made = await makeDraft(TEXT, NOW, { model: chat(url), triesMax: 4 });
  t.match(made, { madeBy: 'some-model', model: { tries: 4, failure: null } });
  const last = asked.at(-1)?.body['messages'] as { role: string; content: string }[];
  t.same(
    last.map(({ role }) => role),
    ['system', 'user', 'assistant', 'user', 'assistant', 'user', 'assistant', 'user'],
  );
  t.match(last.at(-1)?.content, /\/steps\/0\/next: there is no step 'done'/);

  for (const [name, script, failure, tries] of failing) {
    const place = await endpoint(t, script);
    const used = await makeDraft(TEXT, NOW, { model: chat(place.url), triesMax: 3 });
    t.match(used, { madeBy: 'patterns', model: { failure, tries } }, name);
    t.equal(place.asked.length, tries, name);
    t.match(used.draft.notUnderstood, [{ text: 'Sing a song' }], `${name}: the patterns are used`);
    t.notMatch(JSON.stringify(used), KEY, name);
  }
});

t.test('a model that does not answer in time, or is not there', async (t) => {
  const { url } = await endpoint(t, [{ body: '', hangs: true }]);
  const late = await makeDraft(TEXT, NOW, { model: chat(url, 100), triesMax: 3 });
  t.match(late, { madeBy: 'patterns', model: { failure: 'timeout', tries: 1 } });
  const gone = await makeDraft(TEXT, NOW, { model: chat('http://127.0.0.1:1/v1'), triesMax: 3 });
  t.match(gone, { madeBy: 'patterns', model: { failure: 'unreachable', tries: 1 } });
  for (const address of [
    'http://model.example.com/v1',
    'http://169.254.169.254/v1',
    'ftp://x/v1',
  ]) {
    const refused = await makeDraft(TEXT, NOW, { model: chat(address), triesMax: 3 });
    t.match(refused, { model: { failure: 'refused' } }, address);
  }
  t.equal(
    webhookFault('https://model.example.com/v1', { onLoopback: true, allowInsecure: false }),
    undefined,
  );
});

for (const target of await storeTargets(t)) {
  await t.test(`${target.name}: drafts over the API`, async (t) => {
    const place = target.place(t);
    const { url: modelUrl } = await endpoint(t, [
      { body: completion(GOOD) },
      { status: 503, body: '{}' },
    ]);
    const rig = await ApiRig.open(t, place, {
      journeys: {
        ...{ isEnabled: true, hasConversations: true },
        drafting: { model: chat(modelUrl), triesMax: 2 },
        draftsKeptDays: 7,
      },
    });
    const post = (path: string, body: unknown) => rig.post(`/v1/journeys/drafts${path}`, body);

    await t.test(
      '[JRN-58] [JRN-59] text in, an unpublished journey with placeholders out',
      async (t) => {
        const made = await post('', { text: TEXT });
        t.match(made, { status: 201, body: { madeBy: 'some-model', journeyId: null } });
        const id = String(made.body['id']);
        t.match(await rig.get(`/v1/journeys/drafts/${id}`), { status: 200, body: made.body });
        t.match((await rig.get('/v1/journeys')).body['items'], [], 'nothing is made of it yet');
        const saved = await post(`/${id}/journey`, { name: 'Gold' });
        t.match(saved, {
          status: 201,
          body: { name: 'Gold', state: 'draft', latestVersion: 0, isPublishable: false },
        });
        const faults = saved.body['faults'] as {
          code: string;
          severity: string;
          pointer: string;
        }[];
        t.match(
          faults.find(({ pointer }) => pointer === '/entry/segment'),
          {
            ...{ code: 'ASSET_NOT_READY', severity: 'blocksPublishing' },
          },
        );
        t.notOk(faults.some(({ severity }) => severity === 'error'));
        const journeyId = String(saved.body['id']);
        const published = await rig.ask({
          ...{ method: 'POST', url: `/v1/journeys/${journeyId}/publish`, body: {} },
          headers: { 'if-match': '"1"' },
        });
        t.not(published.status, 200, 'placeholders block publishing');
        t.equal((await rig.get(`/v1/journeys/${journeyId}`)).body['state'], 'draft');
        t.equal((await post(`/${id}/journey`, {})).status, 409, 'once');
        t.match((await rig.get(`/v1/journeys/drafts/${id}`)).body, { journeyId });
      },
    );

    await t.test('[JRN-60] samples, guided mode and thumbs', async (t) => {
      const samples = (await rig.get('/v1/journeys/drafts/samples')).body['items'];
      t.same(samples, SAMPLE_PROMPTS);
      const questions = (await rig.get('/v1/journeys/drafts/questions')).body['items'] as Json[];
      const answers = Object.fromEntries(
        questions.map(({ id, example }) => [String(id), String(example)]),
      );
      const made = await post('', { answers, timeZone: 'Europe/Amsterdam' });
      t.match(made.body, {
        ...{ madeBy: 'patterns', model: { failure: 'status' }, notUnderstood: [] },
        journey: {
          ...{ timeZone: 'Europe/Amsterdam', goal: { trigger: 'confirmDelivery' } },
          entry: { segment: 'delivery tomorrow', frequency: 'repeating', exclude: 'staff' },
          exits: { on: [{ trigger: 'deliveryCancelled' }] },
        },
      });
      const url = `/${String(made.body['id'])}/feedback`;
      t.match(await post(url, { verdict: 'down', comment: 'No' }), { status: 200 });
      t.match((await post(url, { verdict: 'up' })).body, { feedback: 'up', comment: null });
      t.equal((await post(url, { verdict: 'sideways' })).status, 400);
      t.match((await post('', { answers: { first: 'sing' } })).body, {
        errors: [{ pointer: '/answers/entryKind' }, { pointer: '/answers/entry' }, {}],
      });
    });

    await t.test('what nobody has touched for long is forgotten; its journey stays', async (t) => {
      const make = async (): Promise<string> => {
        const made = await post('', { text: 'When an order is placed, wait two hours.' });
        return String(made.body['id']);
      };
      const [left, judged, used] = [await make(), await make(), await make()];
      const statusOf = async (id: string) => (await rig.get(`/v1/journeys/drafts/${id}`)).status;
      const journeyId = String((await post(`/${used}/journey`, { name: 'Kept' })).body['id']);
      rig.clock.nowMs += 6 * DAY_MS;
      await post(`/${judged}/feedback`, { verdict: 'up' });
      t.equal(await forgetDrafts(rig.database, rig.clock.nowMs, 6), 0, 'not before their time');
      rig.clock.nowMs += DAY_MS + 1;
      await rig.api.detach();
      await rig.api.attach(rig.dialer);
      while ((await statusOf(left)) === 200); // it is swept in its own time
      t.same([await statusOf(used), await statusOf(judged)], [404, 200]);
      t.equal((await rig.get(`/v1/journeys/${journeyId}`)).status, 200);
      t.equal((await post(`/${left}/feedback`, { verdict: 'up' })).status, 404);
      t.equal(await forgetDrafts(rig.database, rig.clock.nowMs + 90 * DAY_MS), 1, 'by default 90');
    });

    await t.test('what cannot be a draft is told, and other people’s are not there', async (t) => {
      for (const body of [
        {},
        { text: TEXT, answers: {} },
        { text: 'NUL \u0000' },
        { text: ' ' },
        { text: 'x', timeZone: 'no' },
      ]) {
        t.equal((await post('', body)).status, 400, JSON.stringify(body));
      }
      const nothing = await post('', { text: 'Sing a song.' });
      t.match(nothing, { status: 201, body: { journey: null, summary: null } });
      t.equal((await post(`/${String(nothing.body['id'])}/journey`, {})).status, 409);
      t.equal((await post(`/${rig.ids.id()}/journey`, {})).status, 404);
      t.equal((await post(`/${rig.ids.id()}/feedback`, { verdict: 'up' })).status, 404);
      const rows = await rig.database.db.selectFrom('journey_draft_requests').selectAll().execute();
      t.notMatch(JSON.stringify(rows), KEY, 'the key is in no row');
    });
  });
}
