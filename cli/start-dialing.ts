/** A dialer on its store, with its desk for AI agents: what the service and the demo have in common. */
import { readFileSync } from 'node:fs';
import { dialableTrunks } from '../config/dialable-trunks.ts';
import type { HttpConfig } from '../config/http.schema.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { firstKey } from '../dialer/api-keys/first-key.ts';
import { CallAudit } from '../dialer/audit/call-audit.ts';
import { measureAmdAudits } from '../dialer/metrics/amd-audit-metrics.ts';
import type { DialerLog } from '../dialer/dialer-log.ts';
import { systemClock } from '../dialer/clock.ts';
import { dialerSettings } from '../dialer/dialer-settings.ts';
import type { HttpPlugin } from '../dialer/http/http-server.ts';
import { startAiAgents, type AiAgents } from '../dialer/http/start-ai-agents.ts';
import { createApi, type Api } from '../dialer/http/v1/api.ts';
import { idSource, type IdSource } from '../dialer/ids/uuid7.ts';
import { ChatModel } from '../dialer/journeys/drafting/chat-model.ts';
import type { DraftModelUse } from '../dialer/journeys/drafting/draft-model.ts';
import type { SendingSettings } from '../dialer/journeys/effects/effect-chores.ts';
import { startDialer, type Dialer } from '../dialer/main.ts';
import { TranscriptionWork } from '../dialer/recordings/transcription-work.ts';
import { RulePacks } from '../dialer/rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import type { AgentVerdict } from '../machines/agent-verdict.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';
import type { TrunkCommand } from '../machines/trunk-commands.ts';
import { forecastInThreads } from '../simulator/forecast/forecast-thread.ts';
import { CliError } from './cli-error.ts';
import { forecastSettings } from './forecast-settings.ts';
import type { Observability } from './observability.ts';

export interface DialingOptions {
  /** Its trunks are those that may be dialled through. */
  readonly config: RingfenceConfig;
  /** Stays the caller's to close, after `stop`. */
  readonly database: OpenDatabase;
  readonly telephony: TelephonyPort;
  /** Which gateway dials over a trunk now. Default: the configured one, always. */
  readonly gatewayFor?: (trunk: string, preferred?: string) => string | undefined;
  /** Those that are there now. Default: the configured one. */
  readonly gatewayIds?: () => readonly string[];
  /** The lease is held: events of the queue group are ours from now on. */
  readonly onOwned?: () => void;
  readonly log: DialerLog;
  /** With `/v1` for others to use; its first key is made when there is none. */
  readonly servesApi?: boolean;
  /** Serves `/health` and `/metrics`. Default: nobody asks, as beside a demo. */
  readonly observability?: Observability;
}

export interface Dialing {
  readonly dialer: Dialer;
  readonly ids: IdSource;
  /** Where AI agents, and those who use the API, reach us. */
  readonly httpUrl: string;
  /** Of this start: shown once, kept as a hash. Null when there was an admin key already. */
  readonly adminKey: string | null;
  /** Lets live calls end for `graceMs`, hangs up the rest, and takes what agents still return. */
  stop(graceMs: number): Promise<void>;
}

/** After the hang-up: calls that have not ended by then are left to the next start. */
const HANG_UP_LIMIT_MS = 10_000;

/** Throws LISTEN_FAILED, or LEASE_HELD when another dialer works this store. */
export async function startDialing(options: DialingOptions): Promise<Dialing> {
  const { config, database, telephony, log, servesApi = false, observability } = options;
  const settings = dialerSettings(config);
  const ids = idSource(() => Date.now());
  const api = servesApi ? makeApi(options, ids) : undefined;
  // Before the dialer: what an agent returns is heard from the first call on.
  let running: Dialer | undefined;
  const onEscalated = (attemptId: string): void => running?.escalated(attemptId);
  const onVerdict = (attemptId: string, said: AgentVerdict): void =>
    running?.agentSaid(attemptId, said);
  const heard = { onEscalated, onVerdict };
  const agents = await startAgents(options, `dialer:${settings.id}`, heard, [
    ...(observability?.plugins ?? []),
    ...(api === undefined ? [] : [api.plugin]),
  ]);
  const transcription = transcriptionOf(options, `dialer:${settings.id}`);
  try {
    const dialer = await startDialer({
      ...settings,
      ...{ database, telephony, log, ids },
      clock: systemClock,
      planAfterAnswer: agents.desk.planAfterAnswer,
      ...(options.gatewayFor === undefined ? {} : { gatewayFor: options.gatewayFor }),
      gatewayIds: options.gatewayIds ?? (() => [config.gateway.id]),
      onOwned: () => {
        // Before events are told: what was transcribed meanwhile is among them.
        transcription?.start();
        options.onOwned?.();
      },
    });
    running = dialer;
    const adminKey = servesApi ? await adminKeyOf(options, ids) : null;
    await api?.attach(dialer);
    observability?.dialerStarted(dialer);
    const audit = new CallAudit({
      ...{ database, ids, log, nowMs: () => Date.now() },
      numberGapMinMs: settings.limits.numberGapMinMs,
      ...(observability === undefined ? {} : { meter: observability.meter }),
    });
    audit.start();
    if (observability !== undefined) measureAudits(options, observability);
    void dialer.leaseLost.then(() => transcription?.stop());
    const stop = async (graceMs: number): Promise<void> => {
      observability?.dialerStopping();
      // Events go on to be told until the last call has ended.
      const importsEnd = api?.detach();
      await dialer.stop({ graceMs, limitMs: HANG_UP_LIMIT_MS });
      await transcription?.stop();
      await audit.stop();
      await importsEnd;
      await agents.stop();
    };
    return { dialer, ids, httpUrl: agents.url, adminKey, stop };
  } catch (error) {
    await transcription?.stop();
    await agents.stop();
    throw error;
  }
}

