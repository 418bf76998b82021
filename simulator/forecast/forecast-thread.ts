/**
 * Forecasts in threads of their own, a few at a time and each for so long at most: the dialing thread
 * does not notice them.
 */
import type { AbandonmentConfig } from '../../config/abandonment.schema.ts';
import type { TrunkCapacity } from '../../dialer/forecast/forecast-input.ts';
import type { ForecastJob, ForecastPort } from '../../dialer/forecast/forecast.port.ts';
import type { Forecast } from '../../dialer/forecast/forecast.schema.ts';
import { startThread } from '../../dialer/start-thread.ts';
import type { OpenDatabase, SharedDatabase } from '../../dialer/store/open-database.ts';
import { DialerError, type ErrorCode } from '../../machines/errors.ts';

export interface ForecastThreadData {
  readonly shared: SharedDatabase;
  readonly job: ForecastJob;
  /** By name. */
  readonly trunks: Readonly<Record<string, TrunkCapacity>>;
  readonly numberGapMs: number;
  readonly abandonment: AbandonmentConfig;
}

export type FromForecastThread =
  | { readonly type: 'ended'; readonly forecast: Forecast }
  | { readonly type: 'failed'; readonly message: string; readonly code: ErrorCode | null };

export interface ForecastThreadsOptions {
  readonly database: OpenDatabase;
  readonly trunks: Readonly<Record<string, TrunkCapacity>>;
  readonly numberGapMs: number;
  readonly abandonment: AbandonmentConfig;
  /** Default: two. */
  readonly atOnceMax?: number;
  /** Default: a minute. ms */
  readonly limitMs?: number;
}

export function forecastInThreads(options: ForecastThreadsOptions): ForecastPort {
  const { atOnceMax = 2 } = options;
  let running = 0;
  return async (job) => {
    if (running >= atOnceMax) {
      const detail = `${running} forecasts are being reckoned: ask again in a moment`;
      throw new DialerError('TOO_MANY_FORECASTS', detail);
    }
    running += 1;
    try {
      return await inThread(options, job);
    } finally {
      running -= 1;
    }
  };
}

async function inThread(
  { database, trunks, numberGapMs, abandonment, limitMs = 60_000 }: ForecastThreadsOptions,
  job: ForecastJob,
): Promise<Forecast> {
  const name = import.meta.url.endsWith('.ts') ? './forecast.worker.ts' : './forecast.worker.js';
  const shared = database.share();
  const worker = startThread(new URL(name, import.meta.url), {
    workerData: { shared, job, trunks, numberGapMs, abandonment } satisfies ForecastThreadData,
    transferList: shared.kind === 'sqlite' ? [shared.port] : [],
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Forecast>((resolve, reject) => {
      worker.on('message', (message: FromForecastThread) => {
        if (message.type === 'ended') resolve(message.forecast);
        else reject(errorOf(message));
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the forecast’s thread ended before its end')));
      timer = setTimeout(() => {
        reject(new DialerError('FORECAST_TIMEOUT', `it was not done within ${limitMs} ms`));
      }, limitMs);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function errorOf({ message, code }: Extract<FromForecastThread, { type: 'failed' }>): Error {
  return code === null ? new Error(message) : new DialerError(code, message);
}
