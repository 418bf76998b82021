/**
 * One client connection of the control protocol. Reads frames, insists on the secret, and writes the
 * four kinds of frame a server sends; it knows nothing of SIP beyond the bytes it passes on.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { parseClientMessage, type ClientMessage } from './client-message.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import type { MessageMeta } from './message-meta.ts';

/** Bytes a client may leave unread before it is given up: about ten thousand SIP messages. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;

/** A client that connects and says nothing would hold its socket for ever. */
const AUTHENTICATE_WITHIN_MS = 10_000;

export interface ControlSessionOptions {
  readonly socket: Socket;
  readonly secret: string;
  /** Arguments of the answer to a good secret: `<host ports>|<version>|<local host ports>`. */
  readonly welcome: string;
  onAuthenticated(session: ControlSession): void;
  /** Every message after authentication except `ping` and `authenticate`. */
  onMessage(session: ControlSession, message: ClientMessage): void;
  onClosed(session: ControlSession): void;
}

export class ControlSession {
  readonly tags = new Set<string>();
  readonly #options: ControlSessionOptions;
  readonly #socket: Socket;
  #authenticated = false;
  #open = true;
  #corked = false;

  constructor(options: ControlSessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    const reader = new FrameReader((message) => this.#receive(message));
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true);
    this.#socket.setTimeout(AUTHENTICATE_WITHIN_MS, () => this.#socket.destroy());
    this.#socket.on('data', (chunk) => {
      try {
        if (this.#open) reader.push(chunk);
      } catch {
        this.#socket.destroy(); // a broken length: nothing after it can be trusted
      }
    });
    this.#socket.on('error', () => undefined); // 'close' follows and says all there is to say
    // At the client's FIN, before our own goes out: it can rely on having left once it sees ours.
    this.#socket.on('end', () => this.#closed());
    this.#socket.on('close', () => this.#closed());
  }

  get open(): boolean {
    return this.#open;
  }

  /** Answers a client's message: `OK` with what it asked for. */
  accept(messageId: string, detail?: string): void {
    this.#write(`response|${messageId}|OK${detail === undefined ? '' : `|${detail}`}`);
  }

  /** Answers a request or response of the client that cannot be carried out. */
  refuse(messageId: string, reason: string): void {
    this.#write(`response|${messageId}|NOK|${reason}`);
  }

  /** Answers a breach of the protocol itself, and ends the connection as drachtio-server does. */
  refuseAndClose(messageId: string, reason: string): void {
    this.#write(`response|${messageId}|NO|${reason}`);
    this.#socket.end();
    this.#closed();
  }

  /** Echo of a request as it left, which tells the client its Call-ID, tags and CSeq. */
  requestSent(messageId: string, meta: MessageMeta, transactionId: string, sip: Buffer): void {
    this.#write(`response|${messageId}|OK|${meta}|${transactionId}|Msg sent:|`, sip);
  }

  /** Echo of a response as it left. */
  responseSent(
    messageId: string,
    meta: MessageMeta,
    transactionId: string,
    dialogId: string,
    sip: Buffer,
  ): void {
    const ids = `${transactionId}|${dialogId}`;
    this.#write(`response|${messageId}|OK|${meta}|${ids}||Msg sent:|`, sip);
  }

  /** A message from the network, or one the switch made in the network's place. */
  deliver(meta: MessageMeta, transactionId: string, dialogId: string, sip: Buffer): void {
    this.#write(`sip|${meta}|${transactionId}|${dialogId}|`, sip);
  }

  /** A request from the network that belongs to no dialog, with the local address it came to. */
  deliverNew(meta: MessageMeta, transactionId: string, local: string, sip: Buffer): void {
    this.#write(`sip|${meta}|${transactionId}||${local}|`, sip);
  }

  /** A call record: `cdr:attempt|<source>|<time>[|<role or reason>]`. */
  deliverRecord(record: string, sip: Buffer): void {
    this.#write(record, sip);
  }

  close(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #receive(bytes: Buffer): void {
    if (!this.#open) return;
    const message = parseClientMessage(bytes);
    if (message.id === '' || message.type === '') {
      this.refuseAndClose(message.id, 'Invalid message format');
    } else if (message.type === 'ping') this.accept(message.id, 'pong');
    else if (message.type === 'authenticate') this.#authenticate(message);
    else if (this.#authenticated) this.#options.onMessage(this, message);
    else this.refuseAndClose(message.id, 'not authenticated');
  }

  #authenticate(message: ClientMessage): void {
    const [secret = '', tags = ''] = message.args;
    if (!sameSecret(secret, this.#options.secret)) {
      this.refuseAndClose(message.id, 'incorrect secret');
      return;
    }
    for (const tag of tags.split(',')) if (tag !== '') this.tags.add(tag);
    this.accept(message.id, this.#options.welcome);
    if (this.#authenticated) return;
    this.#authenticated = true;
    this.#socket.setTimeout(0);
    this.#options.onAuthenticated(this);
  }

  /** Frames of one turn of the event loop leave in one write: a burst costs one system call. */
  #write(message: string, sip?: Buffer): void {
    if (!this.#open) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(encodeFrame(`${randomUUID()}|${message}`, sip));
    if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.close();
  }

  #closed(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#options.onClosed(this);
  }
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
