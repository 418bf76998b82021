/**
 * `unicast`: bare L16 datagrams. Costs the media server next to nothing and reaches another host, but
 * is served only while the channel is parked, and a playback ends it for good: it fits the time between
 * the answer and the first prompt.
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import {
  FRAME_BYTES,
  samplesOf,
  type AudioTap,
  type AudioTapFactory,
  type OnAudio,
  type TappedChannel,
} from './audio-tap.port.ts';

export interface UnicastTapOptions {
  /** Ours, as the media server reaches it. */
  readonly listenHost: string;
  /** The media server's, for its end of the datagrams. */
  readonly mediaHost: string;
}

const FILL = Buffer.alloc(FRAME_BYTES, 255);

const CAPABILITIES = {
  survivesPlayback: false,
  survivesBridge: false,
  reachesOtherHosts: true,
} as const;

export class UnicastTaps implements AudioTapFactory {
  readonly capabilities = CAPABILITIES;
  readonly #options: UnicastTapOptions;

  constructor(options: UnicastTapOptions) {
    this.#options = options;
  }

  async start(channel: TappedChannel, onAudio: OnAudio): Promise<AudioTap> {
    // Addresses: datagrams are told apart by theirs, and a name may mean another host over there.
    const [listenHost, mediaHost] = await Promise.all([
      addressOf(this.#options.listenHost),
      addressOf(this.#options.mediaHost),
    ]);
    const socket = createSocket(isIPv6(listenHost) ? 'udp6' : 'udp4');
    socket.bind(0, listenHost);
    await once(socket, 'listening'); // rejects with the socket's error
    socket.on('error', () => undefined); // of one datagram: the next may come through
    socket.on('message', (bytes, from) => {
      if (from.address !== mediaHost || bytes.length !== FRAME_BYTES) return;
      onAudio(isFill(bytes) ? undefined : samplesOf(bytes));
    });
    try {
      const reply = await channel.message({
        'call-command': 'unicast',
        'local-ip': mediaHost,
        'local-port': '0',
        'remote-ip': listenHost,
        'remote-port': String(socket.address().port),
        transport: 'udp',
      });
      if (!reply.startsWith('+OK')) throw new Error(`unicast: ${reply.trim()}`);
    } catch (error) {
      await closed(socket);
      throw error;
    }
    let closing: Promise<void> | undefined;
    // FreeSWITCH has no command to end it: it goes on to a closed port until a prompt or the hang-up.
    return { capabilities: CAPABILITIES, stop: () => (closing ??= closed(socket)) };
  }
}

/** At once for an address. */
async function addressOf(host: string): Promise<string> {
  return (await lookup(host)).address;
}

/** What is sent where nothing came from the far end: no audio, and no silence either. */
function isFill(bytes: Buffer): boolean {
  return bytes.equals(FILL);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
