/** The process itself, under the names that every Prometheus client uses. */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import {
  counter,
  gauge,
  type Meter,
  type MetricTable,
  type SetReading,
} from '../../machines/meter.port.ts';

export const PROCESS_METRICS = {
  cpu: counter('process_cpu_seconds_total', 'CPU time, all threads.'),
  cpuUser: counter('process_cpu_user_seconds_total', 'CPU time in user mode, all threads.'),
  cpuSystem: counter('process_cpu_system_seconds_total', 'CPU time in the kernel, all threads.'),
  startTime: gauge('process_start_time_seconds', 'When the process began, Unix time.'),
  resident: gauge('process_resident_memory_bytes', 'Resident memory, all threads.'),
  openFiles: gauge('process_open_fds', 'Open files and sockets; absent where that is not known.'),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Heap in use, main thread.'),
  heapTotal: gauge('nodejs_heap_size_total_bytes', 'Heap that is allocated, main thread.'),
  external: gauge('nodejs_external_memory_bytes', 'Memory outside the heap, main thread.'),
  loopDelay: gauge(
    'nodejs_eventloop_delay_seconds',
    'Delay of the main thread’s event loop since the last scrape: p50, p99, max.',
    ['statistic'],
  ),
  loopUse: gauge(
    'nodejs_eventloop_utilization_ratio',
    'Share of the time since the last scrape that the main thread was busy.',
  ),
  collections: counter('nodejs_gc_seconds_total', 'Time spent collecting garbage, main thread.'),
} as const satisfies MetricTable;

const DELAY_RESOLUTION_MS = 10;

/** Returns the function that ends it. */
export function measureProcess(meter: Meter): () => void {
  const metrics = PROCESS_METRICS;
  meter.register(metrics);
  meter.add(metrics.collections, {}, 0);
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      meter.add(metrics.collections, {}, duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  let used = performance.eventLoopUtilization();
  meter.onScrape({
    name: 'process',
    metrics: Object.values(metrics).filter((metric) => metric !== metrics.collections),
    read: (set) => {
      readProcess(set);
      const now = performance.eventLoopUtilization();
      set(metrics.loopUse, {}, performance.eventLoopUtilization(now, used).utilization);
      used = now;
      // A timer that is on time is late by nothing, but is measured as its own interval.
      const seconds = (nanoseconds: number): number =>
        Math.max(
          0,
          (Number.isNaN(nanoseconds) ? 0 : nanoseconds) / 1e9 - DELAY_RESOLUTION_MS / 1e3,
        );
      set(metrics.loopDelay, { statistic: 'p50' }, seconds(delay.percentile(50)));
      set(metrics.loopDelay, { statistic: 'p99' }, seconds(delay.percentile(99)));
      set(metrics.loopDelay, { statistic: 'max' }, seconds(delay.max));
      delay.reset();
    },
  });
  return () => {
    observer.disconnect();
    delay.disable();
  };
}

function readProcess(set: SetReading): void {
  const metrics = PROCESS_METRICS;
  const { user, system } = process.cpuUsage();
  set(metrics.cpu, {}, (user + system) / 1e6);
  set(metrics.cpuUser, {}, user / 1e6);
  set(metrics.cpuSystem, {}, system / 1e6);
  set(metrics.startTime, {}, Math.round(Date.now() / 1_000 - process.uptime()));
  const memory = process.memoryUsage();
  set(metrics.resident, {}, memory.rss);
  set(metrics.heapUsed, {}, memory.heapUsed);
  set(metrics.heapTotal, {}, memory.heapTotal);
  set(metrics.external, {}, memory.external);
  const files = openFiles();
  if (files !== undefined) set(metrics.openFiles, {}, files);
}

/** Linux alone tells. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
