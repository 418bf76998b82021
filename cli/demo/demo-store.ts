/** The store of one run: a file that is thrown away with the run, or kept where it was asked for. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { openStore } from '../../dialer/store/open-store.ts';
import { CliError } from '../cli-error.ts';

export interface DemoStore {
  readonly database: OpenDatabase;
  close(): Promise<void>;
}

/** Throws STORE_EXISTS: work that is left in an older store would be dialled beside the list. */
export function refuseOldStore(keptFile: string | undefined): void {
  if (keptFile === undefined || !existsSync(keptFile)) return;
  throw new CliError(
    'STORE_EXISTS',
    `There is a file ${keptFile} already: --keep-store takes the name of a new one.`,
  );
}

export async function openDemoStore(keptFile: string | undefined): Promise<DemoStore> {
  if (keptFile !== undefined) {
    const database = await openStore({ file: keptFile }, () => Date.now());
    return { database, close: () => database.close() };
  }
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when a second Ctrl-C ends the process on the spot.
  process.once('exit', remove);
  const database = await openStore({ file: join(folder, 'demo.db') }, () => Date.now());
  return {
    database,
    close: async () => {
      await database.close();
      process.off('exit', remove);
      remove();
    },
  };
}
