/**
 * A gateway on its switch for the length of one command. The switch is the embedded one unless the
 * configuration names drachtio-server and FreeSWITCH.
 */
import { randomBytes } from 'node:crypto';
import type { GatewayConfig } from '../config/gateway.schema.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { SoftswitchConfig } from '../config/softswitch.schema.ts';
import { isLoopback, readTrunkAddress } from '../config/trunk-address.ts';
import type { TrunkConfig } from '../config/trunk.schema.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { GatewayLog } from '../gateway/gateway-log.ts';
import type { RepresentativeDirectory } from '../machines/representative-directory.port.ts';
import { startSoftswitch, type Softswitch } from '../softswitch/start-softswitch.ts';
import { addressTowards } from './local-address.ts';

export interface Telephony {
  readonly gateway: Gateway;
  /** Where the embedded switch takes SIP from trunks; undefined with an outside one. */
  readonly sipPort: number | undefined;
  /** What the embedded switch counts; undefined with an outside one, which has metrics of its own. */
  readonly switchStats: (() => ReturnType<Softswitch['stats']>) | undefined;
  /** Resolves with the reason when the embedded switch ends by itself; else never. */
  readonly broken: Promise<Error>;
  /** Hangs up what is live, then closes the gateway and its switch. */
  close(): Promise<void>;
}

export interface TelephonyOptions {
  readonly config: RingfenceConfig;
  /** Those that calls may leave through: one for a command, all of them for the service. */
  readonly trunks: readonly TrunkConfig[];
  readonly log: GatewayLog;
  /** Always the embedded switch, on free ports: beside a service that may be running. */
  readonly isolated: boolean;
  /** Ask each trunk from time to time whether it is there. Default: not, it shows in the call. */
  readonly watchesTrunks?: boolean;
  /** Whose phones may register and dial in. Default: nobody's. */
  readonly representatives?: RepresentativeDirectory;
}

export async function startTelephony(options: TelephonyOptions): Promise<Telephony> {
  const { config, trunks, log, isolated, watchesTrunks = false, representatives } = options;
  const more = representatives === undefined ? {} : { representatives };
  const gatewayConfig: GatewayConfig = {
    ...config.gateway,
    trunks: [...trunks],
    ...(watchesTrunks ? {} : { trunkCheckIntervalMs: 0 }),
  };
  if (!isolated && !config.gateway.embedded) {
    const gateway = await createGateway({ config: gatewayConfig, log, ...more });
    const broken = new Promise<never>(() => undefined);
    const close = (): Promise<void> => gateway.close();
    return { gateway, sipPort: undefined, switchStats: undefined, broken, close };
  }
  const settings = await switchSettings(config.softswitch, trunks, isolated);
  const softswitch = await startSoftswitch(softswitchOptions(settings));
  try {
    const gateway = await createGateway({
      config: onSwitch(gatewayConfig, softswitch, settings),
      log,
      ...more,
    });
    return {
      gateway,
      sipPort: softswitch.sipPort,
      switchStats: () => softswitch.stats(),
      broken: brokenOf(softswitch),
      close: async () => {
        await gateway.close();
        await softswitch.stop();
      },
    };
  } catch (error) {
    await softswitch.stop();
    throw error;
  }
}

/** Secrets that were left empty are made here, and live as long as the process. */
export function withSecrets(softswitch: SoftswitchConfig): SoftswitchConfig {
  return {
    ...softswitch,
    controlSecret: softswitch.controlSecret || newSecret(),
    eslPassword: softswitch.eslPassword || newSecret(),
  };
}

function newSecret(): string {
  return randomBytes(16).toString('hex');
}

/** The configuration's names in the switch's shape. */
export function softswitchOptions(settings: SoftswitchConfig) {
  return {
    host: settings.host,
    innerHost: settings.innerHost,
    sip: {
      port: settings.sipPort,
      protocols: settings.sipProtocols,
      ...(settings.sipProtocols.includes('tls')
        ? { tlsPort: settings.sipTlsPort, tls: tlsFiles(settings) }
        : {}),
    },
    dnsServers: settings.dnsServers,
    control: {
      port: settings.controlPort,
      secret: settings.controlSecret,
      clientGoneMs: settings.controlClientGoneMs,
    },
    media: {
      sipPort: settings.mediaSipPort,
      rtpPortMin: settings.rtpPortMin,
      rtpPortMax: settings.rtpPortMax,
      rtpQuarantineMs: settings.rtpQuarantineMs,
      secureMedia: settings.secureMedia,
    },
    esl: { port: settings.eslPort, password: settings.eslPassword },
  };
}

function tlsFiles(settings: SoftswitchConfig) {
  return {
    certificateFile: settings.tlsCertificateFile,
    keyFile: settings.tlsKeyFile,
    ...(settings.tlsAuthoritiesFile === '' ? {} : { authoritiesFile: settings.tlsAuthoritiesFile }),
    verifiesServers: settings.tlsVerifyServers,
  };
}

async function switchSettings(
  softswitch: SoftswitchConfig,
  trunks: readonly TrunkConfig[],
  isolated: boolean,
): Promise<SoftswitchConfig> {
  const settings = withSecrets({
    ...softswitch,
    ...(isolated ? { sipPort: 0, sipTlsPort: 0 } : {}),
    controlPort: 0,
    eslPort: 0,
    mediaSipPort: 0,
  });
  if (!isLoopback(settings)) return settings;
  // A switch on loopback cannot be answered from elsewhere: it binds where the trunk can reach it.
  for (const trunk of trunks) {
    const address = readTrunkAddress(trunk.address);
    if ('problem' in address || isLoopback(address)) continue;
    return { ...settings, host: await addressTowards(address.host, address.port) };
  }
  return settings;
}

function onSwitch(
  config: GatewayConfig,
  softswitch: Softswitch,
  settings: SoftswitchConfig,
): GatewayConfig {
  const { innerHost: host, controlSecret, eslPassword } = settings;
  const { controlPort, eslPort } = softswitch;
  return {
    ...config,
    drachtio: { ...config.drachtio, host, port: controlPort, secret: controlSecret },
    freeswitch: {
      ...config.freeswitch,
      ...{ host, port: eslPort, password: eslPassword, listenHost: host },
    },
  };
}

function brokenOf(softswitch: Softswitch): Promise<Error> {
  return new Promise((resolve) => {
    void softswitch.onExit.then((error) => {
      if (error !== undefined) resolve(error);
    });
  });
}
