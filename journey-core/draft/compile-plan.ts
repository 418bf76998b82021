/** From blocks of items to the steps of a graph. */
import { durationText } from '../definition/duration.ts';
import type { Step } from '../definition/step.schemas.ts';
import { edges } from '../validation/step-graph.ts';
import type {
  Arm,
  Block,
  ChainItem,
  Item,
  Sending,
  SimpleStep,
  Source,
  SplitItem,
} from './draft-plan.ts';
import { targetKindOf } from './draft-plan.ts';
import { judgeAnyOf, type Way } from './judge-atom.ts';

export interface CompiledPlan {
  /** The first is where runs begin; none that cannot be reached. */
  readonly steps: readonly Step[];
  /** What nobody would come to. */
  readonly unreached: readonly Source[];
  readonly assumptions: readonly string[];
}

/** Where the text does not say how long an outcome is waited for. */
export const CONVERSATION_TIMEOUT = '1d';
export const MESSAGE_TIMEOUT = '3d';

const DONE = 'done';

export function compilePlan(root: Block): CompiledPlan {
  return new PlanCompiler().compile(root);
}

class PlanCompiler {
  readonly #steps = new Map<string, Step>();
  readonly #sources = new Map<string, Source>();
  readonly #assumptions = new Set<string>();
  readonly #unreached: Source[] = [];
  readonly #ids = new Map<string, number>();

  compile(root: Block): CompiledPlan {
    this.#steps.set(DONE, { id: DONE, type: 'exit' });
    const first = this.#block(root, DONE);
    const steps = this.#inOrder(first);
    const kept = new Set(steps.map(({ id }) => id));
    const lost = [...this.#sources].filter(([id]) => !kept.has(id)).map(([, source]) => source);
    return {
      ...{ steps, unreached: [...this.#unreached, ...lost] },
      assumptions: [...this.#assumptions],
    };
  }

  /** Depth first: what follows stands behind, as far as a list can say it. The end is last. */
  #inOrder(first: string): readonly Step[] {
    const ordered: Step[] = [];
    const seen = new Set<string>();
    const open = [first];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const step = this.#steps.get(id);
      if (step === undefined || seen.has(id)) continue;
      seen.add(id);
      ordered.push(step);
      open.push(
        ...edges(step)
          .map(({ to }) => to)
          .reverse(),
      );
    }
    const isDone = ({ id }: Step): boolean => id === DONE;
    return [...ordered.filter((step) => !isDone(step)), ...ordered.filter(isDone)];
  }

  #add(step: Step, source: Source | null): string {
    this.#steps.set(step.id, step);
    if (source !== null) this.#sources.set(step.id, source);
    return step.id;
  }

  /** An id that no sentence made: `callAnswer`, `callAnswer2`. */
  #id(base: string): string {
    const count = (this.#ids.get(base) ?? 0) + 1;
    this.#ids.set(base, count);
    return count === 1 ? base : `${base}${count}`;
  }

  /** The step that a run comes to first; `next` where the block is empty. */
  #block({ items }: Block, next: string): string {
    const at = items.findIndex(({ kind }) => kind === 'retry');
    const retry = items[at];
    if (retry?.kind === 'retry') {
      const before = { items: items.slice(0, at), parent: null };
      const to = this.#block(before, retry.target);
      const after = this.#block({ items: items.slice(at + 1), parent: null }, next);
      const { id, timesMax, source } = retry;
      return this.#add({ id, type: 'repeat', to, timesMax, next: after }, source);
    }
    return items.reduceRight((following, item) => this.#item(item, following), next);
  }

  #item(item: Item, next: string): string {
    switch (item.kind) {
      case 'step':
        return this.#simple(item.step, item.source, next);
      case 'end':
        return DONE;
      case 'await':
        return this.#waitFor(item.id, item.target, item.timeoutMs, () => next, item.source);
      case 'chain':
        return this.#chain(item, next);
      case 'split':
        return this.#split(item, next);
      case 'retry':
        return next;
    }
  }

