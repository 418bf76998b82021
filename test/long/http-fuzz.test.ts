/** Goal: whatever is sent, the service answers, and says whose fault it was. Replay with the seed. */
import t from 'tap';
import { fuzzHttp } from '../support/fuzz-http.ts';
import { storeTargets } from '../support/store-target.ts';

t.setTimeout(600_000);

const [sqlite, postgres] = await storeTargets(t);

t.test('10,000 mutated requests, and not one 5xx', async (t) => {
  await fuzzHttp(t, sqlite.place(t), { count: 7_000, seed: 4_711 });
  await fuzzHttp(t, postgres.place(t), { count: 3_000, seed: 815 });
});
