/**
 * What people did on the telephone, as triggers: the dialer's own, there without being made. Names and
 * attributes are part of what journeys rely on.
 */
import type { ValueType } from '../../journey-core/definition/condition.schema.ts';

interface InteractionTrigger {
  readonly description: string;
  readonly attributes: Readonly<Record<string, ValueType>>;
}

const OF_DELIVERY = {
  DeliveryId: 'reference',
  DeliveryTaskId: 'reference',
  EngagementId: 'reference',
} as const;

export const INTERACTION_TRIGGERS = {
  callEnded: {
    description: 'A call to the person has ended, whatever came of it.',
    attributes: { ...OF_DELIVERY, Result: 'text', SubReason: 'text', Answered: 'boolean' },
  },
  dispositionsRecorded: {
    description: 'A representative said what came of the call.',
    attributes: { ...OF_DELIVERY, DispositionCodes: 'list' },
  },
  attributesReturned: {
    description: 'The AI agent returned what it learnt; each attribute under its own name.',
    attributes: OF_DELIVERY,
  },
  deliveryTaskEnded: {
    description:
      'The dialer has done what it was asked: reached, given up, or never begun. Carries what the ' +
      'AI agent returned under its own names.',
    attributes: {
      ...OF_DELIVERY,
      ...{ Attempted: 'boolean', Result: 'text', Reason: 'text', Attempts: 'number' },
      DispositionCodes: 'list',
    },
  },
  optedOut: {
    description: 'The person asked, in a call, not to be called again.',
    attributes: { ...OF_DELIVERY, Channel: 'text', ContactPointId: 'reference' },
  },
  consentChanged: {
    description: 'The person consented, or took it back.',
    attributes: {
      ...{ Channel: 'text', Status: 'text', Source: 'text', ContactPointId: 'reference' },
      ...{ PurposeId: 'reference', TopicId: 'reference' },
    },
  },
  segmentEntered: {
    description: 'The person became a member of a segment.',
    attributes: { Segment: 'text', SegmentId: 'reference' },
  },
  segmentLeft: {
    description: 'The person is no member of a segment any more.',
    attributes: { Segment: 'text', SegmentId: 'reference' },
  },
} as const satisfies Readonly<Record<string, InteractionTrigger>>;

export type InteractionTriggerName = keyof typeof INTERACTION_TRIGGERS;

export function isInteractionTrigger(name: string): name is InteractionTriggerName {
  return Object.hasOwn(INTERACTION_TRIGGERS, name);
}
