/** `/v1` on a store, without a telephone network: the dialer's orders are carried out on the rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { Role } from '../../dialer/api-keys/api-key.ts';
import { createKeyIn } from '../../dialer/api-keys/api-keys.ts';
import { firstKey } from '../../dialer/api-keys/first-key.ts';
import type { DialerNews, NewsListener } from '../../dialer/dialer-news.ts';
import {
  resumeEngagement,
  suspendEngagement,
} from '../../dialer/engagements/suspend-engagement.ts';
import { readForecastInput } from '../../dialer/forecast/forecast-input.ts';
import type { ForecastPort } from '../../dialer/forecast/forecast.port.ts';
import { makeHttpApp, type HttpPlugin } from '../../dialer/http/http-server.ts';
import { createApi, type Api } from '../../dialer/http/v1/api.ts';
import type {
  ApiDialer,
  ApiGateways,
  ApiTrunk,
  JourneySwitches,
} from '../../dialer/http/v1/api-context.ts';
import { idSource, type IdSource } from '../../dialer/ids/uuid7.ts';
import { systemClock } from '../../dialer/clock.ts';
import { RepresentativeDesk } from '../../dialer/representatives/representative-desk.ts';
import { SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { acquireLease } from '../../dialer/store/leases.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { cancelTask } from '../../dialer/tasks/cancel-task.ts';
import { WorkInHand } from '../../dialer/work-in-hand.ts';
import { DialerError } from '../../machines/errors.ts';
import { forecast } from '../../simulator/forecast/forecast.ts';
import { silentLog } from './silent-log.ts';
import { SimulatedLobbies } from './simulated-lobbies.ts';
import type { StorePlace } from './store-target.ts';

export type Json = Record<string, unknown>;

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT' | 'HEAD';
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the admin's. Null: none. */
  readonly key?: string | null;
}

export interface Answered {
  readonly status: number;
  readonly body: Json;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Asked for these seeds, it is refused as it is by threads that are busy, or too slow. */
export const SEED_OF_REFUSAL = {
  TOO_MANY_FORECASTS: 4_294_967_295,
  FORECAST_TIMEOUT: 4_294_967_294,
} as const;

/** Without a thread. */
function forecastHere(database: OpenDatabase): ForecastPort {
  return async (job) => {
    for (const [code, seed] of Object.entries(SEED_OF_REFUSAL)) {
      if (job.seed === seed)
        throw new DialerError(code as keyof typeof SEED_OF_REFUSAL, 'as asked');
    }
    const source = { database, trunkOf: () => undefined, numberGapMs: 0, rulePacks: SHIPPED };
    return forecast(await readForecastInput(source, job), job);
  };
}

export const TRUNKS: readonly ApiTrunk[] = [{ name: 'carrier', destinationFormat: 'e164' }];

export interface ApiRigOptions {
  readonly requestsPerSecondMax?: number;
  readonly isAttached?: boolean;
  readonly plugins?: readonly HttpPlugin[];
  readonly rowsPerTransaction?: number;
  readonly gateways?: ApiGateways;
  /** Default: one that takes E.164. */
  readonly trunks?: readonly ApiTrunk[];
  readonly journeys?: JourneySwitches;
  readonly hasTranscriber?: boolean;
}

const NO_GATEWAYS: ApiGateways = {
  ids: () => [],
  send: ({ gatewayId }) => Promise.reject(new Error(`there is no ${gatewayId}`)),
};

export class ApiRig {
  readonly app: FastifyInstance;
  readonly api: Api;
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly adminKey: string;
  readonly businessUnitId: string;
  readonly dialer: StoreDialer;
  readonly lobbies: SimulatedLobbies;
  readonly folder: string;
  readonly clock: { nowMs: number };

