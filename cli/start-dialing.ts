/** A dialer on its store, with its desk for AI agents: what the service and the demo have in common. */
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { DialerLog } from '../dialer/dialer-log.ts';
import { systemClock } from '../dialer/clock.ts';
import { dialerSettings } from '../dialer/dialer-settings.ts';
import { startAiAgents, type AiAgents } from '../dialer/http/start-ai-agents.ts';
import { idSource, type IdSource } from '../dialer/ids/uuid7.ts';
import { startDialer, type Dialer } from '../dialer/main.ts';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import type { Observability } from './observability.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';

export interface DialingOptions {
  /** Its trunks are those that may be dialled through. */
  readonly config: RingfenceConfig;
  /** Stays the caller's to close, after `stop`. */
  readonly database: OpenDatabase;
  readonly telephony: TelephonyPort;
  readonly log: DialerLog;
  /** Serves `/health` and `/metrics`. Default: nobody asks, as beside a demo. */
  readonly observability?: Observability;
}

export interface Dialing {
  readonly dialer: Dialer;
  readonly ids: IdSource;
  /** Where AI agents reach us. */
  readonly httpUrl: string;
  /** Lets live calls end for `graceMs`, hangs up the rest, and takes what agents still return. */
  stop(graceMs: number): Promise<void>;
}

/** After the hang-up: calls that have not ended by then are left to the next start. */
const HANG_UP_LIMIT_MS = 10_000;

/** Throws LISTEN_FAILED, or LEASE_HELD when another dialer works this store. */
export async function startDialing(options: DialingOptions): Promise<Dialing> {
  const { config, database, telephony, log, observability } = options;
  const settings = dialerSettings(config);
  // Before the dialer: what an agent returns is heard from the first call on.
  const agents = await startAgents(options, `dialer:${settings.id}`);
  const ids = idSource(() => Date.now());
  try {
    const dialer = await startDialer({
      ...settings,
      ...{ database, telephony, log, ids },
      clock: systemClock,
      planAfterAnswer: agents.desk.planAfterAnswer,
    });
    observability?.dialerStarted(dialer);
    const stop = async (graceMs: number): Promise<void> => {
      observability?.dialerStopping();
      await dialer.stop({ graceMs, limitMs: HANG_UP_LIMIT_MS });
      await agents.stop();
    };
    return { dialer, ids, httpUrl: agents.url, stop };
  } catch (error) {
    await agents.stop();
    throw error;
  }
}

function startAgents(
  { config, database, telephony, log, observability }: DialingOptions,
  actor: string,
): Promise<AiAgents> {
  const { host, port, publicUrl } = config.http;
  return startAiAgents({
    ...{ database, telephony, log, actor, host, port },
    nowMs: () => Date.now(),
    ...(publicUrl === '' ? {} : { publicUrl }),
    plugins: observability?.plugins ?? [],
  });
}
