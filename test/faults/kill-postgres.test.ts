/**
 * Goal: a dialer may be killed at any moment: nobody is lost, no attempt is dialled twice, every task
 * ends once, and what nobody can know any more is `Unknown`. Here on PostgreSQL, at random moments and
 * where the store has just been written or is about to be; kill.test.ts is its twin, and dies everywhere.
 */
import t from 'tap';
import { killEverywhere } from '../support/kill-everywhere.ts';
import { storeTargets } from '../support/store-target.ts';

t.setTimeout(590_000);

const [, postgres] = await storeTargets(t);
const seed = Number(process.env['RINGFENCE_TEST_SEED'] ?? Date.now() % 1_000_000);
killEverywhere(t, postgres, seed, [
  'before the attempt row is committed',
  'after the attempt row',
  'after the INVITE',
  'after BYE',
]);
