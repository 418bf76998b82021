/**
 * A journey tried on one person in virtual time: what is sent ends as the plan says, waits take no
 * time, nothing leaves. The same interpreter and the same decisions as in earnest; the answer is
 * the path with every verdict. Pure: the same journey, person, plan and start give the same path.
 */
import { durationMs } from '../definition/duration.ts';
import type { Journey } from '../definition/journey.schema.ts';
import { admit, type Refusal } from '../entry/admit.ts';
import { advance } from '../interpreter/advance.ts';
import type { JourneyEffect, SendMessage, StartConversation } from '../interpreter/effects.ts';
import type { JourneyEvent } from '../interpreter/events.ts';
import { newRun, type JourneyRun, type RunExit } from '../interpreter/run.ts';
import { decideSend, type SendDecision } from '../sending/decide-send.ts';
import { assetIndex } from '../validation/asset-index.ts';
import { instantMs } from '../definition/instant.ts';
import { PersonState } from './simulated-person.ts';
import type {
  PlannedEvent,
  PlannedOutcome,
  SimulatedPerson,
  SimulationPlan,
} from './simulation-inputs.schema.ts';

/** One thing that happened, at a virtual moment. */
export type Happening = { readonly atMs: number } & (
  | { readonly what: 'effect'; readonly effect: JourneyEffect }
  /** What the checks before sending said: once, and again when a hold ended. */
  | { readonly what: 'decision'; readonly key: string; readonly decision: SendDecision }
  /** The plan has no outcome for what was sent. */
  | { readonly what: 'unanswered'; readonly key: string }
  | { readonly what: 'planned'; readonly event: PlannedEvent }
);

export interface Simulation {
  readonly startedAtMs: number;
  /** Null: the person entered. */
  readonly refusal: Refusal | null;
  readonly happenings: readonly Happening[];
  readonly run: JourneyRun;
  /** Null: not entered, or it would wait for ever for something that a service brings. */
  readonly exit: RunExit | null;
}

type Sending = StartConversation | SendMessage;

type Due =
  | { readonly kind: 'event'; readonly event: JourneyEvent; readonly ofKey?: string }
  | { readonly kind: 'release'; readonly sending: Sending }
  | { readonly kind: 'planned'; readonly planned: PlannedEvent; readonly index: number };

const OUTCOME_AFTER_MS = 60_000;
/** Far more than a run of the longest journey takes. */
const DUE_MAX = 100_000;

export function simulateJourney(
  journey: Journey,
  person: SimulatedPerson,
  plan: SimulationPlan,
  nowMs: number,
): Simulation {
  const { startAt, runId = 'run-1' } = plan;
  const startedAtMs =
    startAt === undefined ? nowMs : (instantMs(startAt, journey.timeZone) ?? nowMs);
  const ids = { journeyId: journey.name, version: 1, personId: person.id ?? 'person-1' };
  const run = newRun({ runId, ...ids });
  const state = new PersonState(person, plan, journey.timeZone);
  const refusal = refusalOf(journey, person, plan, state, startedAtMs);
  if (refusal !== null) return { startedAtMs, refusal, happenings: [], run, exit: null };
  return new Trial(journey, plan, state, run, startedAtMs).play();
}

function refusalOf(
  { entry, ...rest }: Journey,
  { lastEnteredAt }: SimulatedPerson,
  plan: SimulationPlan,
  state: PersonState,
  nowMs: number,
): Refusal | null {
  const by =
    entry.kind === 'trigger'
      ? { trigger: entry.trigger, attributes: plan.entry ?? {} }
      : { segment: entry.segment };
  const last = lastEnteredAt === undefined ? null : (instantMs(lastEnteredAt, rest.timeZone) ?? 0);
  const request = { by, facts: state.facts, isInside: false, lastEnteredAtMs: last };
  const admission = admit({ entry, ...rest }, request, nowMs);
  return admission.admit ? null : admission.reason;
}

