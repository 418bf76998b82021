/**
 * One connection to Redis, whichever way it is set up: a server, Sentinel or Cluster. Commands are
 * sent as words and answered in RESP2, so that readers check one shape. While it is down commands
 * fail at once: whoever sends decides whether to try again.
 */
import { readFileSync } from 'node:fs';
import { ClientOfflineError, createClient, createCluster, createSentinel } from 'redis';
import type { BusConfig } from '../config/bus.schema.ts';
import type { BusCounters } from './bus-counters.ts';
import type { BusLog } from './bus-log.ts';

export interface RedisLink {
  /** Sends to the node that has the key, which is among the words. */
  send(key: string, words: readonly string[]): Promise<unknown>;
  /** Begins to connect, and goes on until `close`. */
  open(): void;
  close(): Promise<void>;
}

/** True when a command certainly did not leave this process. */
export function wasNotSent(error: unknown): boolean {
  return error instanceof ClientOfflineError;
}

export interface RedisLinkParts {
  readonly config: BusConfig;
  readonly counters: BusCounters;
  readonly log: BusLog;
  /** Shown by CLIENT LIST. */
  readonly name: string;
}

/** A connection on which nothing was heard for this long is dead: a PING goes out more often. */
const SILENCE_MAX_MS = 4_000;
const PING_INTERVAL_MS = 1_000;
const CONNECT_LIMIT_MS = 3_000;

/** Of a Cluster each node is told of by itself. */
type ConnectionEvent = 'ready' | 'reconnecting' | 'node-ready' | 'node-reconnecting';

/** The part of node-redis' three clients that they have in common. */
interface Client {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: ConnectionEvent, listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/**
 * Made once and never connected: each client of its own making would define every command of Redis
 * anew, which costs tens of milliseconds.
 */
let single: ReturnType<typeof createSingle> | undefined;
let clustered: ReturnType<typeof createNodes> | undefined;
let watched: ReturnType<typeof createWatched> | undefined;

const createSingle = () => createClient({ RESP: 2 });
const createNodes = () => createCluster({ RESP: 2, rootNodes: [] });
const createWatched = () => createSentinel({ RESP: 2, name: 'none', sentinelRootNodes: [] });

export function redisLink(parts: RedisLinkParts): RedisLink {
  switch (parts.config.topology) {
    case 'single': {
      single ??= createSingle();
      const client = single.duplicate({ ...nodeOptions(parts), ...firstNode(parts.config) });
      return linkOf(parts, client, (_, words) => client.sendCommand([...words]));
    }
    case 'sentinel': {
      const options = nodeOptions(parts);
      watched ??= createWatched();
      const sentinel = watched.duplicate({
        name: parts.config.sentinelMaster,
        sentinelRootNodes: parts.config.nodes.map(hostAndPort),
        nodeClientOptions: options,
        sentinelClientOptions: {
          ...{ RESP: 2, socket: options.socket },
          ...(parts.config.sentinelPassword === ''
            ? {}
            : { password: parts.config.sentinelPassword }),
        },
      });
      return linkOf(parts, sentinel, (_, words) => sentinel.sendCommand(false, [...words]));
    }
    case 'cluster': {
      clustered ??= createNodes();
      const cluster = clustered.duplicate({
        rootNodes: parts.config.nodes.map((node) => ({ socket: hostAndPort(node) })),
        defaults: nodeOptions(parts),
        minimizeConnections: true,
      });
      return linkOf(parts, cluster, (key, words) => cluster.sendCommand(key, false, [...words]));
    }
  }
}

function nodeOptions({ config, name }: RedisLinkParts) {
  const { username, password, reconnectDelayMinMs, reconnectDelayMaxMs } = config;
  return {
    RESP: 2,
    name,
    disableOfflineQueue: true,
    // Of Redis Enterprise; a plain server answers the question with an error.
    maintNotifications: 'disabled',
    pingInterval: PING_INTERVAL_MS,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    socket: {
      connectTimeout: CONNECT_LIMIT_MS,
      socketTimeout: SILENCE_MAX_MS,
      // With a random part: not all processes come back in the same millisecond.
      reconnectStrategy: (retries: number): number =>
        Math.min(reconnectDelayMaxMs, reconnectDelayMinMs * 2 ** Math.min(retries, 16)) *
        (0.75 + Math.random() / 4),
      ...tlsOptions(config),
    },
  } as const;
}

function firstNode(config: BusConfig) {
  const [node = ''] = config.nodes;
  const { socket } = nodeOptions({ config } as RedisLinkParts);
  return { socket: { ...socket, ...hostAndPort(node) } };
}

function tlsOptions({ tls, tlsAuthoritiesFile, tlsServerName }: BusConfig) {
  if (!tls) return {};
  return {
    tls: true as const,
    ...(tlsAuthoritiesFile === '' ? {} : { ca: readFileSync(tlsAuthoritiesFile) }),
    ...(tlsServerName === '' ? {} : { servername: tlsServerName }),
  };
}

/** `host:port`; an IPv6 address stands in brackets. */
function hostAndPort(node: string): { host: string; port: number } {
  const colon = node.lastIndexOf(':');
  return {
    host: node.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(node.slice(colon + 1)),
  };
}

function linkOf(
  { counters, log, name }: RedisLinkParts,
  client: Client,
  send: RedisLink['send'],
): RedisLink {
  let isOpen = false;
  // Without a listener an error would end the process.
  client.on('error', (error) => {
    if (isOpen) log.debug({ err: error, connection: name }, 'the connection to Redis has an error');
  });
  for (const event of ['ready', 'node-ready'] as const) {
    client.on(event, () => (counters.connectionsMade += 1));
  }
  for (const event of ['reconnecting', 'node-reconnecting'] as const) {
    client.on(event, () => (counters.connectionsLost += 1));
  }
  let retry: NodeJS.Timeout | undefined;
  const connect = (): void => {
    client.connect().catch((error: unknown) => {
      // Sentinel and Cluster give up when no node is there at the start; a server is asked again.
      if (!isOpen) return;
      log.debug({ err: error, connection: name }, 'Redis cannot be reached yet');
      retry = setTimeout(connect, CONNECT_RETRY_MS);
    });
  };
  return {
    send,
    open: () => {
      isOpen = true;
      connect();
    },
    close: () => {
      isOpen = false;
      clearTimeout(retry);
      try {
        client.destroy();
      } catch {
        // It was not connected.
      }
      return Promise.resolve();
    },
  };
}

const CONNECT_RETRY_MS = 500;