  static async open(t: Test, place: StorePlace, options: ApiRigOptions = {}): Promise<ApiRig> {
    const clock = { nowMs: Date.now() };
    const nowMs = (): number => clock.nowMs;
    const database = await place.open({ nowMs });
    const ids = idSource(nowMs);
    const writer = { database, ids, nowMs: nowMs(), actor: 'system', configuredKey: '' };
    const { adminKey, businessUnitId } = await firstKey(writer);
    if (adminKey === null) throw new Error('the store has a key already');
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-uploads-'));
    const { requestsPerSecondMax = 100_000, plugins = [], rowsPerTransaction } = options;
    const api = createApi({
      ...{ forecast: forecastHere(database), rulePacks: SHIPPED },
      ...{ database, ids, nowMs, log: silentLog, requestsPerSecondMax },
      trunks: options.trunks ?? TRUNKS,
      registrarRealm: 'phones.example',
      gateways: options.gateways ?? NO_GATEWAYS,
      uploadFolder: folder,
      runsJourneys: false,
      ...(options.journeys === undefined ? {} : { journeys: options.journeys }),
      hasTranscriber: options.hasTranscriber ?? false,
      ...(rowsPerTransaction === undefined ? {} : { rowsPerTransaction }),
    });
    const app = makeHttpApp({ plugins: [api.plugin, ...plugins], log: silentLog });
    await app.ready();
    const dialer = new StoreDialer(database, nowMs);
    const lobbies = new SimulatedLobbies();
    t.teardown(async () => {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const made = { app, api, database, ids, adminKey, businessUnitId, dialer, lobbies };
    const rig = new ApiRig({ ...made, folder, clock });
    dialer.desk = await rig.openDesk(t);
    if (options.isAttached !== false) await api.attach(dialer);
    return rig;
  }

  private constructor(
    made: Pick<
      ApiRig,
      | 'app'
      | 'api'
      | 'database'
      | 'ids'
      | 'adminKey'
      | 'businessUnitId'
      | 'dialer'
      | 'lobbies'
      | 'folder'
      | 'clock'
    >,
  ) {
    this.app = made.app;
    this.api = made.api;
    this.database = made.database;
    this.ids = made.ids;
    this.adminKey = made.adminKey;
    this.businessUnitId = made.businessUnitId;
    this.dialer = made.dialer;
    this.lobbies = made.lobbies;
    this.folder = made.folder;
    this.clock = made.clock;
  }

  /** Asks, and holds the answer against the schema of its route. */
  async ask({ method = 'GET', url, body, headers = {}, key }: Asked): Promise<Answered> {
    const sent = key === undefined ? this.adminKey : key;
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await this.app.inject({
      method,
      url,
      headers: { ...(sent === null ? {} : { authorization: `Bearer ${sent}` }), ...headers },
      ...(body === undefined ? {} : { payload: isText ? body : (body as object) }),
    });
    const answered: Answered = {
      status: response.statusCode,
      text: response.body,
      body: /json/.test(String(response.headers['content-type'])) ? response.json<Json>() : {},
      headers: response.headers,
    };
    this.#check(method, url, answered);
    return answered;
  }

  get(url: string, key?: string | null): Promise<Answered> {
    return this.ask({ url, ...(key === undefined ? {} : { key }) });
  }

  post(url: string, body?: unknown, headers: Asked['headers'] = {}): Promise<Answered> {
    return this.ask({ method: 'POST', url, body, headers });
  }

  upload(engagementId: unknown, text: string | Buffer, more: Partial<Asked> = {}) {
    const { headers = {}, url = '?fileName=contacts.csv' } = more;
    return this.ask({
      method: 'POST',
      url: `/v1/engagements/${String(engagementId)}/batches${url}`,
      body: text,
      headers: { 'content-type': 'text/csv', ...headers },
    });
  }

  /** The id of what was made; throws with the problem when nothing was. */
  async make(url: string, body: unknown): Promise<string> {
    const { status, body: made } = await this.post(url, body);
    if (status !== 201) throw new Error(`${url}: ${JSON.stringify(made)}`);
    return String(made['id']);
  }

  async key(role: Role | null, showsNumbers = false): Promise<string> {
    const { database, ids, businessUnitId } = this;
    const writer = { database, ids, nowMs: this.clock.nowMs, businessUnitId, actor: 'test' };
    const input = {
      name: `a ${role ?? 'role-less'} key`,
      role,
      showsNumbers,
      origin: 'api',
    } as const;
    return database.db
      .transaction()
      .execute(async (tx) => (await createKeyIn(tx, writer, input)).key);
  }

  /** A desk as the next owner of the queue group has one. */
  async openDesk(t: Test): Promise<RepresentativeDesk> {
    const { database, ids } = this;
    const lease = await acquireLease(database.db, {
      ...{ name: 'queue-group:all', owner: 'rig', nowMs: this.clock.nowMs, leaseMs: 3_600_000 },
    });
    if (lease === undefined) throw new Error('the queue group is held by somebody else');
    const desk = new RepresentativeDesk({
      ...{ database, ids, log: silentLog, telephony: this.lobbies },
      ...{ actor: 'dialer:rig', leaseName: lease.name, fence: lease.epoch, invitationMs: 20_000 },
      gatewayFor: (_, preferred = 'g-1') => preferred,
      clock: systemClock,
      work: new WorkInHand((error) => t.fail(String(error))),
      times: { phoneRingMs: 30_000, lobbyIdleMs: 600_000, lobbyKeepMs: 5_000, storeRetryMs: 50 },
    });
    t.teardown(this.lobbies.subscribe((event) => desk.onTelephony(event)));
    await desk.takeOver();
    await desk.begin();
    t.teardown(() => desk.stop());
    return desk;
  }

  /** A workstream, a queue, and an engagement of them. */
  async engagement(
    more: Json = {},
  ): Promise<{ workstreamId: string; queueId: string; id: string }> {
    const workstream = {
      ...{ name: 'Reminders', trunk: 'carrier', number: '+12025550100' },
      settings: { prompts: ['tone_stream://%(500,0,440)'] },
    };
    const workstreamId = await this.make('/v1/workstreams', workstream);
    const queueId = await this.make('/v1/queues', { name: 'Always' });
    const config = { mode: { kind: 'copilot', maxConcurrentCalls: 5 } };
    const input = { name: 'Appointments', workstreamId, queueId, config, ...more };
    return { workstreamId, queueId, id: await this.make('/v1/engagements', input) };
  }

  #check(method: string, url: string, { status, body }: Answered): void {
    const path = url.split('?', 1)[0] ?? '';
    const schema = this.app.routeTable.schemaOf(method, path)?.response as
      Record<string, TSchema> | undefined;
    const expected = schema?.[String(status)] ?? schema?.[`${String(status).slice(0, 1)}xx`];
    if (expected === undefined || 'content' in expected || status === 404) return;
    const [fault] = Value.Errors(expected, body);
    if (fault === undefined) return;
    const place = `${fault.instancePath} ${fault.message}`;
    throw new Error(`${method} ${path} answered ${status} against its schema: ${place}`);
  }
}

/** What a dialer does on request, on the rows alone. */
export class StoreDialer implements ApiDialer {
  /** What it was told of. */
  readonly told: string[] = [];
  onTasks: (() => Promise<void>) | undefined;
  desk!: RepresentativeDesk;
  readonly #database: OpenDatabase;
  readonly #nowMs: () => number;
  readonly #listeners = new Set<NewsListener>();

