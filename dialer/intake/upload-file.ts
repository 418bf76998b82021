/** An uploaded file on its way in: kept on disk until its last row is in the store, and no longer. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface ReceivedFile {
  /** Under a name of its own until it belongs to a batch. */
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
}

/**
 * Writes what comes in to disk, at most one chunk in memory, and waits until it is there for good.
 * Undefined when it is longer than `bytesMax`; nothing is left of it then, or of one that breaks off.
 */
export async function receiveFile(
  folder: string,
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<ReceivedFile | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${randomUUID()}${PARTIAL}`);
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > bytesMax) break;
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  if (bytes <= bytesMax) return { path, digest: hash.digest('hex'), bytes };
  await rm(path, { force: true });
  return undefined;
}

/** What did not arrive completely; removed at the next start. */
const PARTIAL = '.part';

export function batchFile(folder: string, batchId: string): string {
  return join(folder, `${batchId}.csv`);
}

/** Before the batch is written: a file without a batch is removed at the next start. */
export async function assignToBatch(
  { path }: ReceivedFile,
  folder: string,
  batchId: string,
): Promise<void> {
  await rename(path, batchFile(folder, batchId));
}

export async function forget(path: string): Promise<void> {
  await rm(path, { force: true });
}
