/** The trials of test/faults/kill*.test.ts, for one database. */
import fc from 'fast-check';
import type { Test } from 'tap';
import { checkHangUps, checkSettled, checkTrial } from './check-trial.ts';
import type { Killing } from './dialer-process.ts';
import { BOUNDARIES, type Boundary } from './fault-points.ts';
import { runTrial, type Trial, type TrialOptions } from './kill-trial.ts';
import type { StoreTarget } from './store-target.ts';

const CROWD = 80;
/** Where deaths come at random, or calls outlive them. */
const GROUP = 50;
/** Two processes die there, at the others one: most of the time of a trial is that of starting them. */
const TWICE: readonly Boundary[] = ['after the INVITE', 'after 200'];
/** The second process dies later in its life than the first. */
const OCCURRENCES = [9, 14];
const RANDOM_DEATHS = 3;
/** About half of the events of a trial: each process has something left to do. */
const EVENTS_MAX = 70;

/** At `boundaries`: by default all of them. */
export function killEverywhere(
  t: Test,
  target: StoreTarget,
  seed: number,
  boundaries: readonly Boundary[] = BOUNDARIES,
): void {
  for (const boundary of boundaries) {
    t.test(`${target.name}: killed ${boundary}, nobody is lost or dialled twice`, async (t) => {
      const deaths = OCCURRENCES.slice(0, TWICE.includes(boundary) ? 2 : 1);
      await survive(t, {
        target,
        contacts: CROWD,
        deaths: deaths.map((occurrence) => ({ boundary, occurrence })),
        diesWithIt: 'gatewayAndSwitch',
        withAgent: boundary === 'after the bridge',
      });
    });
  }

  t.test(`${target.name}: killed at random, nobody is lost or dialled twice`, async (t) => {
    t.comment(`RINGFENCE_TEST_SEED=${seed}`);
    const moment = fc.integer({ min: 1, max: EVENTS_MAX });
    const moments = fc.sample(moment, { seed, numRuns: RANDOM_DEATHS });
    const deaths = moments.map((afterEvents): Killing => ({ afterEvents }));
    await survive(t, { target, contacts: GROUP * 2, deaths, diesWithIt: 'gatewayAndSwitch' });
  });

  t.test(`${target.name}: nor when their calls outlive dialer and gateway`, async (t) => {
    const deaths = OCCURRENCES.map(
      (occurrence) => ({ boundary: 'after 200', occurrence }) as const,
    );
    const trial = await survive(t, { target, contacts: GROUP, deaths, diesWithIt: 'gateway' });
    checkHangUps(t, trial);
  });

  t.test(
    `${target.name}: a gateway that outlives them is asked, and ends their calls`,
    async (t) => {
      const deaths = [{ boundary: 'after 200', occurrence: 5 } as const];
      const trial = await survive(t, { target, contacts: 20, deaths, diesWithIt: 'nothing' });
      await checkSettled(t, trial);
      checkHangUps(t, trial);
    },
  );
}

async function survive(t: Test, options: TrialOptions): Promise<Trial> {
  const trial = await runTrial(t, options);
  t.equal(trial.killed, options.deaths.length, 'every process died where it was told to');
  await checkTrial(t, trial);
  return trial;
}
