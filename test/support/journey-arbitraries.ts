/** Random journeys that mean something: blocks of steps that lead only onward, and a repeat or two. */
import fc from 'fast-check';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { reachableFrom, stepGraph } from '../../journey-core/validation/step-graph.ts';

type Json = Record<string, unknown>;

const KINDS = [
  'call',
  'text',
  'email',
  'wait',
  'waitFor',
  'branch',
  'percent',
  'number',
  'abTest',
  'bestChannel',
  'activity',
  'raise',
  'repeat',
] as const;

interface Gene {
  readonly kind: (typeof KINDS)[number];
  /** Picks successors among the blocks that follow. */
  readonly picks: readonly number[];
  readonly size: number;
}

const gene: fc.Arbitrary<Gene> = fc.record({
  kind: fc.constantFrom(...KINDS),
  picks: fc.array(fc.nat(1_000), { minLength: 6, maxLength: 6 }),
  size: fc.integer({ min: 1, max: 4 }),
});

/** Valid by construction; tests make sure that the validator agrees. */
export const anyJourney: fc.Arbitrary<Journey> = fc
  .record({
    genes: fc.array(gene, { minLength: 1, maxLength: 14 }),
    byTrigger: fc.boolean(),
    withExit: fc.boolean(),
    bypass: fc.boolean(),
  })
  .map(({ genes, byTrigger, withExit, bypass }) => {
    const journey = {
      format: 'ringfence-journey/1',
      name: 'random',
      timeZone: 'Europe/Amsterdam',
      entry: byTrigger
        ? { kind: 'trigger', trigger: 'started' }
        : { kind: 'segment', segment: 'members', frequency: 'ongoing' },
      ...(withExit ? { exits: { on: [{ trigger: 'left' }, { segment: 'gone' }] } } : {}),
      ...(bypass ? { frequencyCap: 'bypass' } : {}),
      goal: { trigger: 'won', targetPercent: 10 },
      steps: stepsOf(genes),
      assets: ASSETS,
    };
    return pruned(journey as unknown as Journey);
  });

const ASSETS = {
  contactAttributes: [{ name: 'score', type: 'number' }],
  triggers: [
    { name: 'started', kind: 'business' },
    { name: 'left', kind: 'business' },
    { name: 'won', kind: 'interaction' },
    { name: 'raised', kind: 'custom', attributes: [{ name: 'why', type: 'text' }] },
    { name: 'clicked', kind: 'interaction', attributes: [{ name: 'count', type: 'number' }] },
  ],
  segments: [
    { name: 'members', kind: 'dynamic' },
    { name: 'gone', kind: 'dynamic' },
  ],
  engagements: [
    { name: 'calls', channel: 'voice', resultAttributes: [{ name: 'Outcome', type: 'text' }] },
    { name: 'texts', channel: 'sms' },
  ],
  messages: [
    { name: 'hello', channel: 'sms', compliance: { profile: 'all', purpose: 'service' } },
    { name: 'mail', channel: 'email', compliance: { profile: 'all', purpose: 'service' } },
  ],
  webhooks: [{ name: 'sender' }],
  complianceProfiles: [
    {
      name: 'all',
      channels: ['voice', 'sms', 'email'],
      purposes: [{ name: 'service', type: 'transactional' }],
    },
  ],
};

function stepsOf(genes: readonly Gene[]): Json[] {
  const entryOf = (index: number): string => (index < genes.length ? `b${index}` : 'end');
  return [
    ...genes.flatMap(({ kind, picks, size }, index) => {
      const to = (pick: number): string => {
        const ahead = genes.length - index;
        return entryOf(index + 1 + ((picks[pick] ?? 0) % ahead));
      };
      return block(kind, `b${index}`, to, size);
    }),
    { id: 'end', type: 'exit' },
  ];
}

function block(kind: Gene['kind'], id: string, to: (pick: number) => string, size: number): Json[] {
  const heard = `${id}heard`;
  const judged = `${id}judged`;
  const compliance = { profile: 'all', purpose: 'service' };
  switch (kind) {
    case 'call':
      return [
        { id, type: 'voice', engagement: 'calls', compliance, next: heard },
        outcomesOf(id, heard, judged, to),
        {
          id: judged,
          type: 'branch',
          branches: [
            { when: { from: id, attribute: 'Result', operator: 'is', value: 'Busy' }, next: to(0) },
            {
              when: { from: id, attribute: 'Outcome', operator: 'contains', value: 'a' },
              next: to(1),
            },
          ],
          otherwise: to(2),
        },
      ];
    case 'text':
      return [
        { id, type: 'sms', engagement: 'texts', message: 'hello', next: heard },
        outcomesOf(id, heard, to(0), to),
      ];
    case 'email':
      return [{ id, type: 'message', message: 'mail', webhook: 'sender', next: to(0) }];
    case 'wait':
      return [{ id, type: 'wait', for: `${size}d`, next: to(0) }];
    case 'waitFor':
      return [
        {
          id,
          type: 'waitFor',
          on: [
            { trigger: 'clicked', next: to(0) },
            { segment: 'members', next: to(1) },
          ],
          timeout: { after: `${size}h`, next: to(2) },
        },
      ];
    case 'branch':
      return [
        {
          id,
          type: 'branch',
          branches: [
            {
              when: { from: 'contact', attribute: 'score', operator: 'atLeast', value: size },
              next: to(0),
            },
            { when: { segment: 'members', operator: 'isMember' }, next: to(1) },
          ],
          otherwise: to(2),
        },
      ];
    case 'percent':
      return [
        {
          id,
          type: 'split',
          by: 'percent',
          branches: [
            { percent: 10 * size, next: to(0) },
            { percent: 100 - 10 * size, next: to(1) },
          ],
        },
      ];
    case 'number':
      return [
        {
          id,
          type: 'split',
          by: 'number',
          branches: [{ count: size, next: to(0) }],
          otherwise: to(1),
        },
      ];
    case 'abTest':
    case 'bestChannel': {
      const share = kind === 'abTest' ? { percent: 50 } : {};
      const variants = ['a', 'b'].map((name, at) => ({ id: name, ...share, next: to(at) }));
      return [{ id, type: kind, variants }];
    }
    case 'activity':
      return [{ id, type: 'activity', activity: 'task', subject: 'do it', next: to(0) }];
    case 'raise':
      return [
        {
          id,
          type: 'activateTrigger',
          trigger: 'raised',
          attributes: { why: { value: 'x' } },
          next: to(0),
        },
      ];
    case 'repeat':
      // A repeat that comes first has nothing to go back to.
      return id === 'b0'
        ? [{ id, type: 'wait', for: '1h', next: to(0) }]
        : [{ id, type: 'repeat', to: 'b0', timesMax: Math.min(size, 2), next: to(0) }];
  }
}

function outcomesOf(id: string, heard: string, attempted: string, to: (pick: number) => string) {
  return {
    id: heard,
    type: 'waitFor',
    on: [
      { step: id, is: 'attempted', next: attempted },
      { step: id, is: 'notAttempted', next: to(3) },
      { step: id, is: 'blocked', next: to(4) },
    ],
    timeout: { after: '1d', next: to(5) },
  };
}

function pruned(journey: Journey): Journey {
  const graph = stepGraph(journey);
  const reached = reachableFrom(graph, [graph.firstId]);
  return { ...journey, steps: journey.steps.filter(({ id }) => reached.has(id)) };
}
