/** What a serving process tells of itself: metrics of every part of it, and whether it is ready. */
import assert from 'node:assert/strict';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { DialerLog } from '../dialer/dialer-log.ts';
import { leaseWatch } from '../dialer/health/lease-check.ts';
import { Readiness } from '../dialer/health/readiness.ts';
import { storeCheck } from '../dialer/health/store-check.ts';
import { telephonyChecks } from '../dialer/health/telephony-checks.ts';
import { healthHttp } from '../dialer/http/health.routes.ts';
import { metricsHttp, requestMetrics } from '../dialer/http/metrics.routes.ts';
import type { Dialer } from '../dialer/main.ts';
import { measureHealth } from '../dialer/metrics/health-metrics.ts';
import { measureJourneys } from '../dialer/metrics/measure-journeys.ts';
import { measureDialer, type DialerMeasurement } from '../dialer/metrics/measure-dialer.ts';
import { measureProcess } from '../dialer/metrics/process-metrics.ts';
import { PrometheusMeter } from '../dialer/metrics/prometheus-meter.ts';
import { measureStore } from '../dialer/metrics/store-metrics.ts';
import { AttemptTraces } from '../dialer/traces/attempt-traces.ts';
import { otlpTraceSink } from '../dialer/traces/sdk-trace-sink.ts';
import { globalTraceSink, type TraceSink } from '../dialer/traces/trace-sink.ts';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { measureGateway } from '../gateway/metrics/measure-gateway.ts';
import { measureSwitch } from '../gateway/metrics/measure-switch.ts';
import { measureBus } from '../telephony-bus/bus-metrics.ts';
import type { DialerBus } from '../telephony-bus/dialer-bus.ts';
import type { Telephony } from './start-telephony.ts';

export interface ObservabilityOptions {
  readonly config: RingfenceConfig;
  readonly database: OpenDatabase;
  readonly telephony: Observed;
  readonly log: DialerLog;
  /** Default: nobody gets any. */
  readonly traces?: TraceSink;
  /** How long a check may take, and how long its report is told again. ms */
  readonly probing?: { readonly limitMs: number; readonly keptMs: number };
}

/** A gateway beside the dialer, or the bus to those elsewhere. */
interface Observed {
  readonly gateway: Gateway | undefined;
  readonly switchStats: Telephony['switchStats'];
  readonly bus?: DialerBus | undefined;
}

type Plugin = ReturnType<typeof healthHttp>;

export interface Observability {
  readonly meter: PrometheusMeter;
  /** `/health` and `/metrics`, and first what measures the requests to all that come after. */
  readonly plugins: readonly Plugin[];
  /** It has its lease and dials. */
  dialerStarted(dialer: Dialer): void;
  /** It gives its lease back: not ready any more, whatever else holds. */
  dialerStopping(): void;
  /** Resolves when all that has happened is in the metrics. */
  settled(): Promise<void>;
  /** Hands on what has been traced. */
  stop(): Promise<void>;
}

/** A probe that waits longer goes elsewhere; probes may come often, and one of them writes. */
const PROBING = { limitMs: 3_000, keptMs: 1_000 };

/** Throws CONFIG_INVALID when traces are wished for and the packages for it are missing. */
export async function openTraces({ traces, dialer }: RingfenceConfig): Promise<TraceSink> {
  if (traces.otlpUrl === '') return globalTraceSink();
  return otlpTraceSink(traces.otlpUrl, { instanceId: dialer.id });
}

export function startObservability(options: ObservabilityOptions): Observability {
  const { config, database, telephony, log, probing = PROBING } = options;
  const traces = options.traces ?? globalTraceSink();
  const { gateway, switchStats, bus } = telephony;
  const port = gateway ?? bus;
  assert(port !== undefined, 'a dialer speaks to a gateway or to a bus');
  const nowMs = (): number => Date.now();
  const meter = new PrometheusMeter({ log });
  const ends = [measureProcess(meter)];
  if (gateway !== undefined) ends.push(measureGateway(gateway, meter, nowMs));
  if (bus !== undefined) measureBus(bus, meter);
  measureStore(database, meter);
  if (switchStats !== undefined) measureSwitch(switchStats, meter);
  const lease = leaseWatch();
  const readiness = new Readiness({ nowMs, ...probing });
  readiness.add(
    storeCheck(database, config.dialer.id, nowMs),
    ...(gateway === undefined ? [] : telephonyChecks(() => gateway.health)),
    ...(bus === undefined ? [] : [{ name: 'bus', look: () => bus.health }]),
    lease.check,
  );
  measureHealth(readiness, meter);
  const { bearerToken, engagementsMax, journeysMax } = config.metrics;
  measureJourneys({ database, meter, nowMs, journeysMax });
  let measurement: DialerMeasurement | undefined;
  return {
    meter,
    plugins: [
      requestMetrics(meter),
      healthHttp({ readiness }),
      metricsHttp({ meter, bearerToken }),
    ],
    dialerStarted: (dialer) => {
      lease.held(dialer);
      const measured = { dialer, telephony: port, meter, log, nowMs, engagementsMax };
      measurement = measureDialer(measured);
      const attempts = new AttemptTraces(traces, nowMs);
      ends.push(
        dialer.subscribe((news) => attempts.hearNews(news)),
        port.subscribe((event) => attempts.hearTelephony(event)),
      );
    },
    dialerStopping: () => lease.released(),
    settled: async () => {
      await measurement?.settled();
    },
    stop: async () => {
      measurement?.stop();
      for (const end of ends) end();
      await traces.stop().catch((error: unknown) => log.warn({ error }, 'traces were not taken'));
    },
  };
}
