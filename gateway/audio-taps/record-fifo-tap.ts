/**
 * `uuid_record` into a FIFO: goes on through playbacks and bridges, and for as long as the call. The
 * media server writes into a folder of ours: the same host, or a disk with FIFOs that both see.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants, openSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  FRAME_BYTES,
  samplesOf,
  type AudioTap,
  type AudioTapFactory,
  type OnAudio,
  type TappedChannel,
} from './audio-tap.port.ts';

const CAPABILITIES = {
  survivesPlayback: true,
  survivesBridge: true,
  reachesOtherHosts: false,
} as const;

/**
 * For this recording alone, so that one of the whole call is not changed by it: only the customer, every
 * frame at once instead of after 4 s, and without the half second held back at the start.
 */
const VARIABLES =
  '{RECORD_READ_ONLY=true,enable_file_write_buffering=false,RECORD_PRE_BUFFER_FRAMES=0}';

export class RecordFifoTaps implements AudioTapFactory {
  readonly capabilities = CAPABILITIES;
  readonly #folder: string;

  /** `folder` is named alike on both sides and is only ours: whoever can read it hears the calls. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(channel: TappedChannel, onAudio: OnAudio): Promise<AudioTap> {
    const path = join(this.#folder, `${randomUUID()}.raw`);
    await promisify(execFile)('mkfifo', ['-m', '660', path]);
    const pipe = readFifo(path, onAudio);
    const release = async (): Promise<void> => {
      pipe.destroy();
      await unlink(path).catch(() => undefined);
    };
    try {
      const said = await channel.api(
        'uuid_record',
        `${channel.channelId} start ${path} 0 ${VARIABLES}`,
      );
      if (!said.startsWith('+OK')) throw new Error(`uuid_record: ${said.trim()}`);
    } catch (error) {
      await release();
      throw error;
    }
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      // A channel that is gone has ended its recordings already.
      await channel.api('uuid_record', `${channel.channelId} stop ${path}`).catch(() => undefined);
      await release();
    };
    return { capabilities: CAPABILITIES, stop: () => (stopping ??= stop()) };
  }
}

/** Open for writing as well: the media server needs a reader, and we no end before it has begun. */
function readFifo(path: string, onAudio: OnAudio): Socket {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: true, writable: false });
  let rest: Buffer = Buffer.alloc(0);
  pipe.on('error', () => pipe.destroy());
  pipe.on('data', (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= FRAME_BYTES) {
      onAudio(samplesOf(rest.subarray(0, FRAME_BYTES)));
      rest = rest.subarray(FRAME_BYTES);
    }
  });
  return pipe;
}
