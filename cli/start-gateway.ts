/** `ringfence start --only gateway`: a gateway for dialers in other processes, without a store. */
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { Readiness } from '../dialer/health/readiness.ts';
import { telephonyChecks } from '../dialer/health/telephony-checks.ts';
import { healthHttp } from '../dialer/http/health.routes.ts';
import { startHttpServer, type HttpServer } from '../dialer/http/http-server.ts';
import { metricsHttp, requestMetrics } from '../dialer/http/metrics.routes.ts';
import { measureHealth } from '../dialer/metrics/health-metrics.ts';
import { measureProcess } from '../dialer/metrics/process-metrics.ts';
import { PrometheusMeter } from '../dialer/metrics/prometheus-meter.ts';
import { measureGateway } from '../gateway/metrics/measure-gateway.ts';
import { measureSwitch } from '../gateway/metrics/measure-switch.ts';
import { measureBus } from '../telephony-bus/bus-metrics.ts';
import { DirectoryClient } from '../telephony-bus/directory-client.ts';
import { GatewayBus } from '../telephony-bus/gateway-bus.ts';
import { CliError } from './cli-error.ts';
import type { CommandLog } from './command-log.ts';
import { GATEWAY_GROUP } from './gateway-group.ts';
import { requireNodes } from './service-telephony.ts';
import { certificateOf } from './start-dialing.ts';
import { startTelephony, type Telephony } from './start-telephony.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface GatewayServing {
  readonly config: RingfenceConfig;
  readonly file: string | undefined;
  readonly log: CommandLog;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly stopAsked: Promise<'stop'>;
}

const PROBING = { limitMs: 3_000, keptMs: 1_000 };

/** Returns the exit code once its calls have ended and dialers know that it is gone. */
export async function serveGatewayOnly(serving: GatewayServing): Promise<number> {
  const { config, log, terminal, stopAsked } = serving;
  requireNodes(config);
  const { trunks } = config.gateway;
  const directory = directoryOf(config, log);
  directory.open();
  const telephony = await startTelephony({
    ...{ config, trunks, log, representatives: directory },
    ...{ isolated: false, watchesTrunks: true },
  }).catch(async (error: unknown) => {
    await directory.close();
    throw error;
  });
  const bus = busOf(config, telephony, log);
  const { server, end } = await observed(config, telephony, bus, log);
  try {
    bus.open();
    say(terminal, `Ringfence serves as gateway ${config.gateway.id}.`);
    say(terminal, `  HTTP        ${server.url} (health and metrics)`);
    if (telephony.sipPort !== undefined) say(terminal, `  SIP port    ${telephony.sipPort}`);
    if (serving.json) await writeJson(terminal, readiness(config, telephony, server));
    const why = await Promise.race([stopAsked, telephony.broken]);
    if (why !== 'stop') {
      throw new CliError('SERVICE_LOST', `Ringfence cannot go on: ${why.message}.`);
    }
    bus.leave();
    await callsEnded(telephony, config.dialer.stopGraceMs);
    return 0;
  } finally {
    // Dialers are told how its calls ended before they are told that it is gone.
    await telephony.close();
    await Promise.all([bus.close(), directory.close()]);
    end();
    await server.close();
  }
}

/** Representatives are in the store of a dialer elsewhere. */
function directoryOf(config: RingfenceConfig, log: CommandLog): DirectoryClient {
  return new DirectoryClient({
    ...{ config: config.bus, gatewayId: config.gateway.id, queueGroup: GATEWAY_GROUP, log },
    nowMs: () => Date.now(),
  });
}

function busOf(config: RingfenceConfig, telephony: Telephony, log: CommandLog): GatewayBus {
  const { id, embedded, drachtio, trunks } = config.gateway;
  // An embedded switch dies with its gateway: nobody else can end its calls.
  const switchAddress = embedded ? `embedded:${id}` : `${drachtio.host}:${drachtio.port}`;
  return new GatewayBus({
    ...{ config: config.bus, gatewayId: id, gateway: telephony.gateway, switchAddress, log },
    trunks: trunks.map(({ name }) => name),
    queueGroup: GATEWAY_GROUP,
  });
}

async function observed(
  config: RingfenceConfig,
  { gateway, switchStats }: Telephony,
  bus: GatewayBus,
  log: CommandLog,
): Promise<{ server: HttpServer; end: () => void }> {
  const nowMs = (): number => Date.now();
  const meter = new PrometheusMeter({ log });
  const ends = [measureProcess(meter), measureGateway(gateway, meter, nowMs)];
  measureBus(bus, meter);
  if (switchStats !== undefined) measureSwitch(switchStats, meter);
  const readiness = new Readiness({ nowMs, ...PROBING });
  readiness.add(...telephonyChecks(() => gateway.health), { name: 'bus', look: () => bus.health });
  measureHealth(readiness, meter);
  const { bearerToken } = config.metrics;
  const { host, port } = config.http;
  const server = await startHttpServer({
    plugins: [
      requestMetrics(meter),
      healthHttp({ readiness }),
      metricsHttp({ meter, bearerToken }),
    ],
    ...{ log, host, port, certificate: certificateOf(config.http) },
  });
  return {
    server,
    end: () => {
      for (const stop of ends) stop();
    },
  };
}

/** Those that are up may end by themselves, for as long as a stopping dialer lets its own. */
async function callsEnded({ gateway }: Telephony, graceMs: number): Promise<void> {
  const endMs = performance.now() + graceMs;
  while (gateway.gauges.attemptsInFlight > 0 && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = 100;

function readiness({ gateway }: RingfenceConfig, telephony: Telephony, server: HttpServer) {
  return {
    ready: true,
    gatewayId: gateway.id,
    http: server.url,
    sipPort: telephony.sipPort ?? null,
    trunks: gateway.trunks.map(({ name }) => name),
  };
}
