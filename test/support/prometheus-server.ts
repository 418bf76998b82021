/** A real Prometheus that scrapes one address every second, asked over its own API. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PromSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const READY_LIMIT_MS = 30_000;

export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  static async start(target: string): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-prometheus-'));
    const config = join(folder, 'prometheus.yml');
    const scrape = { job_name: 'ringfence', static_configs: [{ targets: [target] }] };
    // JSON is YAML.
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [scrape],
      }),
    );
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const server = new PrometheusServer(child, folder, `http://127.0.0.1:${port}`);
    await server.#ready();
    return server;
  }

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
  }

  /** Names of all metrics that it was told the type of. */
  async metadata(): Promise<Map<string, string>> {
    const data = (await this.#get('/api/v1/metadata')) as Record<string, { type: string }[]>;
    return new Map(Object.entries(data).map(([name, [first]]) => [name, first?.type ?? '']));
  }

  async query(expression: string): Promise<readonly PromSample[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { result } = (await this.#get(path)) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Of an expression with one result; undefined when there is none. */
  async value(expression: string): Promise<number | undefined> {
    return (await this.query(expression))[0]?.value;
  }

  /** Resolves when a scrape that began after now has succeeded, and so has one after it. */
  async scraped(): Promise<void> {
    for (let scrapes = 0; scrapes < 2; scrapes += 1) await this.#scrapedOnce();
  }

  async #scrapedOnce(): Promise<void> {
    const nowSeconds = Date.now() / 1_000;
    await until(
      async () => (await this.value('timestamp(up) and on(instance) up == 1')) ?? 0,
      (at) => at > nowSeconds,
    );
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const ask = async (): Promise<number> => {
      const answer = await fetch(`${this.#url}/-/ready`).catch(() => undefined);
      return answer?.status ?? 0;
    };
    await until(ask, (status) => status === 200);
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`);
    const { status, data, error } = (await response.json()) as Record<string, unknown>;
    if (status !== 'success') throw new Error(`Prometheus: ${String(error)}`);
    return data;
  }
}

/** What `promtool check metrics` has to say; empty when it finds nothing wrong. */
export function promtoolComplaints(text: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return status === 0 ? '' : `${stdout}${stderr}` || `exit code ${status ?? 'unknown'}`;
}

/** Prometheus says nothing by itself: it is asked until the answer is the one awaited. */
async function until<T>(ask: () => Promise<T>, isEnough: (answer: T) => boolean): Promise<void> {
  const endAtMs = performance.now() + READY_LIMIT_MS;
  while (!isEnough(await ask())) {
    if (performance.now() > endAtMs) throw new Error('Prometheus has not come so far');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
