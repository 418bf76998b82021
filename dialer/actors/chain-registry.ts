/**
 * Every chain in work, each a root actor of its own: one parent over thousands of children costs
 * more per spawn than a call costs. Knows which attempts are open here, and what becomes of a chain
 * that throws.
 */
import assert from 'node:assert/strict';
import type { ChainStart, ContactChainOutput } from '../../machines/contact-chain.events.ts';
import type {
  DialerAgentVerdict,
  DialerCancel,
  DialerConnectLobby,
  DialerRecall,
  DialerTransfer,
} from '../../machines/call-attempt.events.ts';
import type { OpenAttempt } from './attempt-journal.ts';
import type { ChainActor, MakeChain } from './start-attempt.ts';

export interface Chain {
  readonly taskId: string;
  readonly businessUnitId: string;
  readonly engagementId: string;
  /** Whose channel it holds. */
  readonly trunk: string;
}

export interface LiveChain extends Chain {
  readonly actor: ChainActor;
  /** The attempt that is open, if one is: between two numbers there is none. */
  attemptId: string | null;
}

export interface ChainRegistryOptions {
  readonly makeChain: MakeChain;
  readonly storeRetryMs: number;
  readonly onLeft: (chain: Chain, left: ContactChainOutput['left']) => void;
  /** The chain threw, or met a defect: its actor is gone. */
  readonly onBroken: (chain: LiveChain, error: unknown) => void;
}

/** Attempts remembered after their end: more than end within the 10 s in which a result is taken. */
const CLOSED_MAX = 4_096;

export class ChainRegistry {
  readonly #options: ChainRegistryOptions;
  readonly #chains = new Map<string, LiveChain>();
  readonly #open = new Map<
    string,
    { readonly live: LiveChain; readonly fence: number; readonly gatewayId: string }
  >();
  /** Ended of late, oldest first: what an AI agent returns may come after the recorded end. */
  readonly #closed = new Map<string, OpenAttempt>();
  #idle: (() => void)[] = [];

  constructor(options: ChainRegistryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#chains.size;
  }

  get(taskId: string): LiveChain | undefined {
    return this.#chains.get(taskId);
  }

  /** The tenant and fence of an attempt that is open here. */
  openAttempt(attemptId: string): OpenAttempt | undefined {
    const open = this.#open.get(attemptId);
    return open && { businessUnitId: open.live.businessUnitId, fence: open.fence };
  }

  /** The chain that works an attempt which is open here. */
  chainOf(attemptId: string): Chain | undefined {
    return this.#open.get(attemptId)?.live;
  }

  /** The same, and the gateway that has the call. */
  callOf(attemptId: string): (Chain & { readonly gatewayId: string }) | undefined {
    const open = this.#open.get(attemptId);
    return open && { ...open.live, gatewayId: open.gatewayId };
  }

  /** The same for one whose end has been recorded, while it is remembered. */
  closedAttempt(attemptId: string): OpenAttempt | undefined {
    return this.#closed.get(attemptId);
  }

  /** Begins with a start that is on disk. A task is worked by one chain at a time. */
  start(chain: Chain, start: ChainStart): void {
    const { taskId } = chain;
    assert(!this.#chains.has(taskId), `task ${taskId} is in work already`);
    const { makeChain, storeRetryMs, onLeft } = this.#options;
    const actor = makeChain({ taskId, start, storeRetryMs });
    const live: LiveChain = { ...chain, actor, attemptId: null };
    this.#chains.set(taskId, live);
    this.attemptOpened(taskId, start);
    actor.subscribe({
      complete: () => {
        const { output } = actor.getSnapshot();
        this.#remove(live);
        onLeft(chain, output?.left ?? 'notClaimed');
      },
      error: (error) => this.#broke(live, error),
    });
    actor.start();
  }

  /** From now on its events are taken down; the chain that goes on has said so before it dials. */
  attemptOpened(taskId: string, { attempt }: ChainStart): void {
    const live = this.#chains.get(taskId);
    if (live === undefined) return;
    live.attemptId = attempt.attemptId;
    const { fence, dial } = attempt;
    this.#open.set(attempt.attemptId, { live, fence, gatewayId: dial.gatewayId });
  }

  attemptClosed(attemptId: string): void {
    const open = this.#open.get(attemptId);
    if (open !== undefined) this.#remember(attemptId, open.live, open.fence);
    this.#open.delete(attemptId);
    if (open?.live.attemptId === attemptId) open.live.attemptId = null;
  }

  /** False when the task is not in work here. */
  cancel(taskId: string, reason: DialerCancel['reason']): boolean {
    const live = this.#chains.get(taskId);
    live?.actor.send({ type: 'chain.cancel', reason });
    return live !== undefined;
  }

  /** A representative is there for this call, is lost, or passes it on. False: it is not open here. */
  tellAttempt(
    attemptId: string,
    order: DialerAgentVerdict | DialerConnectLobby | DialerRecall | DialerTransfer,
  ): boolean {
    const open = this.#open.get(attemptId);
    open?.live.actor.send({ type: 'chain.tell', attemptId, order });
    return open !== undefined;
  }

  cancelAll(reason: DialerCancel['reason']): void {
    for (const taskId of [...this.#chains.keys()]) this.cancel(taskId, reason);
  }

  /** A defect was met while working for this chain: it ends as if it had thrown. */
  breakOff(taskId: string, error: unknown): void {
    const live = this.#chains.get(taskId);
    if (live === undefined) return;
    live.actor.stop();
    this.#broke(live, error);
  }

  /** Lets go of every chain without a word to anybody: another process owns the tasks now. */
  abandonAll(): void {
    for (const live of [...this.#chains.values()]) {
      live.actor.stop();
      this.#remove(live);
    }
  }

  /** Resolves when no chain is in work. */
  idle(): Promise<void> {
    if (this.#chains.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #remember(attemptId: string, { businessUnitId }: Chain, fence: number): void {
    this.#closed.set(attemptId, { businessUnitId, fence });
    const [oldest] = this.#closed.keys();
    if (this.#closed.size > CLOSED_MAX && oldest !== undefined) this.#closed.delete(oldest);
  }

  #broke(live: LiveChain, error: unknown): void {
    if (this.#chains.get(live.taskId) !== live) return;
    this.#remove(live);
    this.#options.onBroken(live, error);
  }

  #remove(live: LiveChain): void {
    if (this.#chains.get(live.taskId) !== live) return;
    this.#chains.delete(live.taskId);
    if (live.attemptId !== null) this.#open.delete(live.attemptId);
    if (this.#chains.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
