/**
 * Where the tests put their databases, recordings and uploads: in memory where there is room. What is
 * written is synced as in production; no test here is a power cut, and a slow disk of a test machine is
 * nobody's behaviour.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const ROOM_MIN_BYTES = 4 * 2 ** 30;

/** Makes it the folder of temporary files for this process and those it starts; returns what removes it. */
export function useScratchFolder() {
  const folder = mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), 'ringfence-tests-'));
  // PostgreSQL runs as a user who has to come through.
  chmodSync(folder, 0o711);
  process.env.TMPDIR = folder;
  return () => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } catch (error) {
      // Something that was killed still wrote; its leftovers say nothing about the tests.
      console.error(`left behind: ${error.message}`);
    }
  };
}

function hasRoom() {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ROOM_MIN_BYTES;
}
