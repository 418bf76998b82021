/**
 * Golden logs: what a machine was told, at which time, and everything that it did, as JSON lines. Run
 * again on a virtual clock, the same machine does the same; one that does not is another version.
 */
import assert from 'node:assert/strict';
import { createActor, fromCallback, type AnyActorRef } from 'xstate';
import type { CallAttemptInput } from '../../machines/call-attempt.events.ts';
import { CALL_ATTEMPT_VERSION, callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { ContactChainInput } from '../../machines/contact-chain.events.ts';
import {
  CONTACT_CHAIN_VERSION,
  contactChainMachine,
} from '../../machines/contact-chain.machine.ts';
import type { CopilotPacerInput } from '../../machines/copilot-pacer.events.ts';
import {
  COPILOT_PACER_VERSION,
  copilotPacerMachine,
} from '../../machines/copilot-pacer.machine.ts';
import type { PacedDemand, PacedPacerInput } from '../../machines/paced-pacer.events.ts';
import {
  PREDICTIVE_PACER_VERSION,
  predictivePacerMachine,
} from '../../machines/predictive-pacer.machine.ts';
import type { PreviewOfferInput } from '../../machines/preview-offer.events.ts';
import {
  PREVIEW_OFFER_VERSION,
  previewOfferMachine,
} from '../../machines/preview-offer.machine.ts';
import type { PreviewPacerInput } from '../../machines/preview-pacer.events.ts';
import {
  PREVIEW_PACER_VERSION,
  previewPacerMachine,
} from '../../machines/preview-pacer.machine.ts';
import {
  PROGRESSIVE_PACER_VERSION,
  progressivePacerMachine,
} from '../../machines/progressive-pacer.machine.ts';
import type { RepresentativeInput } from '../../machines/representative.events.ts';
import {
  REPRESENTATIVE_VERSION,
  representativeMachine,
} from '../../machines/representative.machine.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';

export const MACHINE_VERSIONS = {
  callAttempt: CALL_ATTEMPT_VERSION,
  contactChain: CONTACT_CHAIN_VERSION,
  copilotPacer: COPILOT_PACER_VERSION,
  progressivePacer: PROGRESSIVE_PACER_VERSION,
  predictivePacer: PREDICTIVE_PACER_VERSION,
  previewPacer: PREVIEW_PACER_VERSION,
  previewOffer: PREVIEW_OFFER_VERSION,
  representative: REPRESENTATIVE_VERSION,
} as const;
export type GoldenMachine = keyof typeof MACHINE_VERSIONS;

/** Who tells the machine something: an actor that was injected into it, or its owner. */
export type Teller = 'telephony' | 'store' | 'starter' | 'desk' | 'owner';

/** Of a paced pacer: a function is no JSON, so its answers are listed; after the last, nothing. */
export type PacedScriptInput = Omit<PacedPacerInput, 'demand'> & {
  readonly demands: readonly PacedDemand[];
};

/** One thing it is told; nothing but the time passes where there is no event. */
export interface Told {
  readonly atMs: number;
  readonly by?: Teller;
  readonly event?: { readonly type: string };
}

export interface GoldenScript {
  readonly machine: GoldenMachine;
  readonly input: unknown;
  readonly told: readonly Told[];
}

interface Did {
  readonly by: Teller;
  readonly order: unknown;
}

/** Runs a script, and answers it with everything that the machine did, line by line. */
export function goldenLines({ machine, input, told }: GoldenScript): string[] {
  const run = new GoldenRun(machine, input);
  const lines: unknown[] = [{ machine, version: MACHINE_VERSIONS[machine], input }, run.look()];
  for (const one of told) {
    lines.push(...run.passUntil(one.atMs), { told: one });
    if (one.event !== undefined) run.tell(one.by ?? 'owner', one.event);
    lines.push(run.look());
  }
  return lines.filter((line) => line !== undefined).map((line) => JSON.stringify(line));
}

/** The script in a log. */
export function scriptIn(lines: readonly string[]): GoldenScript & { readonly version: number } {
  const [head, ...others] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert(head !== undefined && typeof head['version'] === 'number', 'a log without its head');
  const machine = head['machine'] as GoldenMachine;
  const told = others.flatMap((line) => ('told' in line ? [line['told'] as Told] : []));
  return { machine, version: head['version'], input: head['input'], told };
}

class GoldenRun {
  readonly #clock = new VirtualClock();
  readonly #actor: AnyActorRef;
  readonly #tellers = new Map<Teller, (event: { type: string }) => void>();
  #did: Did[] = [];
  #seen = '';

  constructor(machine: GoldenMachine, input: unknown) {
    this.#actor = this.#make(machine, input);
    this.#actor.start();
  }

  tell(by: Teller, event: { readonly type: string }): void {
    if (by === 'owner') this.#actor.send(event);
    else this.#tellers.get(by)?.(event);
  }

  /** Timer by timer, with what each led to. */
  passUntil(atMs: number): unknown[] {
    const lines: unknown[] = [];
    for (let next = this.#clock.nextDueMs; next !== undefined && next <= atMs;) {
      this.#clock.advanceTo(next);
      lines.push(this.look());
      next = this.#clock.nextDueMs;
    }
    this.#clock.advanceTo(atMs);
    return lines;
  }

  /** Undefined when nothing was done and nothing is different. */
  look(): unknown {
    const orders = this.#did;
    this.#did = [];
    const { value, output, children } = this.#actor.getSnapshot() as {
      value: unknown;
      output?: unknown;
      children: Readonly<Record<string, AnyActorRef | undefined>>;
    };
    const attempt = (children['callAttempt']?.getSnapshot() as { value?: unknown } | undefined)
      ?.value;
    const state = { value, attempt, output };
    const text = JSON.stringify(state);
    if (orders.length === 0 && text === this.#seen) return undefined;
    this.#seen = text;
    return { atMs: this.#clock.now(), ...state, did: orders };
  }

  #make(machine: GoldenMachine, input: unknown): AnyActorRef {
    const clock = this.#clock;
    const telephony = this.#witness('telephony');
    const store = this.#witness('store');
    const starter = this.#witness('starter');
    const desk = this.#witness('desk');
    const callAttempt = callAttemptMachine.provide({ actors: { telephony } });
    switch (machine) {
      case 'callAttempt':
        return createActor(callAttempt, { clock, input: input as CallAttemptInput });
      case 'contactChain': {
        const chain = contactChainMachine.provide({ actors: { callAttempt, store } });
        return createActor(chain, { clock, input: input as ContactChainInput });
      }
      case 'copilotPacer': {
        const pacer = copilotPacerMachine.provide({ actors: { starter } });
        return createActor(pacer, { clock, input: input as CopilotPacerInput });
      }
      case 'progressivePacer':
      case 'predictivePacer': {
        const pacer =
          machine === 'predictivePacer' ? predictivePacerMachine : progressivePacerMachine;
        const provided = pacer.provide({ actors: { starter } });
        return createActor(provided, { clock, input: answering(input as PacedScriptInput) });
      }
      case 'previewPacer': {
        const pacer = previewPacerMachine.provide({ actors: { starter } });
        return createActor(pacer, { clock, input: input as PreviewPacerInput });
      }
      case 'previewOffer': {
        const offer = previewOfferMachine.provide({ actors: { desk } });
        return createActor(offer, { clock, input: input as PreviewOfferInput });
      }
      case 'representative': {
        const representative = representativeMachine.provide({ actors: { desk } });
        return createActor(representative, { clock, input: input as RepresentativeInput });
      }
    }
  }

  /** Takes the orders of an injected actor down, and speaks for it; stands for any of them. */
  #witness(by: Teller): never {
    return fromCallback(({ receive, sendBack }) => {
      this.#tellers.set(by, sendBack);
      receive((order) => this.#did.push({ by, order }));
    }) as never;
  }
}

function answering({ demands, ...input }: PacedScriptInput): PacedPacerInput {
  const left = [...demands];
  return { ...input, demand: () => left.shift() ?? { starts: 0, recall: [] } };
}