class Trial {
  readonly #journey: Journey;
  readonly #plan: SimulationPlan;
  readonly #person: PersonState;
  readonly #startedAtMs: number;
  readonly #happenings: Happening[] = [];
  /** Ordered by time, then by when it was put in. */
  #due: { readonly atMs: number; readonly due: Due }[] = [];
  readonly #answered = new Set<string>();
  #run: JourneyRun;
  #nowMs: number;

  constructor(
    journey: Journey,
    plan: SimulationPlan,
    person: PersonState,
    run: JourneyRun,
    startedAtMs: number,
  ) {
    this.#journey = journey;
    this.#plan = plan;
    this.#person = person;
    this.#run = run;
    this.#startedAtMs = startedAtMs;
    this.#nowMs = startedAtMs;
  }

  play(): Simulation {
    for (const [index, planned] of (this.#plan.events ?? []).entries()) {
      const atMs = this.#startedAtMs + (durationMs(planned.after) ?? 0);
      this.#put(atMs, { kind: 'planned', planned, index });
    }
    this.#tell({ type: 'enter', attributes: this.#plan.entry ?? {} });
    for (let count = 0; count < DUE_MAX; count += 1) {
      const next = this.#due.shift();
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#meet(next.due);
    }
    return {
      startedAtMs: this.#startedAtMs,
      refusal: null,
      happenings: this.#happenings,
      run: this.#run,
      exit: this.#run.exit,
    };
  }

  #put(atMs: number, due: Due): void {
    const index = this.#due.findIndex((item) => item.atMs > atMs);
    this.#due.splice(index < 0 ? this.#due.length : index, 0, { atMs, due });
  }

  #meet(due: Due): void {
    switch (due.kind) {
      case 'event':
        this.#tell(due.event);
        return;
      case 'release':
        this.#send(due.sending);
        return;
      case 'planned':
        if (this.#run.status === 'exited') return;
        this.#happenings.push({ atMs: this.#nowMs, what: 'planned', event: due.planned });
        this.#happen(due.planned, `planned-${due.index}`);
    }
  }

