/** `/v1` as one plugin: everything that its routes share, from the first request to the last. */
import type { FastifyInstance } from 'fastify';
import { forgetSends } from '../../consent/sends.ts';
import { journeyRuntime } from '../../journeys/journey-runtime.ts';
import { Uploads } from '../../intake/uploads.ts';
import { SegmentKeeper } from '../../segments/segment-keeper.ts';
import { forgetOccurrences } from '../../triggers/trigger-inbox.ts';
import { forgetDrafts } from '../../journeys/drafting/draft-requests.ts';
import { forgetRuns } from '../../journeys/runs/forget-runs.ts';
import { guardRoutes } from '../access.ts';
import { describeRoutes, serveDocs } from '../docs.ts';
import type { HttpPlugin } from '../http-server.ts';
import { forgetAnswers } from '../idempotency.ts';
import { RateLimit } from '../rate-limit.ts';
import { apiKeyRoutes } from './api-keys/api-keys.routes.ts';
import type { ApiContext, ApiDialer } from './api-context.ts';
import { batchRoutes } from './batches/batches.routes.ts';
import { uploadRoutes } from './batches/upload.routes.ts';
import { capabilityRoutes } from './capabilities/capabilities.routes.ts';
import { amdAuditRoutes } from './compliance/amd-audits.routes.ts';
import { violationRoutes } from './compliance/violations.routes.ts';
import { complianceRoutes } from './consent/compliance.routes.ts';
import { consentImportReadRoutes, consentImportRoutes } from './consent/import.routes.ts';
import { consentRecordRoutes } from './consent/records.routes.ts';
import { contactRoutes } from './contacts/contacts.routes.ts';
import { deliveryRoutes } from './deliveries/deliveries.routes.ts';
import { rulesOfWorkstream } from './destination-rules.ts';
import { engagementRoutes } from './engagements/engagements.routes.ts';
import { engagementOperationRoutes } from './engagements/operations.routes.ts';
import { forecastRoutes } from './engagements/forecast.routes.ts';
import { pacingRoutes } from './engagements/pacing.routes.ts';
import { EventStreams } from './events/event-streams.ts';
import { eventRoutes } from './events/events.routes.ts';
import { explanationRoutes } from './explanations/explanations.routes.ts';
import { journeyRoutes } from './journeys/index.ts';
import { optOutRoutes } from './opt-outs/opt-outs.routes.ts';
import { queueRoutes } from './queues/queues.routes.ts';
import { representativeRoutes } from './representatives/representatives.routes.ts';
import { phoneRoutes } from './representatives/phone.routes.ts';
import { previewRoutes } from './representatives/preview.routes.ts';
import {
  representativeEventRoutes,
  representativeWorkRoutes,
} from './representatives/work.routes.ts';
import { memberFileRoutes } from './segments/member-file.routes.ts';
import { segmentRoutes } from './segments/segments.routes.ts';
import { skillRoutes } from './skills/skills.routes.ts';
import { taskRoutes } from './tasks/tasks.routes.ts';
import { trunkRoutes } from './trunks/trunks.routes.ts';
import { triggerRoutes } from './triggers/triggers.routes.ts';
import { workstreamRoutes } from './workstreams/workstreams.routes.ts';

export interface ApiOptions extends Omit<ApiContext, 'dialer' | 'uploads'> {
  /** Where uploaded files wait for their last row. */
  readonly uploadFolder: string;
  readonly requestsPerSecondMax: number;
  /** Rows of a file that become tasks in one transaction. */
  readonly rowsPerTransaction?: number;
  /** False: somebody else runs them. Default: they run while they are switched on. */
  readonly runsJourneys?: boolean;
}

export interface Api {
  readonly plugin: HttpPlugin;
  readonly uploads: Uploads;
  readonly streams: EventStreams;
  /** From now on there is a dialer: files that an earlier process left are gone on with. */
  attach(dialer: ApiDialer): Promise<void>;
  /** Takes no more orders, and stops imports between two transactions. Reading goes on. */
  detach(): Promise<void>;
}

const FORGET_EVERY_MS = 3_600_000;

