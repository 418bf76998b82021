/** Entry, re-entry, exits and goal. */
import { testsOf } from '../definition/condition.schema.ts';
import { durationMs, HOUR_MS } from '../definition/duration.ts';
import { instantMs } from '../definition/instant.ts';
import {
  ENTRY_CONDITIONS_MAX,
  type Journey,
  type SegmentEntry,
  type TriggerEntry,
} from '../definition/journey.schema.ts';
import { conditionFaults, type CheckedJourney } from './condition-faults.ts';
import { fault, type JourneyFault } from './journey-fault.ts';
import { segmentFaults, triggerFaults } from './reference-faults.ts';

export function entryFaults(checked: CheckedJourney): JourneyFault[] {
  const { journey, assets } = checked;
  const { entry } = journey;
  return [
    ...(entry.kind === 'trigger'
      ? triggerEntryFaults(checked, entry)
      : segmentEntryFaults(checked, entry)),
    ...(entry.exclude === undefined ? [] : segmentFaults(assets, entry.exclude, '/entry/exclude')),
    ...windowFaults(journey),
    ...reentryFaults(journey),
    ...exitRuleFaults(checked),
    ...goalFaults(checked),
  ];
}

function triggerEntryFaults(
  checked: CheckedJourney,
  { trigger, conditions }: TriggerEntry,
): JourneyFault[] {
  const faults = triggerFaults(checked.assets, trigger, '/entry/trigger');
  if (conditions === undefined) return faults;
  const path = '/entry/conditions';
  const count = testsOf(conditions, path).length;
  if (count > ENTRY_CONDITIONS_MAX) {
    const problem = `has ${count} conditions`;
    const remedy = `a trigger takes ${ENTRY_CONDITIONS_MAX} at most: use a branch step`;
    return [...faults, fault(path, 'ENTRY_CONDITIONS_MAX', problem, remedy)];
  }
  return [...faults, ...conditionFaults(checked, conditions, path, { kind: 'entry' })];
}

function segmentEntryFaults(
  { assets }: CheckedJourney,
  { segment, frequency, every, rate }: SegmentEntry,
): JourneyFault[] {
  const faults = segmentFaults(assets, segment, '/entry/segment');
  if (frequency === 'repeating' && every === undefined) {
    faults.push(fault('/entry/every', 'MISSING', 'is missing', 'add every: 7d'));
  }
  if (frequency !== 'repeating' && every !== undefined) {
    const problem = `is for repeating segments, and this is ${frequency}`;
    faults.push(fault('/entry/every', 'ENTRY_RATE', problem, 'leave it out'));
  }
  if (every !== undefined && (durationMs(every) ?? 0) < HOUR_MS) {
    const problem = `is ${every}, out of bounds`;
    faults.push(fault('/entry/every', 'OUT_OF_BOUNDS', problem, 'it takes at least 1h'));
  }
  if (rate !== undefined && frequency !== 'oneTime') {
    const problem = `is for one-time segments, and this is ${frequency}`;
    faults.push(fault('/entry/rate', 'ENTRY_RATE', problem, 'leave it out'));
  }
  return faults;
}

function windowFaults({ entry: { opensAt, closesAt }, timeZone }: Journey): JourneyFault[] {
  if (opensAt === undefined || closesAt === undefined) return [];
  const opensAtMs = instantMs(opensAt, timeZone) ?? 0;
  if (opensAtMs < (instantMs(closesAt, timeZone) ?? 0)) return [];
  const problem = 'is not after opensAt: nobody could enter';
  return [fault('/entry/closesAt', 'ENTRY_WINDOW', problem, 'write a later date')];
}

function reentryFaults({ reentry }: Journey): JourneyFault[] {
  if (reentry === undefined) return [];
  const { allow, delay } = reentry;
  if (allow === 'afterDelay' && delay === undefined) {
    return [fault('/reentry/delay', 'MISSING', 'is missing', 'add delay: 30d')];
  }
  if (allow !== 'afterDelay' && delay !== undefined) {
    const problem = `is for afterDelay, and this is ${allow}`;
    return [fault('/reentry/delay', 'REENTRY_DELAY', problem, 'leave it out')];
  }
  return [];
}

function exitRuleFaults(checked: CheckedJourney): JourneyFault[] {
  return (checked.journey.exits?.on ?? []).flatMap((rule, index) => {
    const path = `/exits/on/${index}`;
    if ('segment' in rule) return segmentFaults(checked.assets, rule.segment, `${path}/segment`);
    return [
      ...triggerFaults(checked.assets, rule.trigger, `${path}/trigger`),
      ...(rule.conditions === undefined
        ? []
        : conditionFaults(checked, rule.conditions, `${path}/conditions`, {
            kind: 'trigger',
            trigger: rule.trigger,
          })),
    ];
  });
}

function goalFaults(checked: CheckedJourney): JourneyFault[] {
  const { goal } = checked.journey;
  if (goal === undefined) return [];
  const { trigger, conditions } = goal;
  return [
    ...triggerFaults(checked.assets, trigger, '/goal/trigger'),
    ...(conditions === undefined
      ? []
      : conditionFaults(checked, conditions, '/goal/conditions', { kind: 'trigger', trigger })),
  ];
}
