/**
 * What the media half of the contract suite runs against: the embedded switch always, and the pair
 * of servers that the environment names. Servers that are not named, or not there,
 * are reported as not run; they never count as passed.
 */
import t, { type Test } from 'tap';
import { startSoftswitch, type Softswitch } from '../../softswitch/start-softswitch.ts';
import { MrfClient } from './mrf-client.ts';
import { namedServers, type NamedServers } from './named-servers.ts';
import { SrfClient } from './srf-client.ts';

export type MediaTarget = NamedServers;

const SECRET = 'contract-secret';
const PASSWORD = 'contract-password';
const LOGIN_MS_MAX = 5_000;

export interface EmbeddedOptions {
  /** Address of SIP and RTP; the control and event-socket ports stay on 127.0.0.1. */
  readonly host?: string;
  readonly rtpPorts?: { readonly min: number; readonly max: number };
  readonly sessionsPerSecondMax?: number;
  readonly rtpQuarantineMs?: number;
  readonly secureMedia?: 'forbidden' | 'optional' | 'mandatory';
}

/** An embedded switch of one test's own. */
export async function embeddedSwitch(
  options: EmbeddedOptions = {},
): Promise<{ target: MediaTarget; softswitch: Softswitch }> {
  const { min, max } = options.rtpPorts ?? { min: 41_000, max: 48_999 };
  const limit = options.sessionsPerSecondMax;
  const softswitch = await startSoftswitch({
    host: options.host ?? '127.0.0.1',
    sip: { port: 0, protocols: ['udp'] },
    control: { port: 0, secret: SECRET },
    media: {
      sipPort: 0,
      rtpPortMin: min,
      rtpPortMax: max,
      rtpQuarantineMs: options.rtpQuarantineMs ?? 5_000,
      secureMedia: options.secureMedia ?? 'forbidden',
      ...(limit === undefined ? {} : { sessionsPerSecondMax: limit }),
    },
    esl: { port: 0, password: PASSWORD },
  });
  const host = '127.0.0.1';
  const target = {
    control: { host, port: softswitch.controlPort, secret: SECRET },
    esl: { host, port: softswitch.eslPort, password: PASSWORD },
  };
  return { target, softswitch };
}

/** Registers both subtests. */
export async function mediaContract(
  run: (t: Test, target: MediaTarget) => Promise<void>,
): Promise<void> {
  void t.test('the embedded switch', async (t) => {
    const { target, softswitch } = await embeddedSwitch();
    t.teardown(() => softswitch.stop());
    await run(t, target);
  });
  const title = 'drachtio-server and FreeSWITCH';
  const target = namedServers();
  const problem =
    target === undefined
      ? 'DRACHTIO=host:port:secret and FREESWITCH=host:port:password are not both set'
      : await problemWith(target);
  if (target === undefined || problem !== undefined) {
    void t.test(title, { skip: `NOT RUN: ${problem ?? ''}` }, () => undefined);
  } else void t.test(title, async (t) => run(t, target));
}

async function problemWith(target: MediaTarget): Promise<string | undefined> {
  try {
    const client = await SrfClient.connect(target.control, 'probe');
    try {
      const connected = MrfClient.connect(client, target.esl);
      (await Promise.race([connected, tooLate()])).close();
    } finally {
      client.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A refused password makes fsmrf try again for ever without a word. */
function tooLate(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no answer to the login')), LOGIN_MS_MAX).unref();
  });
}
