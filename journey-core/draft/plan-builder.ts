/** Puts what the sentences say one after another, into branches, and beside each other. */
import type { Refused } from './attribute-phrases.ts';
import {
  aboutOf,
  targetKindOf,
  type AnyOf,
  type Block,
  type ChainItem,
  type Item,
  type RetryItem,
  type Sending,
  type SimpleStep,
  type Source,
  type SplitItem,
  type TargetKind,
} from './draft-plan.ts';
import type { NewStep } from './read-action.ts';
import { conversationAround, lastSending, ofKinds } from './sent-in-plan.ts';
import type { Share } from './share-phrases.ts';
import { REPEATS_MAX } from '../definition/step.schemas.ts';

export class PlanBuilder {
  readonly root: Block = { items: [], parent: null };
  /** Where the next item goes. */
  #current: Block = this.root;
  /** Chains that further branches may still be added to, the outermost first. */
  #open: ChainItem[] = [];
  readonly #ids = new Set<string>(['done', 'entry', 'contact', 'trigger']);
  readonly #awaited = new Set<string>();

  get isEmpty(): boolean {
    return this.root.items.length === 0;
  }

  /** A sentence without a condition is for everybody. */
  toEverybody(): void {
    this.#current = this.root;
  }

  /** Back to where the last condition led; false: there was none. */
  toLastBranch(): boolean {
    const chain = this.#open.at(-1);
    const block = chain?.otherwise ?? chain?.arms.at(-1)?.block;
    if (block === undefined) return false;
    this.#current = block;
    return true;
  }