  constructor(database: OpenDatabase, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  async suspend(request: Parameters<ApiDialer['suspend']>[0]): Promise<boolean> {
    const nowMs = this.#nowMs();
    return (await suspendEngagement(this.#database, { ...request, nowMs })) !== undefined;
  }

  async resume(request: Parameters<ApiDialer['resume']>[0]): Promise<boolean> {
    const nowMs = this.#nowMs();
    return (await resumeEngagement(this.#database, { ...request, nowMs })) !== undefined;
  }

  async cancelTask({ taskId, ...context }: Parameters<ApiDialer['cancelTask']>[0]) {
    const asked = { ...context, database: this.#database, nowMs: this.#nowMs() };
    return (await cancelTask(asked, taskId)).outcome;
  }

  trunksChanged(): Promise<void> {
    this.told.push('trunksChanged');
    return Promise.resolve();
  }

  /** Nothing dials here, so nobody is shown anything. */
  endCall(): boolean {
    return false;
  }

  previewOf(): undefined {
    return undefined;
  }

  async pacingWritten(): Promise<void> {
    this.told.push('pacing written');
  }

  async engagementChanged(id: string): Promise<void> {
    this.told.push(`changed ${id}`);
  }

  tasksWritten(id: string): void {
    this.told.push(`tasks ${id}`);
    void this.onTasks?.();
  }

  subscribe(listener: NewsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(news: DialerNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}
