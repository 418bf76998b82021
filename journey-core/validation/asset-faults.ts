/** The assets themselves: names told apart, profiles that hold together, quiet time that ends. */
import { DateTime } from 'luxon';
import type { JourneyAssets } from '../definition/assets.schema.ts';
import {
  QUIET_DAYS_MAX,
  WEEKDAYS,
  type QuietEntry,
  type QuietTime,
} from '../definition/quiet-time.schema.ts';
import { CHANNELS, RESERVED_QUIET_TIMES } from '../definition/sending.schema.ts';
import type { AssetIndex } from './asset-index.ts';
import { fault, type JourneyFault } from './journey-fault.ts';
import { complianceFaults, quietTimeFaults } from './reference-faults.ts';

const NAMED = [
  'contactAttributes',
  'triggers',
  'segments',
  'engagements',
  'messages',
  'webhooks',
  'complianceProfiles',
  'quietTimes',
] as const;

/** `path` is the place of the assets: `/assets`. */
export function assetFaults(
  assets: JourneyAssets,
  index: AssetIndex,
  path: string,
): JourneyFault[] {
  return [
    ...NAMED.flatMap((key) => duplicates(assets[key] ?? [], `${path}/${key}`)),
    ...(assets.triggers ?? []).flatMap(({ attributes }, at) =>
      duplicates(attributes ?? [], `${path}/triggers/${at}/attributes`),
    ),
    ...(assets.engagements ?? []).flatMap(({ resultAttributes }, at) =>
      duplicates(resultAttributes ?? [], `${path}/engagements/${at}/resultAttributes`),
    ),
    ...(assets.complianceProfiles ?? []).flatMap(({ quietTime, purposes }, at) => {
      const place = `${path}/complianceProfiles/${at}`;
      return [
        ...duplicates(purposes, `${place}/purposes`),
        ...quietTimeFaults(index, quietTime, `${place}/quietTime`),
      ];
    }),
    ...(assets.messages ?? []).flatMap(({ compliance, channel }, at) =>
      complianceFaults(index, compliance, channel, `${path}/messages/${at}/compliance`),
    ),
    ...(assets.quietTimes ?? []).flatMap((item, at) =>
      quietSettingFaults(item, `${path}/quietTimes/${at}`),
    ),
  ];
}

function duplicates(items: readonly { readonly name: string }[], path: string): JourneyFault[] {
  const names = items.map(({ name }) => name);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [
          fault(
            `${path}/${index}/name`,
            'DUPLICATE',
            `'${name}' is there twice`,
            'keep one of the two',
          ),
        ],
  );
}

export function quietSettingFaults(setting: QuietTime, path: string): JourneyFault[] {
  const isReserved = (RESERVED_QUIET_TIMES as readonly string[]).includes(setting.name);
  const problem = `'${setting.name}' stands for something else in steps`;
  return [
    ...(isReserved ? [fault(`${path}/name`, 'RESERVED_NAME', problem, 'choose another name')] : []),
    ...quietListFaults(setting.quiet, `${path}/quiet`),
    ...(setting.advanced ?? []).flatMap(({ quiet, where }, index) => {
      const at = `${path}/advanced/${index}`;
      const names = Object.keys(where).length;
      const remedy = 'name a country, a state or a phone prefix';
      return [
        ...(names === 0 ? [fault(`${at}/where`, 'MISSING', 'names no place', remedy)] : []),
        ...quietListFaults(quiet, `${at}/quiet`),
      ];
    }),
  ];
}

function quietListFaults(list: readonly QuietEntry[], path: string): JourneyFault[] {
  const spans = list.flatMap((entry, index) => spanFaults(entry, `${path}/${index}`));
  if (spans.length > 0) return spans;
  const purposes = ['commercial', 'transactional'] as const;
  const tooLong = CHANNELS.flatMap((channel) =>
    purposes.flatMap((purpose) => {
      const applying = list.flatMap((entry, index) =>
        (entry.channels ?? CHANNELS).includes(channel) &&
        (entry.purposes ?? purposes).includes(purpose)
          ? [{ entry, index }]
          : [],
      );
      const at = fourthDay(applying);
      return at === undefined ? [] : [at];
    }),
  );
  return [...new Set(tooLong)].map((index) =>
    fault(
      `${path}/${index}`,
      'QUIET_DAYS_MAX',
      `makes more than ${QUIET_DAYS_MAX} days in a row quiet`,
      `leave a day open after ${QUIET_DAYS_MAX}`,
    ),
  );
}

function spanFaults(entry: QuietEntry, path: string): JourneyFault[] {
  if ('firstDay' in entry) {
    if (entry.firstDay <= entry.lastDay) return [];
    const problem = 'is before firstDay';
    return [fault(`${path}/lastDay`, 'QUIET_SPAN', problem, 'write the later day here')];
  }
  if (entry.from < entry.to) return [];
  const problem = `ends at ${entry.to}, not after it begins`;
  const remedy = `write a night as two: ${entry.from} to 24:00, and 00:00 to ${entry.to}`;
  return [fault(`${path}/to`, 'QUIET_SPAN', problem, remedy)];
}

interface Applying {
  readonly entry: QuietEntry;
  readonly index: number;
}

/** The entry that makes a fourth day in a row wholly quiet. */
function fourthDay(applying: readonly Applying[]): number | undefined {
  const fullWeekdays = new Set(
    applying.flatMap(({ entry }) =>
      'days' in entry && entry.from === '00:00' && entry.to === '24:00' ? entry.days : [],
    ),
  );
  const isFullWeekday = (day: DateTime): boolean => {
    const name = WEEKDAYS[day.weekday - 1];
    return name !== undefined && fullWeekdays.has(name);
  };
  const dates = applying.filter(({ entry }) => 'firstDay' in entry);
  const isQuiet = (day: DateTime): boolean => isFullWeekday(day) || isAmong(dates, day);
  for (const { entry, index } of applying) {
    // A week and a day: weekly entries repeat, and may join a date at either end.
    const from = 'firstDay' in entry ? utcDay(entry.firstDay) : utcDay('2026-01-05');
    const days = 'firstDay' in entry ? QUIET_DAYS_MAX + 8 : 7 + QUIET_DAYS_MAX;
    let run = 0;
    for (let ahead = -QUIET_DAYS_MAX; ahead <= days; ahead += 1) {
      run = isQuiet(from.plus({ days: ahead })) ? run + 1 : 0;
      if (run > QUIET_DAYS_MAX) return index;
    }
  }
  return undefined;
}

function isAmong(dates: readonly Applying[], day: DateTime): boolean {
  const iso = day.toISODate() ?? '';
  return dates.some(
    ({ entry }) => 'firstDay' in entry && entry.firstDay <= iso && iso <= entry.lastDay,
  );
}

function utcDay(day: string): DateTime {
  return DateTime.fromISO(day, { zone: 'UTC' });
}