  #simple(step: SimpleStep, source: Source, next: string): string {
    if (step.type === 'wait' && step.untilAttribute !== undefined) {
      const { untilAttribute } = step;
      this.#assumptions.add(
        `Whoever has no date in '${untilAttribute.attribute}' leaves the journey at '${step.id}'.`,
      );
      return this.#add(
        { ...step, untilAttribute: { ...untilAttribute, otherwise: DONE }, next },
        source,
      );
    }
    return this.#add({ ...step, next } as Step, source);
  }

  #waitFor(
    id: string,
    target: Sending,
    timeoutMs: number | null,
    nextOf: (way: Way) => string,
    source: Source | null,
    ways: readonly Way[] = waysOf(target, []),
  ): string {
    const isMessage = target.type === 'message';
    const given = timeoutMs === null ? null : durationText(timeoutMs);
    const after = given ?? (isMessage ? MESSAGE_TIMEOUT : CONVERSATION_TIMEOUT);
    if (given === null) {
      this.#assumptions.add(`What comes of '${target.id}' is waited for ${after} at most.`);
    }
    const on = ways.map((way) => ({
      ...{ step: target.id, is: way as 'attempted', next: nextOf(way) },
    }));
    return this.#add(
      { id, type: 'waitFor', on, timeout: { after, next: nextOf('timeout') } },
      source,
    );
  }

  #chain(chain: ChainItem, next: string): string {
    const entries = new Map<Arm | 'otherwise', string>();
    const entryOf = (arm: Arm | 'otherwise'): string => {
      const known = entries.get(arm);
      if (known !== undefined) return known;
      const block = arm === 'otherwise' ? chain.otherwise : arm.block;
      const entry = block === null ? next : this.#block(block, next);
      entries.set(arm, entry);
      return entry;
    };
    const branches = new Map<string, string>();
    const destination = (way: Way): string => this.#destination(chain, way, entryOf, branches);
    const first = this.#chainStep(chain, destination);
    for (const arm of chain.arms) if (!entries.has(arm)) this.#unreached.push(arm.source);
    if (chain.otherwise !== null && !entries.has('otherwise')) this.#unreached.push(chain.source);
    return first;
  }

  #chainStep(chain: ChainItem, destination: (way: Way) => string): string {
    const { id, target, trigger, timeoutMs, isFirst, source } = chain;
    if (trigger !== null) {
      const on = [{ trigger, next: destination('happened') }];
      const after = durationText(timeoutMs ?? 0);
      return this.#add(
        { id, type: 'waitFor', on, timeout: { after, next: destination('timeout') } },
        source,
      );
    }
    if (target === null) return destination('person');
    if (!isFirst) return destination('later');
    const ways = waysOf(target, chain.arms);
    return this.#waitFor(id, target, timeoutMs, destination, null, ways);
  }

  /** Where a way out of the wait leads: a branch that looks closer, unless it is clear already. */
  #destination(
    chain: ChainItem,
    way: Way,
    entryOf: (arm: Arm | 'otherwise') => string,
    made: Map<string, string>,
  ): string {
    const branches: { title: string; when: object; next: string }[] = [];
    let otherwise: string | null = null;
    for (const arm of chain.arms) {
      const verdict = judgeAnyOf(arm.when, way, chain.target);
      if (verdict === false) continue;
      if (verdict === true) {
        otherwise = entryOf(arm);
        break;
      }
      branches.push({ title: titleOf(arm), when: verdict, next: entryOf(arm) });
    }
    otherwise ??= entryOf('otherwise');
    if (branches.length === 0) return otherwise;
    const key = JSON.stringify([branches, otherwise]);
    const known = made.get(key);
    if (known !== undefined) return known;
    const base = chain.target === null ? chain.id : `${chain.target.id}Answer`;
    const id = this.#id(chain.target === null || !chain.isFirst ? chain.id : base);
    this.#add({ id, type: 'branch', branches, otherwise } as Step, null);
    made.set(key, id);
    return id;
  }

  #split(split: SplitItem, next: string): string {
    const { id, by, arms, source } = split;
    const rest = split.otherwise === null ? next : this.#block(split.otherwise, next);
    const entries = arms.map(({ block }) => this.#block(block, next));
    if (by === 'abTest' || by === 'bestChannel') {
      const names = arms.map(({ block }, index) => variantName(block, index));
      const variants = entries.map((entry, index) => ({
        ...{ id: names[index] ?? `way${index + 1}`, next: entry },
      }));
      if (by === 'bestChannel') return this.#add({ id, type: 'bestChannel', variants }, source);
      const share = Math.floor(10_000 / variants.length) / 100;
      const shared = variants.map((variant, index) => ({
        ...variant,
        percent: index === 0 ? rounded(100 - share * (variants.length - 1)) : share,
      }));
      return this.#add({ id, type: 'abTest', variants: shared }, source);
    }
    if (by === 'number') {
      const branches = arms.map(({ share }, index) => ({
        ...{ count: share ?? 1, next: entries[index] ?? next },
      }));
      return this.#add({ id, type: 'split', by, branches, otherwise: rest }, source);
    }
    const left = rounded(100 - arms.reduce((sum, { share }) => sum + (share ?? 0), 0));
    const branches = [
      ...arms.map(({ share }, index) => ({ percent: share ?? 0, next: entries[index] ?? next })),
      ...(left > 0 ? [{ percent: left, next: rest }] : []),
    ];
    if (left > 0 && split.otherwise === null) {
      this.#assumptions.add(`Nothing is said of ${left} %: they go on with what is for everybody.`);
    }
    return this.#add({ id, type: 'split', by, branches }, source);
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}

/** `call`, `email`: the first step of the way. */
function variantName({ items: [first] }: Block, index: number): string {
  return first?.kind === 'step' ? first.step.id : `way${index + 1}`;
}

/** The ways out that are listened for: of a conversation all, of a message those that are asked about. */
function waysOf(target: Sending, arms: readonly Arm[]): readonly Way[] {
  if (targetKindOf(target) === 'conversation') return ['attempted', 'notAttempted', 'blocked'];
  const asked = new Set<string>(
    arms.flatMap(({ when }) =>
      when.flat().flatMap((atom) => (atom.kind === 'outcome' ? [atom.outcome] : [])),
    ),
  );
  const heard = (name: string): boolean =>
    asked.has(name) || asked.has(`not${name.charAt(0).toUpperCase()}${name.slice(1)}`);
  const interactions = (['clicked', 'replied', 'opened'] as const).filter(heard);
  const failures = (['notSent', 'blocked'] as const).filter((name) => asked.has(name));
  return [
    ...(interactions.length + failures.length === 0 ? (['opened'] as const) : interactions),
    ...failures,
  ];
}

function titleOf({ when }: Arm): string {
  const words = when.map((all) =>
    all
      .map((atom) => {
        if (atom.kind === 'outcome') return WORDS[atom.outcome] ?? atom.outcome;
        const { test } = atom;
        if ('segment' in test) return `${test.operator} ${test.segment}`;
        const value = test.value === undefined ? '' : ` ${JSON.stringify(test.value)}`;
        return `${test.attribute} ${test.operator}${value}`;
      })
      .join(' and '),
  );
  return words.join(' or ').slice(0, 100);
}

const WORDS: Readonly<Record<string, string>> = {
  ...{ notReached: 'not reached', machine: 'answering machine', notAttempted: 'not called' },
};
