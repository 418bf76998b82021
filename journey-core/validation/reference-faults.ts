/** References to what the journey does not hold itself: known, ready, and of the right kind. */
import { nearestName } from '../../config/nearest-name.ts';
import type { Compliance } from '../definition/sending.schema.ts';
import { RESERVED_QUIET_TIMES, type Channel } from '../definition/sending.schema.ts';
import type { AssetIndex } from './asset-index.ts';
import { fault, type JourneyFault, type JourneyFaultCode } from './journey-fault.ts';

export type AssetState = 'ready' | 'draft' | 'toBeConnected';

interface Asset {
  readonly name: string;
  readonly state?: AssetState;
}

/** The asset, or why it cannot be used as it is. `what` is a word for people. */
export function referenced<T extends Asset>(
  known: ReadonlyMap<string, T>,
  name: string,
  path: string,
  what: string,
  code: JourneyFaultCode,
): { readonly asset?: T; readonly faults: JourneyFault[] } {
  const asset = known.get(name);
  if (asset === undefined) {
    const near = nearestName(name, [...known.keys()]);
    const remedy =
      near === undefined ? `create it, or name another ${what}` : `did you mean ${near}?`;
    return { faults: [fault(path, code, `there is no ${what} '${name}'`, remedy)] };
  }
  return { asset, faults: readinessFaults(asset, path, what) };
}

/** Nothing while it is ready; else what blocks publishing. */
export function readinessFaults(
  { name, state = 'ready' }: Asset,
  path: string,
  what: string,
): JourneyFault[] {
  if (state === 'ready') return [];
  const problem =
    state === 'draft' ? `${what} '${name}' is a draft` : `${what} '${name}' is only a placeholder`;
  const remedy = state === 'draft' ? 'make it ready first' : `connect it to a real ${what}`;
  return [{ path, code: 'ASSET_NOT_READY', severity: 'blocksPublishing', problem, remedy }];
}

export function triggerFaults(assets: AssetIndex, name: string, path: string): JourneyFault[] {
  return referenced(assets.triggers, name, path, 'trigger', 'UNKNOWN_TRIGGER').faults;
}

export function segmentFaults(assets: AssetIndex, name: string, path: string): JourneyFault[] {
  return referenced(assets.segments, name, path, 'segment', 'UNKNOWN_SEGMENT').faults;
}

/** Spec A.17, CNS-05, CNS-06, CNS-08: a profile for the channel, its purpose, the purpose’s topic. */
export function complianceFaults(
  assets: AssetIndex,
  { profile: name, purpose: purposeName, topic }: Compliance,
  channel: Channel,
  path: string,
): JourneyFault[] {
  const { complianceProfiles } = assets;
  const what = 'compliance profile';
  const at = `${path}/profile`;
  const found = referenced(complianceProfiles, name, at, what, 'UNKNOWN_PROFILE');
  const profile = found.asset;
  if (profile === undefined) return found.faults;
  const faults = [...found.faults];
  if (!profile.channels.includes(channel)) {
    const problem = `profile '${name}' is meant for ${profile.channels.join(', ')}, not ${channel}`;
    const fitting = [...complianceProfiles.values()]
      .filter(({ channels }) => channels.includes(channel))
      .map((item) => item.name);
    const remedy = `use a profile for ${channel}: ${fitting.join(', ') || 'there is none yet'}`;
    faults.push(fault(at, 'CHANNEL', problem, remedy));
  }
  const purpose = profile.purposes.find((item) => item.name === purposeName);
  if (purpose === undefined) {
    const known = profile.purposes.map((item) => item.name);
    const near = nearestName(purposeName, known);
    const problem = `profile '${name}' has no purpose '${purposeName}'`;
    const remedy = near === undefined ? `use one of ${known.join(', ')}` : `did you mean ${near}?`;
    return [...faults, fault(`${path}/purpose`, 'UNKNOWN_PURPOSE', problem, remedy)];
  }
  if (purpose.type === 'tracking') {
    const problem = 'is for tracking: nothing is sent for it';
    const remedy = 'use a commercial or transactional purpose';
    faults.push(fault(`${path}/purpose`, 'PURPOSE_TYPE', problem, remedy));
  }
  return [...faults, ...topicFaults(purpose, topic, path)];
}

function topicFaults(
  { name, topics = [] }: { readonly name: string; readonly topics?: readonly string[] },
  topic: string | undefined,
  path: string,
): JourneyFault[] {
  const at = `${path}/topic`;
  if (topic === undefined) {
    if (topics.length === 0) return [];
    const problem = `is missing: purpose '${name}' has topics`;
    return [fault(at, 'TOPIC_MISSING', problem, `use one of ${topics.join(', ')}`)];
  }
  if (topics.includes(topic)) return [];
  const near = nearestName(topic, topics);
  const problem = `purpose '${name}' has no topic '${topic}'`;
  const remedy =
    near === undefined
      ? topics.length === 0
        ? 'leave it out'
        : `use one of ${topics.join(', ')}`
      : `did you mean ${near}?`;
  return [fault(at, 'UNKNOWN_TOPIC', problem, remedy)];
}

export function quietTimeFaults(
  assets: AssetIndex,
  name: string | undefined,
  path: string,
): JourneyFault[] {
  if (name === undefined || (RESERVED_QUIET_TIMES as readonly string[]).includes(name)) return [];
  return referenced(assets.quietTimes, name, path, 'quiet time', 'UNKNOWN_QUIET_TIME').faults;
}
