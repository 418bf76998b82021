/** Goal: what an edit changes is told exactly, and branches behind a text conversation are made whole. */
import fc from 'fast-check';
import t from 'tap';
import { createBranches } from '../../journey-core/definition/create-branches.ts';
import { STEPS_MAX, type Journey } from '../../journey-core/definition/journey.schema.ts';
import { simulateJourney } from '../../journey-core/simulation/simulate-journey.ts';
import { simulatedPath } from '../../journey-core/simulation/simulated-path.ts';
import { validateJourney } from '../../journey-core/validation/validate-journey.ts';
import { isLightChange, journeyChanges } from '../../dialer/journeys/lifecycle/journey-changes.ts';
import { writtenDefinition } from '../../dialer/journeys/lifecycle/written-definition.ts';
import { anyJourney } from '../support/journey-arbitraries.ts';

type Json = Readonly<Record<string, unknown>>;

const exit = { id: 'done', type: 'exit' } as const;
const ask = { id: 'ask', type: 'sms', engagement: 'slots', message: 'whichDay', next: 'done' };
const definition = (steps: readonly Json[], more: Json = {}): Journey =>
  ({
    ...{ format: 'ringfence-journey/1', name: 'N', timeZone: 'UTC' },
    entry: { kind: 'trigger', trigger: 'ordered' },
    steps,
    assets: {
      triggers: [{ name: 'ordered', kind: 'custom' }],
      engagements: [{ name: 'slots', channel: 'sms' }],
      messages: [
        { name: 'whichDay', channel: 'sms', compliance: { profile: 'all', purpose: 'news' } },
      ],
      complianceProfiles: [
        { name: 'all', channels: ['sms'], purposes: [{ name: 'news', type: 'transactional' }] },
      ],
    },
    ...more,
  }) as unknown as Journey;

t.test('[JRN-16] both levels behind a text conversation, with a way for every end', (t) => {
  const made = createBranches(definition([ask, exit]), 'ask');
  if (typeof made === 'string') throw new Error(made);
  const { faults, isPublishable } = validateJourney(made.journey);
  t.same(faults, []);
  t.ok(isPublishable);
  const wayOf = (outcome: Json): unknown => {
    const person = { contactPoints: [{ kind: 'mobile' as const, value: '+12025550143' }] };
    const plan = { outcomes: [{ step: 'ask', ...outcome }] };
    const start = Date.UTC(2026, 2, 2);
    const path = simulatedPath(
      made.journey,
      simulateJourney(made.journey, person, plan as never, start),
    ).path;
    return path.flatMap(({ left }) => (left === null ? [] : [left.because])).slice(1);
  };
  t.match(wayOf({ result: 'ConversationClosed' }), ['ask: attempted', 'closed']);
  t.match(wayOf({ result: 'ResponseTimeout' }), ['ask: attempted', 'no reply in time']);
  const cancelled = { result: 'NotDelivered', returnCode: 'ConversationCancelled' };
  t.match(wayOf(cancelled), ['ask: attempted', 'cancelled']);
  t.match(wayOf({ result: 'NotDelivered' }), ['ask: attempted', 'otherwise']);
  t.match(wayOf({ result: 'Expired' }), ['ask: notAttempted']);
  t.match(wayOf({ result: 'ConversationClosed', after: '2d' }), [/1d/], 'late: the time-out');
  t.end();
});

t.test('branches are made once, behind text conversations, under names that are free', (t) => {
  const taken = ['askOutcome', 'askResult'].map((id) => ({ id, type: 'exit' }));
  const made = createBranches(definition([ask, exit, ...taken]), 'ask');
  t.match(made, { addedStepIds: ['askOutcome2', 'askResult2'] });
  if (typeof made === 'string') throw new Error(made);
  t.match(createBranches(made.journey, 'ask'), /has branches already/);
  t.match(createBranches(made.journey, 'done'), /type exit/);
  t.match(createBranches(made.journey, 'nobody'), /no step/);
  const many = Array.from({ length: STEPS_MAX - 1 }, (_, n) => ({ id: `e${n}`, type: 'exit' }));
  t.match(createBranches(definition([ask, ...many]), 'ask'), /more than 200/);
  const long = { ...ask, id: 'a'.repeat(64) };
  const named = createBranches(definition([long, exit]), long.id);
  t.match(named, { addedStepIds: [/^a{57}Outcome$/, /^a{58}Result$/] });
  t.end();
});