  id(base: string): string {
    let id = base;
    for (let n = 2; this.#ids.has(id); n += 1) id = `${base}${n}`;
    this.#ids.add(id);
    return id;
  }

  /** The step with its id, or why nothing can follow here. */
  step(name: string, step: NewStep, source: Source): SimpleStep | Refused {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const id = this.id(name);
    const made = named({ ...step, id } as SimpleStep);
    this.#push({ kind: 'step', step: made, source });
    return made;
  }

  end(source: Source): Refused | null {
    const refused = this.#refusal();
    if (refused === null) this.#push({ kind: 'end', source });
    return refused;
  }

  await(timeoutMs: number | null, source: Source): Refused | null {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const target = lastSending(this.#current, null) ?? lastSending(this.root, null);
    if (target === null) return { refused: 'nothing that could have an outcome comes before it' };
    this.#push({ kind: 'await', id: this.id(`${target.id}Outcome`), target, timeoutMs, source });
    return null;
  }

  /** The conversation that was asked for last, wherever that is. */
  lastConversation(): Extract<Sending, { type: 'voice' | 'sms' }> | null {
    const found =
      lastSending(this.#current, 'conversation') ?? lastSending(this.root, 'conversation');
    return found === null || found.type === 'message' ? null : found;
  }

  /** Begins a branch, and goes into it. */
  branch(when: AnyOf, options: BranchOptions, source: Source): Refused | null {
    const abouts = when.flat().map(aboutOf);
    const kinds = abouts.reduce<readonly TargetKind[] | null>(both, null);
    if (kinds?.length === 0) return { refused: 'it asks about a call and a message at once' };
    const chain =
      kinds === null ? this.#personChain(source) : this.#chainAbout(kinds, when, options, source);
    if (chain === null) return null;
    if ('refused' in chain) return chain;
    if (options.withinMs !== null) chain.timeoutMs = options.withinMs;
    this.#addArm(chain, when, source);
    return null;
  }

  /** Waits for a trigger, and goes into the branch of those for whom it came in time. */
  triggerBranch(trigger: string, timeoutMs: number, source: Source): Refused | null {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const chain = this.#chain(
      { target: null, trigger, isFirst: true, timeoutMs },
      'awaitTrigger',
      source,
    );
    this.#addArm(chain, [[{ kind: 'outcome', outcome: 'happened' }]], source);
    return null;
  }

  otherwise(source: Source): Refused | null {
    const item = this.root.items.at(-1);
    if (item?.kind === 'split' && this.#open.length === 0) {
      return this.splitArm({ by: 'rest' }, source);
    }
    for (let chain = this.#open.pop(); chain !== undefined; chain = this.#open.pop()) {
      if (chain.otherwise !== null) continue;
      chain.otherwise = { items: [], parent: chain };
      this.#open.push(chain);
      this.#current = chain.otherwise;
      return null;
    }
    return { refused: 'no condition that was understood comes before it' };
  }

  splitArm(share: Share, source: Source): Refused | null {
    const last = this.root.items.at(-1);
    const open = last?.kind === 'split' && last.otherwise === null ? last : null;
    if (share.by === 'rest') {
      if (open === null) return { refused: 'no share of people comes before it' };
      return this.#intoSplit(open, null);
    }
    if (open !== null && open.by !== share.by) {
      return { refused: 'shares are either percentages or numbers of people' };
    }
    if (share.share <= 0) return { refused: 'a share is more than nothing' };
    if (open === null) {
      this.toEverybody();
      const refused = this.#refusal();
      if (refused !== null) return refused;
    }
    const split = open ?? this.#split(share.by, source);
    const sum = split.arms.reduce((total, arm) => total + (arm.share ?? 0), share.share);
    if (split.by === 'percent' && sum > 100) return { refused: `the shares make ${sum} %` };
    return this.#intoSplit(split, share.share);
  }

  /** Variants that are compared: each is entered in turn. */
  variants(by: 'abTest' | 'bestChannel', source: Source): SplitItem | Refused {
    return this.#refusal() ?? this.#split(by, source);
  }

  variant(split: SplitItem): void {
    this.#intoSplit(split, 0);
  }

  /**
   * Calls again. In a branch about the call: back to it, after what the branch has done so far. Else the
   * branch of those who were not reached is made for it.
   */
  retry(timesMax: number, waits: readonly NewStep[], source: Source): Refused | null {
    const refused = this.#refusal();
    if (refused !== null) return refused;
    if (timesMax < 1 || timesMax > REPEATS_MAX) {
      return { refused: `a step is repeated 1 to ${REPEATS_MAX} times` };
    }
    let target = conversationAround(this.#current);
    if (target === null) {
      const call = this.lastConversation();
      if (call === null) return { refused: 'nobody was called before it' };
      const when: AnyOf = [[{ kind: 'outcome', outcome: 'notReached' }]];
      const made = this.branch(when, { isNested: false, withinMs: null }, source);
      if (made !== null) return made;
      target = conversationAround(this.#current);
    }
    if (target === null) return { refused: 'nobody was called before it' };
    for (const wait of waits) this.step('wait', wait, source);
    this.#push({
      kind: 'retry',
      id: this.id('again'),
      target: target.id,
      timesMax,
      source,
    } as RetryItem);
    return null;
  }

  /** Whether calling again leads back to a call, and is no second call of its own. */
  get isInCallBranch(): boolean {
    return conversationAround(this.#current) !== null;
  }

  #refusal(): Refused | null {
    return this.#current.items.at(-1)?.kind === 'end'
      ? { refused: 'it comes after the end of the journey' }
      : null;
  }

  #push(item: Item): void {
    if (this.#current === this.root) this.#open = [];
    this.#current.items.push(item);
  }

  #chain(
    {
      target,
      trigger,
      isFirst,
      timeoutMs,
    }: Pick<ChainItem, 'target' | 'trigger' | 'isFirst' | 'timeoutMs'>,
    name: string,
    source: Source,
  ): ChainItem {
    const item: ChainItem = {
      ...{ kind: 'chain', id: this.id(name), target, trigger, isFirst, timeoutMs },
      ...{ arms: [], otherwise: null, home: this.#current, source },
    };
    this.#push(item);
    this.#open.push(item);
    return item;
  }

  #addArm(chain: ChainItem, when: AnyOf, source: Source): void {
    const block: Block = { items: [], parent: chain };
    chain.arms.push({ when, block, source });
    this.#current = block;
  }

  /** People are asked about together, and apart from what came of a call. */
  #personChain(source: Source): ChainItem | Refused {
    const open = this.#open.at(-1);
    if (open?.target === null && open.trigger === null && open.otherwise === null) return open;
    this.toEverybodyUnlessInside();
    return (
      this.#refusal() ??
      this.#chain({ target: null, trigger: null, isFirst: true, timeoutMs: null }, 'who', source)
    );
  }

