/** What a run is told. Events come at least once and in any order; repeats are harmless. */
import {
  MESSAGE_INTERACTIONS,
  type ConversationOutcome,
  type MessageInteraction,
  type MessageOutcome,
} from '../definition/step.schemas.ts';
import {
  CONVERSATION_RESULTS,
  conversationOutcomeOf,
  type ConversationResult,
} from './conversation-outcome.ts';
import { readFacts, type Facts } from './facts.ts';
import { isRecord, numberIn, textIn, textsIn, valuesIn, type Values } from './json-value.ts';

/** Any event may bring the facts along, and so save the run a question. */
interface WithFacts {
  readonly facts?: Facts;
}

export type JourneyEvent = WithFacts &
  (
    | { readonly type: 'enter'; readonly attributes?: Values }
    | { readonly type: 'facts' }
    | { readonly type: 'timerDue'; readonly timerId: string }
    | ConversationEnded
    | ConversationBlocked
    | {
        /** `blocked` with its reason; the others as the webhook's receiver told. */
        readonly type: 'messageResult';
        readonly key: string;
        readonly outcome: MessageOutcome;
        readonly reason?: string;
      }
    | {
        readonly type: 'messageInteraction';
        readonly id: string;
        readonly key: string;
        readonly interaction: MessageInteraction;
      }
    | TriggerRaised
    | { readonly type: 'segmentJoined'; readonly id: string; readonly segment: string }
    /** The run's place among all that came to a split by number; from 1. */
    | { readonly type: 'numberTaken'; readonly key: string; readonly number: number }
    | { readonly type: 'stop'; readonly reason?: string }
  );

/** Told once the delivery task is final, all its attempts made (spec E.5, F.9). */
export interface ConversationEnded {
  readonly type: 'conversationResult';
  readonly key: string;
  /** Of the last attempt, as SIP, Q.850 and detection had it; or of the text conversation. */
  readonly result: ConversationResult;
  readonly returnCode?: string;
  readonly reason?: string;
  readonly dispositionCodes?: readonly string[];
  /** What the AI agent returned. */
  readonly attributes?: Values;
  readonly attempts?: number;
  readonly deliveryTaskId?: string;
  readonly deliveryId?: string;
}

/** Nothing was asked of the dialer. */
export interface ConversationBlocked {
  readonly type: 'conversationBlocked';
  readonly key: string;
  readonly reason: string;
}

export interface TriggerRaised {
  readonly type: 'trigger';
  readonly id: string;
  readonly trigger: string;
  readonly attributes?: Values;
}

/** An event as the interpreter uses it; what it lacks has been filled in. */
export type ToldEvent =
  | { readonly type: 'enter'; readonly attributes: Values }
  | { readonly type: 'facts' }
  | { readonly type: 'timerDue'; readonly timerId: string }
  | {
      readonly type: 'outcome';
      readonly key: string;
      readonly is: ConversationOutcome | MessageOutcome;
      readonly values: Values;
    }
  | {
      readonly type: 'interaction';
      readonly id: string;
      readonly key: string;
      readonly is: MessageInteraction;
    }
  | {
      readonly type: 'trigger';
      readonly id: string;
      readonly trigger: string;
      readonly values: Values;
    }
  | { readonly type: 'segmentJoined'; readonly id: string; readonly segment: string }
  | { readonly type: 'numberTaken'; readonly key: string; readonly number: number }
  | { readonly type: 'stop'; readonly reason: string | null };

export interface Told {
  readonly event: ToldEvent;
  readonly facts: Facts | undefined;
}

/** Total: what is no event of ours, or lacks what it needs, is undefined and has no effect. */
export function readEvent(value: unknown): Told | undefined {
  if (!isRecord(value)) return undefined;
  const event = eventOf(value, textIn(value, 'type'));
  if (event === undefined) return undefined;
  const facts = Object.hasOwn(value, 'facts') ? readFacts(value['facts']) : undefined;
  return event.type === 'facts' && facts === undefined ? undefined : { event, facts };
}

function eventOf(
  value: Readonly<Record<string, unknown>>,
  type: string | undefined,
): ToldEvent | undefined {
  const id = textIn(value, 'id');
  const key = textIn(value, 'key');
  switch (type) {
    case 'enter':
      return { type, attributes: valuesIn(value, 'attributes') };
    case 'facts':
      return { type };
    case 'stop':
      return { type, reason: textIn(value, 'reason') ?? null };
    case 'timerDue': {
      const timerId = textIn(value, 'timerId');
      return timerId === undefined ? undefined : { type, timerId };
    }
    case 'conversationResult':
    case 'conversationBlocked':
    case 'messageResult':
      return key === undefined ? undefined : outcomeEvent(value, type, key);
    case 'messageInteraction': {
      const is = MESSAGE_INTERACTIONS.find((name) => name === textIn(value, 'interaction'));
      if (is === undefined || key === undefined || id === undefined) return undefined;
      return { type: 'interaction', id, key, is };
    }
    case 'trigger': {
      const trigger = textIn(value, 'trigger');
      if (trigger === undefined || id === undefined) return undefined;
      return { type, id, trigger, values: valuesIn(value, 'attributes') };
    }
    case 'segmentJoined': {
      const segment = textIn(value, 'segment');
      return segment === undefined || id === undefined ? undefined : { type, id, segment };
    }
    case 'numberTaken': {
      const number = numberIn(value, 'number');
      return key === undefined || number === undefined ? undefined : { type, key, number };
    }
    default:
      return undefined;
  }
}

function outcomeEvent(
  value: Readonly<Record<string, unknown>>,
  type: 'conversationResult' | 'conversationBlocked' | 'messageResult',
  key: string,
): ToldEvent | undefined {
  const reason = textIn(value, 'reason');
  const because: Values = reason === undefined ? {} : { Reason: reason };
  if (type === 'conversationBlocked') {
    return { type: 'outcome', key, is: 'blocked', values: because };
  }
  if (type === 'messageResult') {
    const outcome = textIn(value, 'outcome');
    const is = (['sent', 'notSent', 'blocked'] as const).find((name) => name === outcome);
    return is === undefined ? undefined : { type: 'outcome', key, is, values: because };
  }
  const result = CONVERSATION_RESULTS.find((name) => name === textIn(value, 'result'));
  if (result === undefined) return undefined;
  const returnCode = textIn(value, 'returnCode');
  const is = conversationOutcomeOf(result, returnCode ?? null);
  const optional = Object.entries({
    ReturnCode: returnCode,
    Attempts: numberIn(value, 'attempts'),
    DeliveryTaskId: textIn(value, 'deliveryTaskId'),
    DeliveryId: textIn(value, 'deliveryId'),
  }).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  return {
    type: 'outcome',
    key,
    is,
    // What the agent calls Result does not replace the system's.
    values: {
      ...valuesIn(value, 'attributes'),
      ...because,
      Result: result,
      DispositionCodes: textsIn(value, 'dispositionCodes'),
      ...Object.fromEntries(optional),
    },
  };
}
