/** `ringfence explain DELIVERY_ID`: why this person was called, and what came of it. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { loadProcessConfig } from '../config/process-config.ts';
import { storeLocation } from '../dialer/dialer-settings.ts';
import { explain } from '../dialer/explain/explain.ts';
import { renderAccount } from '../dialer/explain/render-account.ts';
import { openStore, type StoreLocation } from '../dialer/store/open-store.ts';
import { CliError } from './cli-error.ts';
import { writeJson, type Terminal } from './terminal.ts';

export interface ExplainOptions {
  readonly config?: string;
  readonly store?: string;
  readonly json: boolean;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('tell why a person was called at that moment, and what came of it')
    .argument('<id>', 'a delivery; of a task it tells why no call was made, or sums its calls up')
    .option('--config <file>', 'configuration that names the store')
    .option('--store <file>', 'the SQLite file that demo --keep-store made, instead')
    .option('--json', 'one JSON value on stdout', false);
}

/** Reads and writes nothing else; it may run beside the service. */
export async function runExplain(
  id: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const location = locationOf(options);
  // Opening would make an empty store, in which nothing can be found.
  if (!location.url && !existsSync(location.file)) {
    throw new CliError('STORE_MISSING', `There is no store at ${location.file}.`);
  }
  const database = await openStore(location, () => Date.now());
  try {
    const account = await explain(database, id);
    if (account === undefined) {
      throw new CliError('NOT_FOUND', `There is no delivery and no task ${id} in this store.`);
    }
    if (options.json) await writeJson(terminal, account);
    else terminal.out.write(`${renderAccount(account)}\n`);
    return 0;
  } finally {
    await database.close();
  }
}

function locationOf({ config, store }: ExplainOptions): StoreLocation {
  if (store !== undefined) return { file: store };
  return storeLocation(loadProcessConfig(config).config);
}