export function createApi(options: ApiOptions): Api {
  const { database, requestsPerSecondMax, nowMs } = options;
  let dialer: ApiDialer | undefined;
  let unsubscribe = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  const streams = new EventStreams(options);
  const uploads = uploadsOf(options, (engagementId) => dialer?.tasksWritten(engagementId));
  const context: ApiContext = { ...options, dialer: () => dialer, uploads };
  const limit = new RateLimit({ requestsPerSecondMax, nowMs });
  const plugin = async (app: FastifyInstance): Promise<void> => {
    await describeRoutes(app);
    await app.register(async (guarded) => {
      guardRoutes(guarded, { database, limit });
      for (const routes of ROUTES) routes(guarded, context);
      eventRoutes(guarded, streams);
      representativeEventRoutes(guarded, context, streams);
      await guarded.register((own, _, done) => {
        journeyRoutes(own, context);
        done();
      });
      // Apart: only there is a file taken as a body.
      await guarded.register((own, _, done) => {
        uploadRoutes(own, context);
        consentImportRoutes(own, context);
        memberFileRoutes(own, context);
        done();
      });
    });
    app.addHook('preClose', () => streams.close());
    app.addHook('onClose', async () => {
      clearInterval(timer);
      unsubscribe();
      await segments.stop();
      await journeys.stop();
      await uploads.stop();
    });
    await serveDocs(app, { database, limit });
  };
  const segments = new SegmentKeeper(options);
  const journeys = journeyRuntime({ ...options, dialer: () => dialer });
  const runsJourneys = options.runsJourneys ?? options.journeys?.isEnabled ?? true;
  const forget = (): void => forgetOld(options);
  return {
    ...{ plugin, uploads, streams },
    attach: async (running) => {
      dialer = running;
      const ends = [
        running.subscribe(() => streams.wake()),
        running.subscribe(() => journeys.wake()),
        running.desk.subscribe(() => streams.wake()),
      ];
      unsubscribe = () => {
        for (const end of ends) end();
      };
      forget();
      timer = setInterval(forget, FORGET_EVERY_MS).unref();
      segments.start();
      if (runsJourneys) journeys.start();
      await uploads.resume();
    },
    detach: async () => {
      dialer = undefined;
      await segments.stop();
      await journeys.stop();
      await uploads.stop();
    },
  };
}

function uploadsOf(options: ApiOptions, onTasks: (engagementId: string) => void): Uploads {
  const { database, trunks, uploadFolder: folder } = options;
  return new Uploads({
    ...{ ...options, folder, onTasks },
    rulesOf: async (engagementId) => {
      const row = await database.db
        .selectFrom('engagements')
        .select('workstream_id')
        .where('id', '=', engagementId)
        .executeTakeFirst();
      return rulesOfWorkstream(database.db, trunks, row?.workstream_id ?? '');
    },
  });
}

/**
 * Answers to repeated requests, what no cap counts any more, what triggers were raised with, people who
 * left their journey long ago, texts that journeys were drafted from.
 */
function forgetOld({
  database,
  nowMs,
  log,
  journeys,
}: Pick<ApiOptions, 'database' | 'nowMs' | 'log' | 'journeys'>): void {
  const atMs = nowMs();
  const kinds = [forgetAnswers, forgetSends, forgetOccurrences];
  Promise.all([
    ...kinds.map(async (forgetKind) => forgetKind(database, atMs)),
    forgetRuns(database, atMs, journeys?.keptDays),
    forgetDrafts(database, atMs, journeys?.draftsKeptDays),
  ]).catch((error: unknown) => log.warn({ error }, 'what is old could not be forgotten'));
}

const ROUTES = [
  capabilityRoutes,
  workstreamRoutes,
  queueRoutes,
  engagementRoutes,
  engagementOperationRoutes,
  forecastRoutes,
  pacingRoutes,
  contactRoutes,
  taskRoutes,
  batchRoutes,
  deliveryRoutes,
  explanationRoutes,
  optOutRoutes,
  violationRoutes,
  amdAuditRoutes,
  trunkRoutes,
  skillRoutes,
  representativeRoutes,
  phoneRoutes,
  previewRoutes,
  representativeWorkRoutes,
  complianceRoutes,
  consentRecordRoutes,
  consentImportReadRoutes,
  segmentRoutes,
  triggerRoutes,
  apiKeyRoutes,
];
