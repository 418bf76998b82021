/** Whether a dial can be taken on, looked at in the order in which the answers stay true longest. */
import type { RefusalCode } from '../../machines/command-reply.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import { userPart } from '../trunks/destination.ts';
import { inviteHeaders } from '../trunks/invite-headers.ts';
import type { Trunk } from '../trunks/trunk.ts';

export type DialAdmission =
  | {
      readonly ok: true;
      readonly trunk: Trunk;
      readonly uri: string;
      readonly headers: Record<string, string>;
      readonly momentMs: number;
    }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

export interface AdmissionView {
  readonly gatewayId: string;
  readonly trunks: ReadonlyMap<string, Trunk>;
  readonly nowMs: number;
  /** Why nothing can be dialled at all; undefined when all is well. */
  readonly switchProblem: string | undefined;
  readonly closing: boolean;
}

/** Takes a moment of the trunk's rate when everything else allows the dial, and nothing otherwise. */
export function admitDial(dial: AttemptDial, view: AdmissionView): DialAdmission {
  if (dial.gatewayId !== view.gatewayId) {
    return refused('WRONG_GATEWAY', `this is ${view.gatewayId}, the dial names ${dial.gatewayId}`);
  }
  const trunk = view.trunks.get(dial.trunk);
  if (trunk === undefined) return refused('UNKNOWN_TRUNK', `no trunk ${dial.trunk}`);
  const target = userPart(dial.destination, trunk.config.destinationFormat);
  if (!target.ok) return refused('INVALID_DESTINATION', target.problem);
  const invite = inviteHeaders(dial, trunk.config);
  if (!invite.ok) return refused('INVALID_DESTINATION', invite.problem);
  const lateMs = view.nowMs - dial.notAfterMs;
  if (lateMs > 0) return refused('TOO_LATE', `${Math.round(lateMs)} ms past notAfterMs`);
  if (view.closing) return refused('SWITCH_DOWN', 'the gateway is closing');
  if (view.switchProblem !== undefined) return refused('SWITCH_DOWN', view.switchProblem);
  if (trunk.isKnownDead) return refused('TRUNK_DOWN', trunk.stateDetail);
  if (!trunk.hasFreeChannel) {
    const { channelsMax } = trunk.config;
    return refused('TRUNK_CHANNELS_EXHAUSTED', `all ${channelsMax} channels are in use`);
  }
  const momentMs = trunk.takeMoment(view.nowMs, dial.notAfterMs);
  if (momentMs === undefined) {
    const { callsPerSecondMax } = trunk.config;
    return refused('TRUNK_RATE_LIMITED', `${callsPerSecondMax} calls per second`);
  }
  const uri = trunk.uriOf(target.user);
  return { ok: true, trunk, uri, headers: invite.headers, momentMs };
}

function refused(code: RefusalCode, detail: string): DialAdmission {
  return { ok: false, code, detail };
}
