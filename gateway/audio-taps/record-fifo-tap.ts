/**
 * `uuid_record` into a FIFO: goes on through playbacks and bridges, and for as long as the call. The
 * media server writes into a folder of ours: the same host, or a disk with FIFOs that both see.
 */
import { unlink } from 'node:fs/promises';
import {
  FRAME_BYTES,
  type AudioTap,
  type AudioTapFactory,
  type OnAudio,
  type TappedChannel,
} from './audio-tap.port.ts';
import { FifoReader } from './fifo-reader.ts';
import { FifoStock } from './fifo-stock.ts';

const CAPABILITIES = {
  survivesPlayback: true,
  survivesBridge: true,
  reachesOtherHosts: false,
} as const;

/** Two calls into the system a frame are most of what a tap costs: with 40 ms at once it is half of it. */
const FRAMES_PER_WRITE = 2;

/**
 * For this recording alone, so that one of the whole call is not changed by it: only the customer, a few
 * frames at once instead of 4 s, and without the half second held back at the start.
 */
const VARIABLES = `{RECORD_READ_ONLY=true,enable_file_write_buffering=${FRAMES_PER_WRITE * FRAME_BYTES},RECORD_PRE_BUFFER_FRAMES=0}`;

export class RecordFifoTaps implements AudioTapFactory {
  readonly capabilities = CAPABILITIES;
  readonly #fifos: FifoStock;
  readonly #reader = new FifoReader(FRAMES_PER_WRITE);

  /** `folder` is named alike on both sides and is only ours: whoever can read it hears the calls. */
  constructor(folder: string) {
    this.#fifos = new FifoStock(folder);
  }

  async start(channel: TappedChannel, onAudio: OnAudio): Promise<AudioTap> {
    const path = await this.#fifos.take();
    const stopReading = this.#reader.open(path, onAudio);
    const release = async (): Promise<void> => {
      stopReading();
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