t.test('changes are told by step, and only what touches nobody is light', (t) => {
  const pause = { id: 'pause', type: 'wait', for: '1h', next: 'done' };
  const before = definition([pause, exit], { goal: { trigger: 'ordered', targetPercent: 30 } });
  const told = (steps: readonly Json[], more: Json = {}) => {
    const after = { ...before, steps, ...more } as unknown as Json;
    return journeyChanges(before, after).map(
      ({ pointer, change, stepId }) => `${change} ${pointer} ${stepId ?? '-'}`,
    );
  };
  t.same(told([pause, exit]), []);
  t.same(told([{ ...pause, for: '2h' }, exit]), ['changed /steps/0/for pause']);
  t.same(told([pause, exit, ask]), ['added /steps/2 ask']);
  t.same(told([exit]), ['removed /steps/0 pause']);
  t.same(told([{ ...pause, title: 'T' }, exit]), ['added /steps/0/title pause']);
  t.same(told([exit, pause]), ['changed /steps/0 done'], 'runs begin with another step');
  t.same(told([pause, exit], { name: 'M' }), ['changed /name -']);
  const goal = { trigger: 'ordered', targetPercent: 40 };
  t.same(told([pause, exit], { goal }), ['changed /goal/targetPercent -']);
  t.same(told([pause, exit], { reentry: { allow: 'always' } }), ['added /reentry -']);
  const isLight = (more: Json) => isLightChange(before, { ...before, ...more });
  t.ok(isLight({ name: 'M', description: 'D', goal }));
  for (const more of [
    { goal: { ...goal, trigger: 'other' } },
    { timeZone: 'Europe/Paris' },
    { steps: [pause, exit, ask] },
  ]) {
    t.notOk(isLight(JSON.parse(JSON.stringify(more)) as Json), JSON.stringify(more));
  }
  const aimless = definition([pause, exit]);
  t.notOk(isLightChange(before, aimless), 'a goal that is gone');
  t.end();
});

t.test('two definitions have no changes just when they are the same', (t) => {
  fc.assert(
    fc.property(anyJourney, anyJourney, (one, other) => {
      const [before, after] = [one, other] as unknown as Json[];
      if (before === undefined || after === undefined) return;
      const isSame = JSON.stringify(before) === JSON.stringify(after);
      if (journeyChanges(before, structuredClone(before)).length > 0) throw new Error('of itself');
      if (!isSame && journeyChanges(before, after).length === 0) throw new Error('unseen');
    }),
    { seed: 20_260_302, numRuns: 200 },
  );
  t.end();
});

t.test('a definition is read from any text, or refused with a place', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('json' as const, 'yaml' as const), (text, dialect) => {
      try {
        const written = writtenDefinition(text, dialect);
        JSON.stringify(written.value);
        written.placeOf({ path: '/steps/0', code: 'TYPE' });
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'REQUEST_INVALID') throw error;
      }
    }),
    { seed: 20_260_302, numRuns: 300 },
  );
  const yaml = 'name: N\nsteps:\n  - id: a\n    nxt: b\n';
  const written = writtenDefinition(yaml, 'yaml');
  t.same(written.placeOf({ path: '/steps/0/nxt', code: 'UNKNOWN_KEY' }), { line: 4, column: 5 });
  t.same(written.placeOf({ path: '/steps/0/nxt', code: 'TYPE' }), { line: 4, column: 10 });
  t.same(written.placeOf({ path: '/nowhere', code: 'MISSING' }), { line: 1, column: 1 });
  const tabbed = writtenDefinition('{\t"name":\t3 }', 'json');
  t.ok(tabbed.placeOf({ path: '/name', code: 'TYPE' }) === null || tabbed.value);
  t.throws(() => writtenDefinition('a: [', 'yaml'), { code: 'REQUEST_INVALID' });
  t.throws(() => writtenDefinition('a: &x [*x]', 'yaml'), { code: 'REQUEST_INVALID' });
  t.end();
});
