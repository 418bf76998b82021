/**
 * Goal: a dialer may be killed at any moment. At every boundary between two steps of a call and at
 * random moments between them: nobody is lost, no attempt is dialled twice, every task ends once,
 * and what nobody can know any more is `Unknown`. Here on PostgreSQL; kill.test.ts is its twin.
 */
import t from 'tap';
import { killEverywhere } from '../support/kill-everywhere.ts';
import { storeTargets } from '../support/store-target.ts';

t.setTimeout(590_000);

const [, postgres] = await storeTargets(t);
killEverywhere(t, postgres, Number(process.env['RINGFENCE_TEST_SEED'] ?? Date.now() % 1_000_000));
