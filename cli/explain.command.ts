/** `ringfence explain ID`: why this person was called and what came of it, or why so many were. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { loadProcessConfig } from '../config/process-config.ts';
import { storeLocation } from '../dialer/dialer-settings.ts';
import { explain } from '../dialer/explain/explain.ts';
import { pacingAccount, renderPacing } from '../dialer/explain/pacing-account.ts';
import { renderAccount } from '../dialer/explain/render-account.ts';
import { openStore, type StoreLocation } from '../dialer/store/open-store.ts';
import { CliError } from './cli-error.ts';
import { timeOption } from './option-values.ts';
import { writeJson, type Terminal } from './terminal.ts';

export interface ExplainOptions {
  readonly config?: string;
  readonly store?: string;
  readonly json: boolean;
  readonly at?: number;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('tell why a person was called at that moment, or why so many people were')
    .argument(
      '<id>',
      'a delivery, a task or an engagement: of the last, what its pacing was limited by',
    )
    .option('--at <time>', 'of an engagement: up to then, RFC 3339; default: now', timeOption)
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
      const pacing = await pacingAccount(database, id, options.at ?? Date.now());
      if (pacing !== undefined) {
        if (options.json) await writeJson(terminal, pacing);
        else terminal.out.write(`${renderPacing(pacing)}\n`);
        return 0;
      }
      throw new CliError(
        'NOT_FOUND',
        `There is no delivery, task or engagement ${id} in this store.`,
      );
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
