/**
 * One try after another to reach drachtio-server, each with a fresh agent inside srf.
 *
 * srf could reconnect by itself. It is told not to (`maxAttempts: 1`): its pauses grow without an
 * upper bound, it sets TCP_NODELAY on the first socket only, a hung try is never given up, and a
 * refused secret is tried again at once. Calling `connect` again makes a new agent on the same srf,
 * which keeps its dialogs and its routes.
 */
import { randomUUID } from 'node:crypto';
import { batchWrites } from '../batched-writes.ts';
import type { GatewayClock } from '../clock.ts';
import type { DrachtioAgent, SrfPort } from './srf.port.ts';

export interface LinkProblem {
  readonly code: 'SWITCH_CONNECT_FAILED' | 'SWITCH_AUTH_FAILED';
  /** In words, for the log and for a refusal. */
  readonly detail: string;
}

export interface ConnectorHandlers {
  onUp(hostports: string): void;
  /** The try failed or the connection ended; one for each `connect`. */
  onDown(problem: LinkProblem): void;
}

export interface ConnectorParts {
  readonly srf: SrfPort;
  readonly clock: GatewayClock;
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly connectTimeoutMs: number;
  };
}

export class SipLinkConnector {
  readonly #parts: ConnectorParts;
  readonly #handlers: ConnectorHandlers;
  /** Of this process: after a reconnect its dialogs are its own again, and nobody else's. */
  readonly #tag = `gateway-${randomUUID()}`;
  #state: 'idle' | 'connecting' | 'up' = 'idle';
  #limitTimer: unknown;
  #problem: LinkProblem | undefined;

  constructor(parts: ConnectorParts, handlers: ConnectorHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
    parts.srf.on('connect', (error, hostports) => this.#onConnect(error, hostports ?? ''));
    parts.srf.on('error', (error) => {
      this.#problem ??= { code: 'SWITCH_CONNECT_FAILED', detail: error.message };
    });
    parts.srf.on('close', () => this.#onClose());
  }

  connect(): void {
    const { srf, clock, options } = this.#parts;
    const { host, port, secret, connectTimeoutMs } = options;
    this.#state = 'connecting';
    this.#problem = undefined;
    this.#limitTimer = clock.setTimeout(
      () => this.giveUp(`no answer from ${host}:${port} within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );
    const tags = [this.#tag];
    srf.connect({ host, port, secret, tags, reconnect: { maxAttempts: 1 } });
  }

  giveUp(detail: string): void {
    if (this.#state === 'idle') return;
    abandon(this.#parts.srf.app.client);
    this.#problem = { code: 'SWITCH_CONNECT_FAILED', detail };
    this.#onClose();
  }

  close(): void {
    this.#parts.clock.clearTimeout(this.#limitTimer);
    this.#state = 'idle';
    abandon(this.#parts.srf.app.client);
  }

  #onConnect(error: Error | null, hostports: string): void {
    if (this.#state !== 'connecting') return;
    if (error !== null) {
      // The server closes next; `close` then reports this.
      this.#problem = { code: 'SWITCH_AUTH_FAILED', detail: 'drachtio refused the secret' };
      return;
    }
    this.#parts.clock.clearTimeout(this.#limitTimer);
    this.#state = 'up';
    for (const socket of this.#parts.srf.app.client?.mapServer.keys() ?? []) batchWrites(socket);
    this.#handlers.onUp(hostports);
  }

  #onClose(): void {
    if (this.#state === 'idle') return;
    this.#parts.clock.clearTimeout(this.#limitTimer);
    this.#state = 'idle';
    this.#handlers.onDown(
      this.#problem ?? { code: 'SWITCH_CONNECT_FAILED', detail: 'drachtio closed the connection' },
    );
  }
}

/** Cuts an agent off from srf and ends its socket, also one that connects later. */
function abandon(agent: DrachtioAgent | undefined): void {
  if (agent === undefined) return;
  agent.removeAllListeners();
  agent.on('error', () => undefined);
  agent.wp.closing = true;
  agent.wp.on('connect', (socket) => socket.destroy());
  for (const socket of agent.mapServer.keys()) socket.destroy();
}
