/** A client of the control protocol below drachtio-srf: frames as text, good ones and bad ones. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../../softswitch/control/frame.ts';
import type { ControlTarget } from './srf-client.ts';

const WAIT_MAX_MS = 10_000;

export class RawControlClient {
  readonly socket: Socket;
  /** Settles when the server has closed the connection. */
  readonly closed: Promise<void>;
  readonly #unread: string[] = [];
  readonly #waiters: { match: (message: string) => boolean; take: (message: string) => void }[] =
    [];

  static async connect(target: Pick<ControlTarget, 'host' | 'port'>): Promise<RawControlClient> {
    const socket = connect(target.port, target.host);
    await once(socket, 'connect');
    return new RawControlClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader((bytes) => this.#receive(bytes.toString()));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Sends a message under a fresh id and waits for its response, without the two ids. */
  async ask(message: string): Promise<string> {
    const id = randomUUID();
    this.socket.write(encodeFrame(`${id}|${message}`));
    const answer = await this.next((text) => text.split('|')[2] === id);
    return answer.split('|').slice(3).join('|');
  }

  async authenticate(secret: string, tags = ''): Promise<string> {
    return this.ask(`authenticate|${secret}|${tags}`);
  }

  /** The next message that fits, in order of arrival. */
  async next(match: (message: string) => boolean): Promise<string> {
    const index = this.#unread.findIndex(match);
    const unread = index < 0 ? undefined : this.#unread.splice(index, 1)[0];
    if (unread !== undefined) return unread;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await Promise.race([
        new Promise<string>((take) => this.#waiters.push({ match, take })),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('the frame did not come')), WAIT_MAX_MS);
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(message: string): void {
    const index = this.#waiters.findIndex(({ match }) => match(message));
    if (index < 0) this.#unread.push(message);
    else this.#waiters.splice(index, 1)[0]?.take(message);
  }
}
