/** Everything that the gateway, the switch and the process count, in one flat record. */
import { readdirSync } from 'node:fs';
import type { Gateway } from '../gateway/gateway.ts';
import type { Softswitch } from '../softswitch/start-softswitch.ts';

export type Counts = Readonly<Record<string, number>>;

const MIB = 2 ** 20;

/** Names of what grows with every call by its nature: totals since the start. */
const TOTALS =
  /Total$|Received$|Sent$|Peak$|^(?:malformed|timeouts|transportErrors|overloads|strayResponses)$/;

/**
 * Collects garbage first where the process was started with `--expose-gc`: memory is then what is kept.
 * Twice, since buffers that were found by the first collection are counted until the second.
 */
export async function readCounts(
  gateway: Gateway,
  softswitch: Pick<Softswitch, 'stats'>,
): Promise<Counts> {
  const { signalling, media } = await softswitch.stats();
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const counts: Record<string, number> = {};
  const take = (part: string, from: Counts): void => {
    for (const [name, value] of Object.entries(from)) {
      if (TOTALS.test(name)) continue;
      if (name.endsWith('Bytes')) counts[`${part}.${name.replace('Bytes', 'MiB')}`] = value / MIB;
      else counts[`${part}.${name}`] = value;
    }
  };
  const { endpointsWarm, endpointsCreating, ...gauges } = gateway.gauges;
  // One becomes the other all the time; only their sum can grow.
  take('gateway', { ...gauges, endpointsUnused: endpointsWarm + endpointsCreating });
  take('signalling', signalling);
  take('media', media);
  take('process', {
    ...{ heapUsedBytes: heapUsed, externalBytes: external, arrayBuffersBytes: arrayBuffers },
    ...{ residentBytes: rss, openFiles: readdirSync('/proc/self/fd').length },
    ...activeResources(),
  });
  return counts;
}

/** What keeps the main thread's event loop alive, by kind. */
function activeResources(): Counts {
  const kinds: Record<string, number> = { timers: 0, sockets: 0 };
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind === 'Timeout') kinds['timers'] = (kinds['timers'] ?? 0) + 1;
    if (/TCP|UDP/.test(kind)) kinds['sockets'] = (kinds['sockets'] ?? 0) + 1;
  }
  return kinds;
}

/** Less a call than the smallest object that could be forgotten with it. */
const BYTES_PER_ATTEMPT = 64;

/** Growth that is not called a leak, by name. */
export function toleranceOf(name: string, mean: number, attempts: number): number {
  // Resident memory is what the allocator keeps, not what is used: fragments come and go.
  if (name === 'process.residentMiB') return Math.max(48, mean * 0.15);
  if (name.endsWith('MiB')) return Math.max(1, (attempts * BYTES_PER_ATTEMPT) / MIB);
  // A busy machine ends calls later, and more of all is there at once. What is left behind for good
  // shows when nothing is dialled any more, and there it is looked for to the last one.
  return Math.max(8, mean * 0.25);
}

/** Zero when no call is live; the rest of the counts is compared with what it was before. */
export const ZERO_WHEN_IDLE = [
  ...['gateway.attemptsInFlight', 'gateway.attemptsReleasing', 'gateway.dialogsEnding'],
  ...['gateway.endpointsInCalls', 'gateway.endpointsWaiting'],
  ...['signalling.invitesOut', 'signalling.requestsAwaitingClient'],
];

/** Also zero once the gateway is closed: nothing of it is left in the switch. */
export const ZERO_WHEN_CLOSED = [
  ...ZERO_WHEN_IDLE,
  'gateway.endpointsUnused',
  ...['signalling.dialogs', 'signalling.clients'],
  ...['signalling.transactionsClient', 'signalling.transactionsServer'],
  ...['media.channels', 'media.eventSockets', 'media.rtpPortsTaken'],
  ...['media.transactionsClient', 'media.transactionsServer'],
];
