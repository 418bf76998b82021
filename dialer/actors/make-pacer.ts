/** The pacer machine of an engagement's mode, with the claims that it asks for. */
import { createActor, fromCallback } from 'xstate';
import type { CopilotPacerEvent, PacerOrder } from '../../machines/copilot-pacer.events.ts';
import { copilotPacerMachine } from '../../machines/copilot-pacer.machine.ts';
import type {
  PacedDemand,
  PacedOrder,
  PacedPacerEvent,
} from '../../machines/paced-pacer.events.ts';
import { predictivePacerMachine } from '../../machines/predictive-pacer.machine.ts';
import type { PreviewOrder, PreviewPacerEvent } from '../../machines/preview-pacer.events.ts';
import { previewPacerMachine } from '../../machines/preview-pacer.machine.ts';
import { progressivePacerMachine } from '../../machines/progressive-pacer.machine.ts';
import type { DialerClock } from '../clock.ts';
import { suspensionOf, type EngagementFacts } from '../engagements/engagement-facts.ts';
import { inFlightMaxOf } from '../engagements/in-flight-max.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { DialerLimits } from './dialer-parts.ts';

export interface Claimed {
  readonly started: number;
  readonly moreReady: boolean;
}

export interface PacerParts {
  readonly facts: EngagementFacts;
  /** Chains of it that are in work already. */
  readonly live: number;
  readonly isOpen: boolean;
  readonly clock: DialerClock;
  readonly limits: DialerLimits;
  /** Of the modes that are paced by representatives. */
  readonly demand: (() => PacedDemand) | undefined;
  readonly work: WorkInHand;
  readonly claim: (starts: number) => Promise<Claimed>;
  readonly recall: (attempts: readonly string[]) => void;
  /** Of preview: contacts for so many representatives; the answer is how many left the list. */
  readonly offer: ((representatives: number) => Promise<number>) | undefined;
  readonly askForShare: () => void;
  readonly onFailure: (error: unknown) => void;
}

export interface Pacer {
  start(): void;
  /** What its mode does not know changes nothing. */
  send(event: CopilotPacerEvent | PacedPacerEvent | PreviewPacerEvent): void;
  readonly isSuspended: boolean;
}

/** Without any news a paced engagement asks this often (notes on pacing: at least four times a second). */
const TICK_MS = 250;

export function makePacer(parts: PacerParts): Pacer {
  const { facts, demand, clock, limits, live } = parts;
  const common = commonInput(parts);
  if (parts.offer !== undefined) return makePreviewPacer(parts, parts.offer);
  if (demand === undefined) {
    const starter = makeStarter<PacerOrder>(parts);
    const maxConcurrentCalls = inFlightMaxOf(facts.config.mode);
    const idleRecheckMs = limits.recheckMs;
    return handleOf(
      createActor(copilotPacerMachine.provide({ actors: { starter } }), {
        clock,
        input: { ...common, maxConcurrentCalls, inFlight: live, idleRecheckMs },
      }),
    );
  }
  const starter = makeStarter<PacedOrder>(parts);
  const machine =
    facts.config.mode.kind === 'predictive' ? predictivePacerMachine : progressivePacerMachine;
  return handleOf(
    createActor(machine.provide({ actors: { starter } }), {
      clock,
      input: { ...common, demand, tickMs: TICK_MS, emptyRestMs: limits.recheckMs },
    }),
  );
}

/** What the machines of all modes are told at their start. */
function commonInput({ facts, limits, isOpen }: PacerParts) {
  return {
    engagementId: facts.engagement.id,
    claimSizeMax: limits.claimSizeMax,
    suspended: suspensionOf(facts),
    isOpen,
    storeRetryMs: limits.storeRetryMs,
  };
}

/** An actor of whichever mode; events that its machine does not know change nothing. */
interface PacerActor<T> {
  start(): unknown;
  send(event: T): void;
  getSnapshot(): { readonly context: { readonly suspension: object | null } };
}

function handleOf<T extends Parameters<Pacer['send']>[0]>(actor: PacerActor<T>): Pacer {
  return {
    start: () => void actor.start(),
    send: (event) => actor.send(event as T),
    get isSuspended() {
      return actor.getSnapshot().context.suspension !== null;
    },
  };
}

function makePreviewPacer(
  parts: PacerParts,
  offer: (representatives: number) => Promise<number>,
): Pacer {
  const { clock, work, askForShare, onFailure } = parts;
  const starter = fromCallback<PreviewOrder, { engagementId: string }>(({ receive, sendBack }) => {
    receive((order) => {
      if (order.type === 'pacer.askForShare') {
        askForShare();
        return;
      }
      work.run(async () => {
        try {
          sendBack({ type: 'starter.offered', made: await offer(order.representatives) });
        } catch (error) {
          onFailure(error);
          sendBack({ type: 'starter.failed', detail: String(error) });
        }
      });
    });
  });
  const machine = previewPacerMachine.provide({ actors: { starter } });
  return handleOf(createActor(machine, { clock, input: commonInput(parts) }));
}

/** Of a machine that may ask for less than all of this. */
function makeStarter<T extends PacedOrder>({ work, claim, recall, onFailure }: PacerParts) {
  return fromCallback<T, { engagementId: string }>(({ receive, sendBack }) => {
    receive((order) => {
      if (order.type === 'pacer.recall') {
        recall(order.attempts);
        return;
      }
      work.run(async () => {
        try {
          sendBack({ type: 'starter.claimed', ...(await claim(order.starts)) });
        } catch (error) {
          onFailure(error);
          sendBack({ type: 'starter.failed', detail: String(error) });
        }
      });
    });
  });
}
