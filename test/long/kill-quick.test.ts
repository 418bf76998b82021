/** Goal: a dialer killed in the middle of its calls loses nobody and dials nobody twice. */
import t from 'tap';
import { checkHangUps, checkSettled, checkTrial } from '../support/check-trial.ts';
import { runTrial } from '../support/kill-trial.ts';
import { storeTargets } from '../support/store-target.ts';

t.setTimeout(500_000);

const [sqlite] = await storeTargets(t);

for (const boundary of ['after the INVITE', 'after 200'] as const) {
  t.test(`killed ${boundary}, no call is lost and none is made twice`, async (t) => {
    const deaths = [{ boundary, occurrence: 5 }];
    const trial = await runTrial(t, {
      target: sqlite,
      contacts: 20,
      deaths,
      diesWithIt: 'gatewayAndSwitch',
    });
    t.equal(trial.killed, 1, 'it died where it was told to');
    await checkTrial(t, trial);
  });
}

t.test('a gateway that outlives the dialer is asked, and its calls are ended', async (t) => {
  const deaths = [{ boundary: 'after 200', occurrence: 5 } as const];
  const trial = await runTrial(t, { target: sqlite, contacts: 20, deaths, diesWithIt: 'nothing' });
  t.equal(trial.killed, 1, 'it died where it was told to');
  await checkTrial(t, trial);
  await checkSettled(t, trial);
  checkHangUps(t, trial);
});
