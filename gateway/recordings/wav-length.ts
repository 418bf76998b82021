/** How long a recording is, from its own header (RIFF/WAVE, PCM). */
import { open } from 'node:fs/promises';

const HEADER_BYTES = 44;

/** 0 when it is no WAV file. A media server that could not seek leaves the length in its header open. */
export async function wavLengthMs(file: string, bytes: number): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || header.toString('latin1', 0, 4) !== 'RIFF') return 0;
    const bytesPerSecond = header.readUInt32LE(28);
    if (bytesPerSecond === 0) return 0;
    return Math.round(((bytes - HEADER_BYTES) * 1_000) / bytesPerSecond);
  } finally {
    await handle.close();
  }
}
