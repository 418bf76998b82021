/**
 * A private Redis for a test, on free loopback ports and in a temporary folder; gone afterwards,
 * however the test ended.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import type { IssuedCertificate } from './tls-certificates.ts';

export interface RedisServerOptions {
  /** Default: the port is chosen. Given to start one again where it was. */
  readonly port?: number;
  readonly password?: string;
  /** A Cluster of one node that holds every slot: it refuses what reaches over slots. */
  readonly isCluster?: boolean;
  /** Then plain connections are refused. */
  readonly tls?: { readonly certificate: IssuedCertificate; readonly authoritiesFile: string };
  /** A Sentinel that watches this server, under the name `mymaster`. */
  readonly watches?: { readonly port: number; readonly password: string };
}

/** As with PostgreSQL: it ends with this pipe, whatever happens to its starter. */
const UNTIL_STDIN_ENDS =
  'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -KILL $server 2>/dev/null) & ' +
  'wait $server; code=$?; rm -rf "$FOLDER"; exit $code';
const PORT_TRIES = 5;

export class RedisServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #options: RedisServerOptions;

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let tries = 1; ; tries += 1) {
      const server = new RedisServer(options, options.port ?? (await freePort()), await freePort());
      try {
        await server.#ready();
        if (options.isCluster === true) await server.#takeAllSlots();
        return server;
      } catch (error) {
        // Somebody else took the port between its choice and its use.
        await server.stop();
        if (tries === PORT_TRIES) throw error;
      }
    }
  }

  private constructor(options: RedisServerOptions, port: number, clusterPort: number) {
    this.#options = options;
    this.port = port;
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-redis-'));
    const words = settingsOf(options, { port, clusterPort, folder });
    const command = ['redis-server', ...words];
    this.#child = spawn('/bin/sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], FOLDER: folder },
    });
    this.#ended = once(this.#child, 'exit').then(() => {
      rmSync(folder, { recursive: true, force: true });
    });
  }

  get node(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Sends one command as a stranger to the bus would, and returns the reply. */
  async ask(...words: readonly string[]): Promise<unknown> {
    const { password, tls } = this.#options;
    const client = createClient({
      RESP: 2,
      ...(password === undefined ? {} : { password }),
      socket: {
        ...{ host: '127.0.0.1', port: this.port },
        ...(tls === undefined ? {} : { tls: true as const, rejectUnauthorized: false }),
      },
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand([...words]);
    } finally {
      client.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#ended;
  }

  async #ready(): Promise<void> {
    const { stdout } = this.#child;
    assert(stdout !== null);
    let log = '';
    await new Promise<void>((resolve, reject) => {
      stdout.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (/Ready to accept connections|\+monitor master/.test(log)) resolve();
      });
      void this.#ended.then(() => reject(new Error(`Redis did not start: ${log}`)));
    });
    for (const handle of [this.#child, this.#child.stdin, stdout]) {
      if (handle !== null && 'unref' in handle) (handle as { unref: () => void }).unref();
    }
  }

  async #takeAllSlots(): Promise<void> {
    await this.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    for (;;) {
      const info = await this.ask('CLUSTER', 'INFO');
      if (String(info).includes('cluster_state:ok')) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function settingsOf(
  { password, isCluster = false, tls, watches }: RedisServerOptions,
  { port, clusterPort, folder }: { port: number; clusterPort: number; folder: string },
): readonly string[] {
  const ports =
    tls === undefined
      ? ['--port', String(port)]
      : [
          ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', tls.certificate.certificateFile],
          ...['--tls-key-file', tls.certificate.keyFile],
          ...['--tls-ca-cert-file', tls.authoritiesFile],
        ];
  const common = [...ports, '--bind', '127.0.0.1', '--dir', folder];
  if (watches !== undefined) {
    // A Sentinel writes its own file, and does not start without one.
    const file = join(folder, 'sentinel.conf');
    const monitor = `sentinel monitor mymaster 127.0.0.1 ${watches.port} 1`;
    writeFileSync(file, `${monitor}\nsentinel auth-pass mymaster ${watches.password}\n`);
    return [file, '--sentinel', ...common];
  }
  return [
    ...[...common, '--save', '', '--appendonly', 'no'],
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...(isCluster ? ['--cluster-enabled', 'yes', '--cluster-port', String(clusterPort)] : []),
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  server.close();
  await once(server, 'close');
  return address.port;
}
