/**
 * What the contract suite of the switch runs against: the embedded one always, and the drachtio-server
 * that DRACHTIO=host:port:secret names. A server that is not named, or not there, is reported as not
 * run; it never counts as passed.
 */
import t, { type Test } from 'tap';
import { startSignallingWorker } from '../../softswitch/start-softswitch.ts';
import { SrfClient, type ControlTarget } from './srf-client.ts';

export interface SignallingTarget extends ControlTarget {
  /** drachtio-server's own limits (no shortened timers, no clients taking over) are respected by it. */
  readonly isEmbedded: boolean;
}

export interface ContractOptions {
  /** T1 of the embedded switch, where a test waits for time-outs of 64*T1. */
  readonly t1Ms?: number;
}

const SECRET = 'contract-secret';

/** Registers both subtests; resolves when they are registered, not when they have run. */
export async function contract(
  options: ContractOptions,
  run: (t: Test, target: SignallingTarget) => Promise<void>,
): Promise<void> {
  void t.test('the embedded switch', async (t) => {
    const worker = await startSignallingWorker({
      host: '127.0.0.1',
      sip: { port: 0, protocols: ['udp', 'tcp'] },
      control: { port: 0, secret: SECRET },
      ...(options.t1Ms === undefined ? {} : { t1Ms: options.t1Ms }),
    });
    t.teardown(() => worker.stop());
    const { controlPort } = worker.ports;
    const target = { host: '127.0.0.1', port: controlPort, secret: SECRET, isEmbedded: true };
    await run(t, target);
  });

  const named = process.env['DRACHTIO'];
  const [host = '', port = '', secret = ''] = (named ?? '').split(':');
  const target = { host, port: Number(port), secret, isEmbedded: false };
  const problem =
    named === undefined
      ? 'DRACHTIO=host:port:secret is not set'
      : await problemWith(target).then((why) => why && `${host}:${port} does not answer: ${why}`);
  const title = 'drachtio-server';
  if (problem === undefined) void t.test(title, async (t) => run(t, target));
  else void t.test(title, { skip: `NOT RUN: ${problem}` }, () => undefined);
}

async function problemWith(target: ControlTarget): Promise<string | undefined> {
  try {
    (await SrfClient.connect(target, 'probe')).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
