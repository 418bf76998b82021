/**
 * One event socket, inbound or outbound: bytes to commands, frames to bytes, and bounds on what a
 * client that does not read can make us keep. What commands mean is in socket-commands.ts.
 */
import type { Socket } from 'node:net';
import type { Channel, ControllingSocket } from './channel.ts';
import { CommandReader, type EslCommand } from './command-reader.ts';
import type { EslEvent } from './event.ts';
import type { EventListener } from './event-bus.ts';
import { disconnectNotice, eventFrame, lingerNotice } from './reply-frames.ts';
import { answerCommand } from './socket-commands.ts';
import { Subscription } from './subscription.ts';
import type { SwitchCore } from './switch-core.ts';

/** Unsent bytes above which events are lost, and above which even an answer ends the connection. */
const EVENT_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;
/** FreeSWITCH cuts a listener off after as many lost events. */
const LOST_EVENTS_MAX = 500;

export interface EventSocketOptions {
  readonly core: SwitchCore;
  readonly socket: Socket;
  /** Inbound sockets must present it; outbound ones were dialled by us and need none. */
  readonly password?: string;
  /** The channel an outbound socket controls. */
  readonly channel?: Channel;
  readonly onClosed?: (socket: EventSocket) => void;
}

export class EventSocket implements EventListener, ControllingSocket {
  readonly core: SwitchCore;
  readonly channel: Channel | undefined;
  readonly password: string | undefined;
  readonly subscription = new Subscription();
  authorised: boolean;
  /** An outbound socket that sent `connect`. */
  connected = false;
  logging = false;
  /** Seconds the socket stays after its channel; -1 = until the client closes; undefined = not at all. */
  lingerSeconds: number | undefined;
  readonly #socket: Socket;
  readonly #reader = new CommandReader();
  readonly #onClosed: ((socket: EventSocket) => void) | undefined;
  #unsent = '';
  #lostEvents = 0;
  #closing = false;
  #isAnswering = false;
  /** Commands that came while an answer takes time. */
  readonly #commands: EslCommand[] = [];
  #isWaiting = false;
  /** What came is not the protocol: nothing after it is read. */
  #broken = false;
  readonly #held: (() => void)[] = [];

  constructor(options: EventSocketOptions) {
    this.core = options.core;
    this.#socket = options.socket;
    this.password = options.password;
    this.channel = options.channel;
    this.authorised = options.password === undefined;
    this.#onClosed = options.onClosed;
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#received(chunk));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#closed());
    if (this.channel !== undefined) this.channel.socket = this;
    this.core.bus.place(this);
  }

  /** Sends a complete frame; frames of one turn of the event loop leave in one write. */
  send(frame: string): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (this.#socket.writableLength > BACKLOG_BYTES_MAX) {
      this.#socket.destroy();
      return;
    }
    if (this.#unsent === '') process.nextTick(() => this.#flush());
    this.#unsent += frame;
  }

  deliver(event: EslEvent): void {
    if (this.#socket.writableLength > EVENT_BACKLOG_BYTES_MAX) {
      this.#lostEvents += 1;
      if (this.#lostEvents > LOST_EVENTS_MAX) this.#socket.destroy();
      return;
    }
    this.#lostEvents = 0;
    const frame = eventFrame(event, this.subscription.format);
    this.#afterAnswer(() => this.send(frame));
  }

  filtersChanged(): void {
    this.core.bus.place(this);
  }

  /** Says goodbye and closes; what was sent before still arrives. */
  close(message?: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.send(disconnectNotice(this.channel?.uuid, message));
    this.core.bus.remove(this);
    this.#flush();
    this.#socket.end();
  }

  channelEnded(): void {
    this.#afterAnswer(() => this.#endWithChannel());
  }

  #endWithChannel(): void {
    const seconds = this.lingerSeconds;
    if (seconds === undefined || this.channel === undefined) {
      this.close();
      return;
    }
    this.send(lingerNotice(this.channel.uuid, this.channel.name, seconds));
    if (seconds >= 0) this.core.timers.schedule(seconds * 1_000, () => this.close());
  }

  #received(chunk: Buffer): void {
    if (this.#closing) return;
    const { commands, problem } = this.#reader.push(chunk);
    this.#commands.push(...commands);
    if (problem !== undefined) this.#broken = true;
    this.#answerNext();
  }

  /** One after the other, as FreeSWITCH does: while one waits for a disk no more is read. */
  #answerNext(): void {
    while (!this.#isWaiting && !this.#closing) {
      const command = this.#commands.shift();
      if (command === undefined) break;
      this.#isAnswering = true;
      const answering = answerCommand(this, command);
      this.#isAnswering = false;
      for (const act of this.#held.splice(0)) act();
      if (answering === undefined) continue;
      this.#isWaiting = true;
      this.#socket.pause();
      void answering.finally(() => {
        this.#isWaiting = false;
        this.#socket.resume();
        this.#answerNext();
      });
    }
    if (this.#broken && !this.#isWaiting) this.close();
  }

  /** What a command sets off is told after its answer: clients count on that order. */
  #afterAnswer(act: () => void): void {
    if (this.#isAnswering) this.#held.push(act);
    else act();
  }

  #flush(): void {
    if (this.#unsent === '') return;
    const unsent = this.#unsent;
    this.#unsent = '';
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(unsent);
  }

  #closed(): void {
    this.#closing = true;
    this.#unsent = '';
    this.core.bus.remove(this);
    this.#onClosed?.(this);
    if (this.channel?.socket === this) this.channel.abandon();
  }
}
