/** The thread of one forecast; see forecast-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { readForecastInput } from '../../dialer/forecast/forecast-input.ts';
import { RulePacks } from '../../dialer/rule-packs/rule-packs.ts';
import { joinDatabase } from '../../dialer/store/join-database.ts';
import { DialerError } from '../../machines/errors.ts';
import type { ForecastThreadData, FromForecastThread } from './forecast-thread.ts';
import { forecast } from './forecast.ts';

const port = parentPort;
if (port === null) throw new Error('forecast.worker runs as a worker thread only');
const { shared, job, trunks, numberGapMs, abandonment } = workerData as ForecastThreadData;
const say = (message: FromForecastThread): void => port.postMessage(message);
const database = joinDatabase(shared);
try {
  const source = { database, trunkOf: (name: string) => trunks[name], numberGapMs };
  const rulePacks = new RulePacks(abandonment);
  const input = await readForecastInput({ ...source, rulePacks }, job);
  say({ type: 'ended', forecast: forecast(input, job) });
} catch (error) {
  const code = error instanceof DialerError ? error.code : null;
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error), code });
}
await database.close();
port.close();
