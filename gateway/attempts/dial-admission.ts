/** Whether a dial can be taken on, looked at in the order in which the answers stay true longest. */
import type { RefusalCode } from '../../machines/command-reply.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import type { GatewayClock } from '../clock.ts';
import { CallRoute, type TrunkWay } from '../trunks/call-route.ts';
import { refusedByRule, type RuleRefusal } from '../trunks/destination-rules.ts';
import { userPart } from '../trunks/destination.ts';
import { inviteHeaders } from '../trunks/invite-headers.ts';
import type { TrunkGroup } from '../trunks/trunk-group.ts';
import type { Trunk } from '../trunks/trunk.ts';

export type DialAdmission = { readonly ok: true; readonly route: CallRoute } | Refusal;

interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  /** Of DESTINATION_REFUSED: which rule it was. */
  readonly rule?: RuleRefusal['rule'];
}

export interface AdmissionView {
  readonly gatewayId: string;
  readonly trunks: ReadonlyMap<string, Trunk>;
  readonly groups?: ReadonlyMap<string, TrunkGroup>;
  readonly nowMs: number;
  /** Why nothing can be dialled at all; undefined when all is well. */
  readonly switchProblem: string | undefined;
  readonly closing: boolean;
  /** What is wrong with the lobby that the dial names; undefined when its leg can be bridged. */
  readonly lobbyProblem: (lobbyId: string) => string | undefined;
}

/**
 * Of a group a trunk that can take the call within this is preferred to one that would make it wait
 * longer. Longer than the batches in which the dialer starts calls, so that they do not spill over to
 * the next priority while the rate of the first is kept on average.
 */
const SPILL_AFTER_MS = 250;

/** Takes a channel and a moment of one trunk's rate when all allows the dial, and nothing otherwise. */
export function admitDial(
  dial: AttemptDial,
  view: AdmissionView,
  clock: GatewayClock,
  random = Math.random,
): DialAdmission {
  if (dial.gatewayId !== view.gatewayId) {
    return refused('WRONG_GATEWAY', `this is ${view.gatewayId}, the dial names ${dial.gatewayId}`);
  }
  const lobbyProblem = dial.lobbyId === undefined ? undefined : view.lobbyProblem(dial.lobbyId);
  if (lobbyProblem !== undefined) return refused('LOBBY_GONE', lobbyProblem);
  const candidates = candidatesOf(dial.trunk, view, random);
  if (candidates === undefined) return refused('UNKNOWN_TRUNK', `no trunk ${dial.trunk}`);
  const lateMs = view.nowMs - dial.notAfterMs;
  const problem = lateMs > 0 ? undefined : switchRefusal(view);
  const late = refused('TOO_LATE', `${Math.round(lateMs)} ms past notAfterMs`);
  let refusal: Refusal | undefined;
  for (const notAfterMs of limitsOf(dial, view, candidates.length)) {
    refusal = undefined;
    for (const [index, trunk] of candidates.entries()) {
      const target = targetOn(trunk, dial);
      const way = target.ok
        ? ((lateMs > 0 ? late : problem) ?? wayOn(trunk, target, view.nowMs, notAfterMs))
        : target;
      if (!('ok' in way)) {
        return { ok: true, route: routeOf(dial, way, candidates.slice(index + 1), clock) };
      }
      refusal ??= way;
    }
  }
  return refusal ?? refused('UNKNOWN_TRUNK', `the group ${dial.trunk} is empty`);
}

function candidatesOf(
  name: string,
  { trunks, groups }: AdmissionView,
  random: () => number,
): readonly Trunk[] | undefined {
  const trunk = trunks.get(name);
  return trunk === undefined ? groups?.get(name)?.inOrder(random) : [trunk];
}

function limitsOf({ notAfterMs }: AttemptDial, { nowMs }: AdmissionView, count: number): number[] {
  const soonMs = Math.min(notAfterMs, nowMs + SPILL_AFTER_MS);
  return count > 1 && soonMs < notAfterMs ? [soonMs, notAfterMs] : [notAfterMs];
}

function switchRefusal({ closing, switchProblem }: AdmissionView): Refusal | undefined {
  if (closing) return refused('SWITCH_DOWN', 'the gateway is closing');
  return switchProblem === undefined ? undefined : refused('SWITCH_DOWN', switchProblem);
}

interface Target {
  readonly ok: true;
  readonly user: string;
  readonly headers: Record<string, string>;
}

/** Who is called, and by whom, as that trunk wants it written. */
function targetOn(trunk: Trunk, dial: AttemptDial): Target | Refusal {
  const forbidden = refusedByRule(dial.destination, trunk.config);
  if (forbidden !== undefined) {
    const { rule, detail } = forbidden;
    return { ...refused('DESTINATION_REFUSED', `${rule}: ${detail}`), rule };
  }
  const target = userPart(dial.destination, trunk.config);
  if (!target.ok) return refused('INVALID_DESTINATION', target.problem);
  const invite = inviteHeaders(dial, trunk.config);
  if (!invite.ok) return refused('INVALID_DESTINATION', invite.problem);
  return { ok: true, user: target.user, headers: invite.headers };
}

function wayOn(
  trunk: Trunk,
  { user, headers }: Target,
  nowMs: number,
  notAfterMs: number,
): TrunkWay | Refusal {
  const closed = trunk.refusal(nowMs);
  if (closed !== undefined) return refused(closed.code, closed.detail);
  const { channelsMax, callsPerSecondMax } = trunk.config;
  if (!trunk.hasFreeChannel) {
    return refused('TRUNK_CHANNELS_EXHAUSTED', `all ${channelsMax} channels are in use`);
  }
  const momentMs = trunk.takeMoment(nowMs, notAfterMs);
  if (momentMs === undefined) {
    return refused('TRUNK_RATE_LIMITED', `${callsPerSecondMax} calls per second`);
  }
  return { trunk, uri: trunk.uriOf(user), headers, momentMs };
}

function routeOf(
  dial: AttemptDial,
  first: TrunkWay,
  others: readonly Trunk[],
  clock: GatewayClock,
): CallRoute {
  return new CallRoute({
    ...{ first, others, clock, windowEndMs: dial.windowEndMs ?? Number.POSITIVE_INFINITY },
    wayOn: (trunk, nowMs, notAfterMs) => {
      const target = targetOn(trunk, dial);
      if (!target.ok) return undefined;
      const way = wayOn(trunk, target, nowMs, notAfterMs);
      return 'ok' in way ? undefined : way;
    },
  });
}

function refused(code: RefusalCode, detail: string): Refusal {
  return { ok: false, code, detail };
}