  #happen(planned: PlannedEvent, id: string): void {
    if ('trigger' in planned) {
      const { trigger, attributes = {} } = planned;
      this.#tell({ type: 'trigger', id, trigger, attributes });
    } else if ('joins' in planned) {
      this.#person.join(planned.joins);
      this.#tell({ type: 'segmentJoined', id, segment: planned.joins });
    } else if ('leaves' in planned) this.#person.leave(planned.leaves);
    else if ('consent' in planned) this.#person.consent(planned.consent, this.#nowMs);
    else if ('stop' in planned) this.#tell({ type: 'stop' });
    else this.#person.change(planned.attributes ?? {});
  }

  #tell(event: JourneyEvent): void {
    const told = advance(this.#journey, this.#run, event, this.#nowMs);
    this.#run = told.run;
    for (const effect of told.effects) {
      this.#happenings.push({ atMs: this.#nowMs, what: 'effect', effect });
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: JourneyEffect): void {
    const event = (told: JourneyEvent, atMs = this.#nowMs): void =>
      this.#put(atMs, { kind: 'event', event: told });
    switch (effect.type) {
      case 'startConversation':
      case 'sendMessage':
        this.#send(effect);
        return;
      case 'cancelSending':
        this.#cancel(effect.key);
        return;
      case 'setTimer':
        event({ type: 'timerDue', timerId: effect.timerId }, effect.dueAtMs);
        return;
      case 'readFacts':
        event({ type: 'facts', facts: this.#person.facts });
        return;
      case 'takeNumber': {
        const { key, stepId } = effect;
        event({ type: 'numberTaken', key, number: this.#plan.numbers?.[stepId] ?? 1 });
        return;
      }
      default: // Records, activities and triggers of others are told, and change nothing here.
    }
  }

  /** Checked right before it leaves, and again when a hold ends. */
  #send(sending: Sending): void {
    const { key } = sending;
    if (this.#answered.has(key)) return;
    const { assets = {}, timeZone } = this.#journey;
    const context = { assets, timeZone, recipient: this.#person.recipient };
    const decision = decideSend(sending, context, this.#nowMs);
    this.#happenings.push({ atMs: this.#nowMs, what: 'decision', key, decision });
    switch (decision.decide) {
      case 'hold':
        this.#put(decision.untilMs, { kind: 'release', sending });
        return;
      case 'block':
        this.#answer(sending.type, key, decision.reason);
        return;
      case 'send':
        this.#count(sending, decision.contactPointIds);
        this.#planOutcomes(sending);
    }
  }

  #answer(type: Sending['type'], key: string, reason: string): void {
    this.#answered.add(key);
    const event: JourneyEvent =
      type === 'startConversation'
        ? { type: 'conversationBlocked', key, reason }
        : { type: 'messageResult', key, outcome: 'blocked', reason };
    this.#put(this.#nowMs, { kind: 'event', event });
  }

  #count(sending: Sending, contactPointIds: readonly string[]): void {
    const { messages, complianceProfiles } = assetIndex(this.#journey.assets);
    const message = messages.get(sending.message ?? '');
    const isCall = sending.type === 'startConversation' && sending.compliance !== null;
    const channel = isCall ? 'voice' : message?.channel;
    const compliance = isCall ? sending.compliance : message?.compliance;
    const purpose = complianceProfiles
      .get(compliance?.profile ?? '')
      ?.purposes.find(({ name }) => name === compliance?.purpose);
    const [first] = contactPointIds;
    if (channel === undefined || first === undefined || purpose?.type !== 'commercial') return;
    this.#person.countSent({ contactPointId: first, channel, atMs: this.#nowMs });
  }

  #planOutcomes({ key, stepId, type }: Sending): void {
    const visit = this.#run.sendings.find((item) => item.key === key)?.visit ?? 1;
    const planned = (this.#plan.outcomes ?? []).filter(
      (outcome) => outcome.step === stepId && (outcome.visit ?? visit) === visit,
    );
    const isFinal = (outcome: PlannedOutcome): boolean =>
      type === 'startConversation' ? 'result' in outcome : 'outcome' in outcome;
    if (!planned.some(isFinal)) {
      this.#happenings.push({ atMs: this.#nowMs, what: 'unanswered', key });
    }
    for (const [index, outcome] of planned.entries()) {
      const afterMs =
        outcome.after === undefined ? OUTCOME_AFTER_MS : (durationMs(outcome.after) ?? 0);
      const event = eventOf(outcome, key, index);
      this.#put(this.#nowMs + afterMs, { kind: 'event', event, ofKey: key });
    }
  }

  /** What has not ended is withdrawn, and says so. */
  #cancel(key: string): void {
    this.#answered.add(key);
    this.#due = this.#due.filter(({ due }) => due.kind !== 'event' || due.ofKey !== key);
    const type = this.#run.sendings.find((item) => item.key === key)?.type;
    const event: JourneyEvent =
      type === 'message'
        ? { type: 'messageResult', key, outcome: 'notSent', reason: 'cancelled' }
        : { type: 'conversationResult', key, result: 'Cancelled', reason: 'cancelled' };
    this.#put(this.#nowMs, { kind: 'event', event });
  }
}

function eventOf(outcome: PlannedOutcome, key: string, index: number): JourneyEvent {
  const id = `${key}:${index}`;
  if ('interaction' in outcome) {
    return { type: 'messageInteraction', id, key, interaction: outcome.interaction };
  }
  if ('outcome' in outcome) {
    const { outcome: told, reason } = outcome;
    return {
      type: 'messageResult',
      key,
      outcome: told,
      ...(reason === undefined ? {} : { reason }),
    };
  }
  const { result, returnCode, reason, dispositionCodes, attributes, attempts } = outcome;
  return {
    ...{ type: 'conversationResult', key, result },
    ...(returnCode === undefined ? {} : { returnCode }),
    ...(reason === undefined ? {} : { reason }),
    ...(dispositionCodes === undefined ? {} : { dispositionCodes }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}
