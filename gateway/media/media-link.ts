/** The connection to FreeSWITCH, kept up with back-off; makes endpoints while it is up. */
import { Backoff } from '../backoff.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { DialogEnder } from '../sip/dialog-ender.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { FsmrfEndpoint, FsmrfMediaServer } from './fsmrf.port.ts';
import { MediaEndpoint } from './media-endpoint.ts';
import {
  connectMediaServer,
  type ConnectorParts,
  type MediaServerAddress,
} from './media-server-connector.ts';
import { secureHeaders, type Codec } from './secure-offer.ts';

export interface MediaLinkOptions extends MediaServerAddress {
  readonly connectTimeoutMs: number;
  readonly reconnectDelayMinMs: number;
  readonly reconnectDelayMaxMs: number;
  readonly endpointTimeoutMs: number;
  readonly mediaCommandTimeoutMs: number;
}

export interface MediaLinkParts {
  readonly options: MediaLinkOptions;
  readonly connector: ConnectorParts;
  readonly link: SipLink;
  readonly ender: DialogEnder;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
  readonly counters: GatewayCounters;
}

export class MediaLink {
  readonly #parts: MediaLinkParts;
  readonly #backoff: Backoff;
  readonly #upListeners: (() => void)[] = [];
  readonly #downListeners: ((problem: string) => void)[] = [];
  #server: FsmrfMediaServer | undefined;
  #giveUp: (() => void) | undefined;
  #reconnectTimer: unknown;
  #problem = 'not connected yet';
  #closed = false;

  constructor(parts: MediaLinkParts) {
    this.#parts = parts;
    const { reconnectDelayMinMs: minMs, reconnectDelayMaxMs: maxMs } = parts.options;
    this.#backoff = new Backoff({ minMs, maxMs });
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /** Names the media server in the contract: which legs can be bridged. */
  get serverId(): string {
    const { host, port } = this.#parts.options;
    return `${host}:${port}`;
  }

  get problem(): string {
    return this.#problem;
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener);
  }

  /** Called when a connection that was up is lost; never for a try that failed. */
  onDown(listener: (problem: string) => void): void {
    this.#downListeners.push(listener);
  }

  start(): void {
    const { options, connector } = this.#parts;
    this.#giveUp = connectMediaServer(options, options.connectTimeoutMs, connector, {
      onUp: (server) => this.#onUp(server),
      onDown: (problem) => this.#onDown(problem),
    });
  }

  /**
   * A channel of its own, without a partner yet. Rejects when it cannot be had in time. With a codec it
   * speaks SRTP, and nothing else.
   */
  async createEndpoint(secureCodec?: Codec): Promise<MediaEndpoint> {
    const server = this.#server;
    if (server === undefined) throw new Error(`no media server: ${this.#problem}`);
    const { counters } = this.#parts;
    try {
      const endpoint = await this.#withinLimit(server.createEndpoint(optionsOf(secureCodec)));
      const dialog = endpoint.dialog;
      if (dialog === null || endpoint.conn === null) throw new Error('the channel ended at once');
      counters.endpointsCreated += 1;
      return new MediaEndpoint({
        endpoint,
        dialog,
        link: this.#parts.link,
        ender: this.#parts.ender,
        clock: this.#parts.clock,
        commandTimeoutMs: this.#parts.options.mediaCommandTimeoutMs,
        mediaServerId: this.serverId,
        counters,
      });
    } catch (error) {
      counters.endpointsFailed += 1;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    this.#parts.clock.clearTimeout(this.#reconnectTimer);
    this.#server = undefined;
    this.#giveUp?.();
  }

  /** fsmrf's promise stays open for ever when the channel dies just before it is ready. */
  #withinLimit(creation: Promise<FsmrfEndpoint>): Promise<FsmrfEndpoint> {
    const { clock, options } = this.#parts;
    return new Promise((resolve, reject) => {
      let late = false;
      const limit = clock.setTimeout(() => {
        late = true;
        reject(new Error(`no endpoint within ${options.endpointTimeoutMs} ms`));
      }, options.endpointTimeoutMs);
      creation.then(
        (endpoint) => {
          clock.clearTimeout(limit);
          // Safe to drop: EndpointSignalling's destroy never rejects.
          if (late) void endpoint.dialog?.destroy();
          else resolve(endpoint);
        },
        (error: unknown) => {
          clock.clearTimeout(limit);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #onUp(server: FsmrfMediaServer): void {
    const { log, counters, options } = this.#parts;
    this.#server = server;
    this.#backoff.reset();
    counters.mediaConnected += 1;
    log.info({ host: options.host, port: options.port }, 'FreeSWITCH connected');
    for (const listener of this.#upListeners) listener();
  }

  #onDown(problem: string): void {
    if (this.#closed) return;
    const { log, clock, counters } = this.#parts;
    const wasUp = this.isUp;
    const pauseMs = this.#backoff.take();
    this.#server = undefined;
    this.#problem = problem;
    log.warn({ problem, pauseMs }, wasUp ? 'FreeSWITCH lost' : 'FreeSWITCH not reached');
    this.#reconnectTimer = clock.setTimeout(() => this.start(), pauseMs);
    if (!wasUp) return;
    counters.mediaLost += 1;
    for (const listener of this.#downListeners) listener(problem);
  }
}

function optionsOf(secureCodec: Codec | undefined): { headers?: Record<string, string> } {
  return secureCodec === undefined ? {} : { headers: secureHeaders(secureCodec) };
}
