/** What a representative is offered, and the invitation that comes of it. */
import type {
  Invitation,
  InvitationKind,
  WrapUpBlock,
} from '../../machines/representative.events.ts';
import type { RepresentativeRules } from './representative-rules.schema.ts';

/** Beside whom it is for. */
export interface Offer {
  readonly kind: InvitationKind;
  readonly engagementId: string;
  readonly engagementName: string;
  readonly engagementDescription: string;
  readonly isAutoAccepted: boolean;
  readonly taskId: string | null;
  readonly attemptId: string | null;
  readonly rules: RepresentativeRules;
  /** Not asked again: they have declined this one. */
  readonly except?: ReadonlySet<string>;
  /** How long whoever accepts it may sit in the lobby before a call, ms. Default: as for everybody. */
  readonly idleMs?: number;
  /** Over which its calls go: their leg is where that can be dialled. */
  readonly trunk: string;
  /** Whoever answers may be anybody's of its representatives: their legs are at one gateway. */
  readonly isOnePlace?: boolean;
  /** Where the call is that they are to join. Default: wherever its trunk can be dialled. */
  readonly gatewayId?: string;
}

export function invitationOf(offer: Offer, id: string, timeoutMs: number): Invitation {
  const { kind, rules, engagementId, engagementName, engagementDescription } = offer;
  const { isAutoAccepted, taskId, attemptId, idleMs } = offer;
  return {
    ...{ id, kind, engagementId, engagementName, engagementDescription },
    template: kind === 'agentDial' ? rules.agentDialTemplate : rules.preDialTemplate,
    ...{ isAutoAccepted, taskId, attemptId, ...(idleMs === undefined ? {} : { idleMs }) },
    timeoutMs,
  };
}

export function wrapUpOf({ wrapUpBlock }: RepresentativeRules): WrapUpBlock {
  return typeof wrapUpBlock === 'number'
    ? { kind: 'minutes', minutes: wrapUpBlock }
    : { kind: wrapUpBlock };
}
