/**
 * One try to reach FreeSWITCH: event socket, password, SIP profile, and only then fsmrf's MediaServer,
 * which throws inside a socket callback, and so ends the process, when the profile is missing.
 */
import type { GatewayClock } from '../clock.ts';
import { makePrompt } from './esl-socket.ts';
import type {
  EndpointSignallingPort,
  EslConnection,
  EslConnectionClass,
  EslEvent,
  FsmrfMediaServer,
  MediaServerClass,
} from './fsmrf.port.ts';

export const MEDIA_PROFILE = 'drachtio_mrf';

export interface MediaServerAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** Where FreeSWITCH finds us. */
  readonly listenHost: string;
  /** A module that must be loaded there, such as mod_flite. */
  readonly requiredModule?: string | undefined;
}

export interface ConnectorParts {
  readonly EslConnection: EslConnectionClass;
  readonly MediaServer: MediaServerClass;
  readonly signalling: EndpointSignallingPort;
  readonly clock: GatewayClock;
}

export interface MediaServerHandlers {
  onUp(server: FsmrfMediaServer): void;
  /** The try failed, or what was up ended; once for each `connectMediaServer`. */
  onDown(problem: string): void;
}

/** Returns the function that gives the connection up, without a call to `onDown`. */
export function connectMediaServer(
  address: MediaServerAddress,
  limitMs: number,
  parts: ConnectorParts,
  handlers: MediaServerHandlers,
): () => void {
  const { host, port, password } = address;
  let server: FsmrfMediaServer | undefined;
  let over = false;
  let stopWatching = (): void => undefined;
  const dispose = (): void => {
    over = true;
    stopWatching();
    parts.clock.clearTimeout(limit);
    endConnection(connection);
    if (server !== undefined) stopAccepting(server);
  };
  const down = (problem: string): void => {
    if (over) return;
    dispose();
    handlers.onDown(problem);
  };
  const limit = parts.clock.setTimeout(
    () => down(`no answer from ${host}:${port} within ${limitMs} ms`),
    limitMs,
  );
  const connection = new parts.EslConnection(host, port, password, () => {
    checkServer(connection, address.requiredModule, down, () => {
      server = openMediaServer(address, connection, parts);
      // Of fsmrf's own listeners these only print, one of them on stdout.
      for (const event of ['esl::end', 'esl::ready']) connection.removeAllListeners(event);
      connection.on('esl::end', onEnd);
      server.once('error', (error: Error) => down(error.message));
      server.once('ready', () => {
        if (over || server === undefined) return;
        parts.clock.clearTimeout(limit);
        watchNewChannels(server);
        stopWatching = watchHeartbeat(connection, parts.clock, down);
        handlers.onUp(server);
      });
    });
  });
  const onEnd = (): void => down('FreeSWITCH closed the connection');
  if (connection.socket !== null) makePrompt(connection.socket);
  connection.on('error', (error: Error) => down(error.message));
  connection.on('esl::end', onEnd);
  connection.on('esl::event::auth::fail', () => down('FreeSWITCH refused the password'));
  connection.on('esl::event::raw::text/rude-rejection', () =>
    down('FreeSWITCH refused our address'),
  );
  return dispose;
}

/** The line of `sofia status` from which fsmrf takes where to send its INVITEs. */
const PROFILE_LINE = new RegExp(
  `^\\s*${MEDIA_PROFILE}\\s.*sip:mod_sofia@(?:\\d+\\.){3}\\d+:\\d+`,
  'm',
);

function checkServer(
  connection: EslConnection,
  requiredModule: string | undefined,
  down: (problem: string) => void,
  onComplete: () => void,
): void {
  connection.api('sofia status', (event: EslEvent) => {
    if (!PROFILE_LINE.test(event.getBody() ?? '')) {
      down(`FreeSWITCH has no SIP profile ${MEDIA_PROFILE}`);
    } else if (requiredModule === undefined) onComplete();
    else checkModule(connection, requiredModule, down, onComplete);
  });
}

function checkModule(
  connection: EslConnection,
  name: string,
  down: (problem: string) => void,
  onLoaded: () => void,
): void {
  connection.api(`module_exists ${name}`, (event: EslEvent) => {
    if (event.getBody()?.trim() === 'true') onLoaded();
    else down(`FreeSWITCH has not loaded ${name}, which gateway.speech needs`);
  });
}

function openMediaServer(
  address: MediaServerAddress,
  connection: EslConnection,
  { MediaServer, signalling }: ConnectorParts,
): FsmrfMediaServer {
  const mrf = { srf: signalling, customEvents: [] };
  const { listenHost } = address;
  const args = [connection, mrf, listenHost, 0, undefined, undefined, MEDIA_PROFILE] as const;
  return new MediaServer(...args);
}

/**
 * A host that vanished closes no connection. FreeSWITCH beats every 20 s; three missed beats are a
 * loss. Armed by the first beat, for a server that was configured not to send any.
 */
const HEARTBEAT_LIMIT_MS = 65_000;

function watchHeartbeat(
  connection: EslConnection,
  clock: GatewayClock,
  down: (problem: string) => void,
): () => void {
  let timer: unknown;
  connection.on('esl::event::HEARTBEAT::*', () => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => down('no heartbeat of FreeSWITCH'), HEARTBEAT_LIMIT_MS);
  });
  return () => clock.clearTimeout(timer);
}

/** Every channel's socket, from its first command on. */
function watchNewChannels(server: FsmrfMediaServer): void {
  server._server?.server.prependListener('connection', makePrompt);
}

/**
 * Ends an event socket for good. modesl connects again by itself unless it was told before it noticed
 * the loss, which is why every caller does this inside the event that reports it.
 */
function endConnection(connection: EslConnection): void {
  connection.closing = true;
  connection.removeAllListeners();
  connection.on('error', () => undefined);
  connection.socket?.destroy();
}

/** Channels that are up keep their sockets; no new one is taken. */
function stopAccepting(server: FsmrfMediaServer): void {
  server.removeAllListeners();
  server.on('error', () => undefined);
  // Absent while it is not bound yet; fsmrf then closes it itself, one second after its start.
  server._server?.server.close();
}