/** Of detection: what people and AI agents have heard, beside what the budget is charged. */
function measureAudits({ config, database }: DialingOptions, { meter }: Observability): void {
  const { amdFalsePositiveRatio: chargedRatio } = config.abandonment;
  measureAmdAudits({ ...{ database, meter, chargedRatio }, nowMs: () => Date.now() });
}

function makeApi(options: DialingOptions, ids: IdSource): Api {
  const { config, database, log, telephony } = options;
  const { uploadFolder, requestsPerSecondMax } = config.http;
  const trunks = dialableTrunks(config.gateway);
  const nowMs = (): number => Date.now();
  const forecast = forecastInThreads({ database, ...forecastSettings(config) });
  const registrarRealm = config.gateway.registrar.realm;
  const { enabled: isEnabled, conversations: hasConversations } = config.journeys;
  const gateways = {
    ids: options.gatewayIds ?? (() => [config.gateway.id]),
    send: (command: TrunkCommand) => telephony.send(command),
  };
  return createApi({
    ...{ database, ids, nowMs, log, trunks, registrarRealm, uploadFolder, requestsPerSecondMax },
    ...{ gateways, forecast, rulePacks: new RulePacks(config.abandonment) },
    hasTranscriber: config.gateway.transcription.engine !== 'off',
    journeys: {
      ...{ isEnabled, hasConversations: isEnabled && hasConversations },
      sending: sendingSettings(config.journeys),
      ...draftingSettings(config.journeys),
      keptDays: config.journeys.keepDays,
      draftsKeptDays: config.journeys.keepDraftDays,
    },
  });
}

function draftingSettings({ draftModel }: RingfenceConfig['journeys']): {
  readonly drafting?: DraftModelUse;
} {
  if (draftModel.url === '') return {};
  return { drafting: { model: new ChatModel(draftModel), triesMax: draftModel.triesMax } };
}

const ELSEWHERE_TIMEOUT_MS = 10_000;

function sendingSettings(journeys: RingfenceConfig['journeys']): SendingSettings {
  const { webhooks: targets, dialerUrl: url, dialerKey: key } = journeys;
  const webhooks = {
    targets,
    onLoopback: journeys.webhooksOnLoopback,
    allowInsecure: journeys.webhooksAllowInsecure,
    timeoutMs: journeys.webhookTimeoutMs,
    triesMax: journeys.webhookTriesMax,
  };
  if (url === '') return { webhooks };
  return { webhooks, elsewhere: { url, key, timeoutMs: ELSEWHERE_TIMEOUT_MS } };
}

/** Undefined where nothing is configured that transcribes. */
function transcriptionOf(
  { config, database, telephony, log }: DialingOptions,
  actor: string,
): TranscriptionWork | undefined {
  const { transcription: settings } = config.gateway;
  if (settings.engine === 'off') return undefined;
  const { storeRetryMs } = config.dialer;
  return new TranscriptionWork({
    ...{ database, telephony, settings, log, actor, storeRetryMs, clock: systemClock },
  });
}

/** Only whoever works the store makes its key: the lease is held by now. */
async function adminKeyOf(
  { config, database }: DialingOptions,
  ids: IdSource,
): Promise<string | null> {
  const { adminKey: configuredKey } = config.http;
  const writer = { database, ids, nowMs: Date.now(), actor: 'system', configuredKey };
  return (await firstKey(writer)).adminKey;
}

function startAgents(
  { config, database, telephony, log }: DialingOptions,
  actor: string,
  heard: {
    readonly onEscalated: (attemptId: string) => void;
    readonly onVerdict: (attemptId: string, said: AgentVerdict) => void;
  },
  plugins: readonly HttpPlugin[],
): Promise<AiAgents> {
  const { host, port, publicUrl } = config.http;
  return startAiAgents({
    ...{ database, telephony, log, actor, host, port },
    certificate: certificateOf(config.http),
    plugins,
    onEscalated: ({ attemptId }) => heard.onEscalated(attemptId),
    onVerdict: heard.onVerdict,
    nowMs: () => Date.now(),
    ...(publicUrl === '' ? {} : { publicUrl }),
  });
}

export function certificateOf({ tlsCertificateFile, tlsKeyFile }: HttpConfig) {
  if (tlsCertificateFile === '') return undefined;
  return { cert: contentOf(tlsCertificateFile), key: contentOf(tlsKeyFile) };
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError('CONFIG_INVALID', `A TLS file cannot be read: ${reason}.`);
  }
}
