/**
 * `ringfence softswitch` in a process of its own: a switch that outlives its gateways, or dies alone. Where
 * the environment names servers it is they, which no test may kill.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { namedServers, type NamedServers } from './named-servers.ts';
import { ROOT } from './service-process.ts';
import { RINGFENCE } from './own-script.ts';

const HOST = '127.0.0.1';

/** The line that it prints once it can be reached. */
interface Ready {
  readonly controlPort: number;
  readonly eslPort: number;
  readonly controlSecret: string;
  readonly eslPassword: string;
}

export class SwitchProcess {
  readonly #child: ChildProcess | undefined;
  /** As a gateway is told of it. */
  readonly env: Readonly<Record<string, string>>;

  static async start(t: Test): Promise<SwitchProcess> {
    const named = namedServers();
    if (named !== undefined) return new SwitchProcess(undefined, named);
    const words = ['softswitch', '--json', '--host', '127.0.0.1', '--inner-host', '127.0.0.1'];
    const ports = ['--sip', '0', '--control', '0', '--esl', '0', '--media-sip', '0'];
    const child = spawn(process.execPath, [...RINGFENCE, ...words, ...ports], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { controlPort, eslPort, controlSecret, eslPassword } = JSON.parse(line) as Ready;
    return new SwitchProcess(child, {
      control: { host: HOST, port: controlPort, secret: controlSecret },
      esl: { host: HOST, port: eslPort, password: eslPassword },
    });
  }

  private constructor(child: ChildProcess | undefined, { control, esl }: NamedServers) {
    this.#child = child;
    this.env = {
      RINGFENCE_GATEWAY_EMBEDDED: 'false',
      RINGFENCE_DRACHTIO_HOST: control.host,
      RINGFENCE_DRACHTIO_PORT: String(control.port),
      RINGFENCE_DRACHTIO_SECRET: control.secret,
      RINGFENCE_FREESWITCH_HOST: esl.host,
      RINGFENCE_FREESWITCH_PORT: String(esl.port),
      RINGFENCE_FREESWITCH_PASSWORD: esl.password,
      RINGFENCE_FREESWITCH_LISTEN_HOST: esl.ourHost ?? HOST,
    };
  }

  async kill(): Promise<void> {
    assert(this.#child !== undefined, 'only a switch of our own is killed');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
