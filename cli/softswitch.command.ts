/** `ringfence softswitch`: the embedded switch alone, for drachtio-srf and drachtio-fsmrf. */
import { Command } from 'commander';
import { isWellKnownSecret } from '../config/well-known-secrets.ts';
import { loadProcessConfig } from '../config/process-config.ts';
import type { SoftswitchConfig } from '../config/softswitch.schema.ts';
import { startSoftswitch } from '../softswitch/start-softswitch.ts';
import { CliError } from './cli-error.ts';
import { onInterruption } from './interruption.ts';
import { wholeNumber } from './option-values.ts';
import { softswitchOptions, withSecrets } from './start-telephony.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface SoftswitchCommandOptions {
  readonly host?: string;
  readonly innerHost?: string;
  readonly sip?: number;
  readonly control?: number;
  readonly esl?: number;
  readonly mediaSip?: number;
  readonly controlSecret?: string;
  readonly eslPassword?: string;
  readonly config?: string;
  readonly json: boolean;
}

const port = wholeNumber(0, 65_535);

export function softswitchCommand(): Command {
  return new Command('softswitch')
    .description('run the embedded switch alone until it is told to stop')
    .option('--host <address>', 'address of SIP and RTP, which the trunks must reach')
    .option('--inner-host <address>', 'address of the control, event-socket and media SIP ports')
    .option('--sip <port>', 'SIP towards the trunks, UDP and TCP; 0 takes any free port', port)
    .option('--control <port>', "drachtio's control protocol; 0 takes any free port", port)
    .option('--esl <port>', 'event socket; 0 takes any free port', port)
    .option('--media-sip <port>', 'SIP of the media half; 0 takes any free port', port)
    .option('--control-secret <secret>', 'better given as RINGFENCE_SOFTSWITCH_CONTROL_SECRET')
    .option('--esl-password <password>', 'better given as RINGFENCE_SOFTSWITCH_ESL_PASSWORD')
    .option('--config <file>', 'configuration whose softswitch section is used')
    .option('--json', 'one JSON value on stdout once it is ready', false);
}

/** Returns the exit code once the switch has stopped. */
export async function runSoftswitch(
  options: SoftswitchCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const given = settingsOf(options, loadProcessConfig(options.config).config.softswitch);
  const settings = withSecrets(given);
  const softswitch = await startSoftswitch(softswitchOptions(settings));
  const { sipPort, sipTlsPort, controlPort, eslPort, mediaSipPort } = softswitch;
  const made = {
    ...(given.controlSecret === '' ? { controlSecret: settings.controlSecret } : {}),
    ...(given.eslPassword === '' ? { eslPassword: settings.eslPassword } : {}),
  };
  announce({ settings, sipPort, sipTlsPort, controlPort, eslPort, mediaSipPort, made }, terminal);
  const { host, innerHost } = settings;
  if (options.json) {
    const ports = {
      sipPort,
      ...(sipTlsPort && { sipTlsPort }),
      controlPort,
      eslPort,
      mediaSipPort,
    };
    await writeJson(terminal, { host, innerHost, ...ports, ...made });
  }
  const stopWatching = onInterruption(() => void softswitch.stop());
  const failure = await softswitch.onExit;
  stopWatching();
  // One half may end alone: the other is of no use without it.
  await softswitch.stop();
  if (failure === undefined) {
    say(terminal, 'The switch has stopped.');
    return 0;
  }
  throw new CliError('SWITCH_LOST', `The switch ended by itself: ${failure.message}`);
}

function settingsOf(options: SoftswitchCommandOptions, config: SoftswitchConfig): SoftswitchConfig {
  for (const secret of [options.controlSecret, options.eslPassword]) {
    if (secret === undefined) continue;
    if (secret === '' || isWellKnownSecret(secret)) {
      throw new CliError(
        'SECRET_REFUSED',
        'A secret that is empty or that everybody knows is refused: give one of your own, or none to have one made.',
      );
    }
  }
  return {
    ...config,
    host: options.host ?? config.host,
    innerHost: options.innerHost ?? config.innerHost,
    sipPort: options.sip ?? config.sipPort,
    controlPort: options.control ?? config.controlPort,
    eslPort: options.esl ?? config.eslPort,
    mediaSipPort: options.mediaSip ?? config.mediaSipPort,
    controlSecret: options.controlSecret ?? config.controlSecret,
    eslPassword: options.eslPassword ?? config.eslPassword,
  };
}

interface Announcement {
  readonly settings: SoftswitchConfig;
  readonly sipPort: number;
  readonly sipTlsPort: number | undefined;
  readonly controlPort: number;
  readonly eslPort: number;
  readonly mediaSipPort: number;
  readonly made: { readonly controlSecret?: string; readonly eslPassword?: string };
}

function announce(switched: Announcement, terminal: Terminal): void {
  const { settings, sipPort, sipTlsPort, controlPort, eslPort, mediaSipPort, made } = switched;
  const protocols = settings.sipProtocols.filter((name) => name !== 'tls');
  const plain = protocols.map((name) => name.toUpperCase()).join(' and ');
  say(terminal, `The switch is ready on ${settings.host}:`);
  if (plain !== '') say(terminal, `  SIP towards trunks   ${String(sipPort)} (${plain})`);
  if (sipTlsPort !== undefined) say(terminal, `  SIP over TLS         ${String(sipTlsPort)}`);
  const inner = settings.innerHost === settings.host ? '' : `${settings.innerHost}:`;
  say(terminal, `  control (drachtio)   ${inner}${String(controlPort)}`);
  say(terminal, `  event socket         ${inner}${String(eslPort)}`);
  say(terminal, `  SIP of the media     ${inner}${String(mediaSipPort)}`);
  if (made.controlSecret !== undefined) {
    say(terminal, `  control secret       ${made.controlSecret} (made for this run, shown once)`);
  }
  if (made.eslPassword !== undefined) {
    say(terminal, `  event socket password ${made.eslPassword} (made for this run, shown once)`);
  }
}