  /** Stays where it is when a sentence is inside a branch already. */
  toEverybodyUnlessInside(): void {
    if (this.#current === this.root) return;
    if (this.#open.some((chain) => isOwn(chain, this.#current))) return;
    this.#current = this.root;
  }

  /** Null: the branch is gone into already. */
  #chainAbout(
    kinds: readonly TargetKind[],
    when: AnyOf,
    { isNested }: BranchOptions,
    source: Source,
  ): ChainItem | Refused | null {
    if (!isNested) {
      const at = this.#open.findLastIndex(
        ({ target, otherwise }) =>
          otherwise === null && target !== null && kinds.includes(targetKindOf(target)),
      );
      const open = this.#open[at];
      const same = open?.arms.find(
        (arm) => arm.block.items.at(-1)?.kind === 'retry' && isSame(arm.when, when),
      );
      if (same !== undefined) {
        // What is to be done once calling again has not helped either.
        this.#open.length = at + 1;
        this.#current = same.block;
        return null;
      }
      // `if they reply` behind a message in a branch is about that message.
      const newer = at >= 0 && kinds.length > 1 ? this.#newestIn(this.#open.at(-1), kinds) : null;
      if (open !== undefined && newer === null) {
        this.#open.length = at + 1;
        return open;
      }
    }
    const inside = this.#newestIn(this.#open.at(-1), kinds);
    if (inside !== null) {
      this.#current = inside.block;
      return this.#refusal() ?? this.#about(inside.target, source);
    }
    if (isNested && this.toLastBranch()) {
      const isUnreached = when
        .flat()
        .every((atom) => atom.kind === 'outcome' && atom.outcome === 'notReached');
      if (isUnreached && this.#current.items.at(-1)?.kind === 'retry') return null;
    }
    if (this.#current !== this.root) this.toEverybody();
    const target = ofKinds(this.root, kinds);
    if (target === null) {
      const what = kinds.includes('conversation') ? 'called' : 'sent';
      return { refused: `it asks what came of something, and nobody was ${what} before it` };
    }
    const inSplit = this.#splitBlockOf(target);
    if (inSplit !== null) this.#current = inSplit;
    return this.#refusal() ?? this.#about(target, source);
  }

  /** Of the last item, where that is a split: the share that has the target. */
  #splitBlockOf(target: Sending): Block | null {
    const last = this.root.items.at(-1);
    if (last?.kind !== 'split') return null;
    const blocks = [
      ...last.arms.map(({ block }) => block),
      ...(last.otherwise === null ? [] : [last.otherwise]),
    ];
    return blocks.find((block) => ofKinds(block, [targetKindOf(target)]) === target) ?? null;
  }

  #newestIn(
    chain: ChainItem | undefined,
    kinds: readonly TargetKind[],
  ): { readonly block: Block; readonly target: Sending } | null {
    const block = chain?.otherwise ?? chain?.arms.at(-1)?.block;
    if (block === undefined) return null;
    const target = ofKinds(block, kinds);
    return target === null ? null : { block, target };
  }

  #about(target: Sending, source: Source): ChainItem {
    const last = this.#current.items.at(-1);
    const isAwait = last?.kind === 'await' && last.target.id === target.id;
    const timeoutMs = isAwait ? last.timeoutMs : null;
    if (isAwait) this.#current.items.pop();
    const isFirst = target.type === 'message' || !this.#awaited.has(target.id);
    this.#awaited.add(target.id);
    if (this.#current === this.root) this.#open = [];
    const name = isAwait ? last.id.replace(/Outcome\d*$/, 'Outcome') : `${target.id}Outcome`;
    if (isAwait) this.#ids.delete(last.id);
    return this.#chain({ target, trigger: null, isFirst, timeoutMs }, name, source);
  }

  #split(by: SplitItem['by'], source: Source): SplitItem {
    const item: SplitItem = {
      ...{
        kind: 'split',
        id: this.id('split'),
        by,
        arms: [],
        otherwise: null,
        home: this.#current,
        source,
      },
    };
    this.#push(item);
    return item;
  }

  #intoSplit(split: SplitItem, share: number | null): null {
    const block: Block = { items: [], parent: split };
    if (share === null) split.otherwise = block;
    else split.arms.push({ share, block });
    this.#open = [];
    this.#current = block;
    return null;
  }
}

/** What nothing was said of gets a name that says so. */
function named(step: SimpleStep): SimpleStep {
  const { id } = step;
  const named = { ...step };
  if ('engagement' in named && named.engagement === '') {
    named.engagement = named.type === 'voice' ? 'engagementToChoose' : 'textEngagementToChoose';
  }
  if ('message' in named && named.message === '') named.message = `${id}ToWrite`;
  return named;
}

export interface BranchOptions {
  readonly isNested: boolean;
  readonly withinMs: number | null;
}

function both(
  a: readonly TargetKind[] | null,
  b: readonly TargetKind[] | null,
): readonly TargetKind[] | null {
  if (a === null || b === null) return a ?? b;
  return a.filter((kind) => b.includes(kind));
}

function isSame(a: AnyOf, b: AnyOf): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isOwn(chain: ChainItem, block: Block): boolean {
  return chain.otherwise === block || chain.arms.some((arm) => arm.block === block);
}
