/** The progressive and the predictive pacer: one machine, told and asked the same. */
import type { PacedDemand } from '../../machines/paced-pacer.events.ts';
import type { GoldenScript, PacedScriptInput, Told } from './golden-log.ts';

const INPUT = {
  engagementId: 'e1',
  claimSizeMax: 3,
  suspended: null,
  isOpen: true,
  storeRetryMs: 1_000,
  tickMs: 250,
  emptyRestMs: 60_000,
};
const NOTHING: PacedDemand = { starts: 0, recall: [] };
const wants = (starts: number, ...recall: string[]): PacedDemand => ({ starts, recall });

const owner = (atMs: number, type: string, more: object = {}): Told => {
  return { atMs, by: 'owner', event: { type, ...more } };
};
const claimed = (atMs: number, started: number, moreReady = true): Told => {
  return { atMs, by: 'starter', event: { type: 'starter.claimed', started, moreReady } as never };
};
const failed = (atMs: number): Told => {
  return { atMs, by: 'starter', event: { type: 'starter.failed', detail: 'no space' } as never };
};
const suspension = { type: 'adminAction', reason: 'the script is wrong' } as const;

type Machine = 'progressivePacer' | 'predictivePacer';

function scriptsOf(machine: Machine): Readonly<Record<string, GoldenScript>> {
  const script = (
    demands: readonly PacedDemand[],
    told: readonly Told[],
    more: Partial<PacedScriptInput> = {},
  ): GoldenScript => ({ machine, input: { ...INPUT, ...more, demands }, told });
  return {
    'starts-what-is-asked-for-in-portions': script(
      [wants(5), wants(2), NOTHING],
      [claimed(10, 3), claimed(20, 2), { atMs: 300 }],
    ),
    'weighs-on-news-and-on-each-tick': script(
      [NOTHING, wants(1), NOTHING, NOTHING, wants(1), NOTHING],
      [
        owner(100, 'pacer.news'),
        claimed(110, 1),
        { atMs: 400 },
        owner(450, 'call.ended'),
        claimed(460, 1),
        owner(470, 'tasks.ready'),
      ],
    ),
    'finds-an-empty-list-and-rests': script(
      [wants(2), wants(2), wants(1)],
      [
        claimed(10, 0, false),
        { atMs: 60_020 },
        claimed(60_030, 0, false),
        owner(61_000, 'tasks.ready'),
      ],
    ),
    'news-while-it-claims-waits-for-the-answer': script(
      [wants(1), wants(1)],
      [owner(5, 'pacer.news'), owner(6, 'call.ended'), claimed(10, 1), claimed(20, 1)],
    ),
    'suspended-while-it-claims-and-resumed': script(
      [wants(1), wants(1), wants(1), wants(1)],
      [
        owner(5, 'engagement.suspended', { suspension }),
        claimed(10, 1),
        { atMs: 2_000 },
        owner(3_000, 'pacer.news'),
        owner(9_000, 'engagement.resumed'),
        claimed(9_010, 1),
      ],
    ),
    'takes-back-what-rings-also-while-suspended': script(
      [NOTHING, wants(0, 'a1', 'a2'), NOTHING],
      [owner(100, 'pacer.news'), { atMs: 1_000 }],
      { suspended: suspension },
    ),
    'queue-closes-and-opens': script(
      [wants(1), wants(1), wants(1), wants(1)],
      [
        claimed(10, 1),
        owner(15, 'queue.closed'),
        claimed(20, 1),
        { atMs: 10_000 },
        owner(60_000, 'queue.opened'),
        claimed(60_010, 1),
      ],
    ),
    'store-fails-for-a-while-and-it-stops': script(
      [wants(2), wants(2), wants(2)],
      [failed(10), failed(1_020), claimed(2_040, 2), owner(3_000, 'pacer.stop'), { atMs: 9_000 }],
    ),
  };
}

export const PACED_SCRIPTS = {
  progressivePacer: scriptsOf('progressivePacer'),
  predictivePacer: scriptsOf('predictivePacer'),
};
