/**
 * `uuid_record` into a FIFO: goes on through playbacks and bridges, and for as long as the call. The
 * media server writes into a folder of ours: the same host, or a disk with FIFOs that both see.
 */
import { constants, openSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import {
  FRAME_BYTES,
  samplesOf,
  type AudioTap,
  type AudioTapFactory,
  type OnAudio,
  type TappedChannel,
} from './audio-tap.port.ts';
import { FifoStock } from './fifo-stock.ts';

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
  readonly #fifos: FifoStock;

  /** `folder` is named alike on both sides and is only ours: whoever can read it hears the calls. */
  constructor(folder: string) {
    this.#fifos = new FifoStock(folder);
  }

  async start(channel: TappedChannel, onAudio: OnAudio): Promise<AudioTap> {
    const path = await this.#fifos.take();
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
  const frame = Buffer.alloc(FRAME_BYTES);
  let filled = 0;
  pipe.on('error', () => pipe.destroy());
  pipe.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(frame, filled, at);
      at += copied;
      filled += copied;
      if (filled < FRAME_BYTES) return;
      filled = 0;
      onAudio(samplesOf(frame));
    }
  });
  return pipe;
}
