/** `ringfence softswitch` in a process of its own: a switch that outlives its gateways, or dies alone. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { ROOT } from './service-process.ts';
import { RINGFENCE } from './own-script.ts';

export class SwitchProcess {
  readonly #child: ChildProcess;
  /** As a gateway is told of it. */
  readonly env: Readonly<Record<string, string>>;

  static async start(t: Test): Promise<SwitchProcess> {
    const words = ['softswitch', '--json', '--host', '127.0.0.1', '--inner-host', '127.0.0.1'];
    const ports = ['--sip', '0', '--control', '0', '--esl', '0', '--media-sip', '0'];
    const child = spawn(process.execPath, [...RINGFENCE, ...words, ...ports], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new SwitchProcess(child, JSON.parse(line) as Record<string, unknown>);
  }

  private constructor(child: ChildProcess, ready: Record<string, unknown>) {
    this.#child = child;
    const { controlPort, eslPort, controlSecret, eslPassword } = ready;
    assert(typeof controlSecret === 'string' && typeof eslPassword === 'string');
    this.env = {
      RINGFENCE_GATEWAY_EMBEDDED: 'false',
      RINGFENCE_DRACHTIO_PORT: String(controlPort),
      RINGFENCE_DRACHTIO_SECRET: controlSecret,
      RINGFENCE_FREESWITCH_PORT: String(eslPort),
      RINGFENCE_FREESWITCH_PASSWORD: eslPassword,
    };
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
