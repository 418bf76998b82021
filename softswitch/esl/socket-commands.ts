/** The commands of an event socket. Answers are those of mod_event_socket, misspellings included. */
import { randomUUID, timingSafeEqual, createHash } from 'node:crypto';
import { runApi } from './api/registry.ts';
import { toInteger } from './arguments.ts';
import { connectReply } from './channel-events.ts';
import { isTrue } from './channel-variables.ts';
import type { UnicastAddress } from '../media/unicast-socket.ts';
import type { EslCommand } from './command-reader.ts';
import { eventNamed } from './event-names.ts';
import type { EventSocket } from './event-socket.ts';
import { causeNamed } from './hangup-cause.ts';
import { apiResponse, commandReply, jobReply } from './reply-frames.ts';

/** Answers with the text of a command/reply, or with undefined when it has sent its own frame. */
type Handler = (
  socket: EventSocket,
  argument: string,
  command: EslCommand,
) => string | undefined | Promise<void>;

const NOT_CONTROLLING = '-ERR not controlling a session';

/** First match wins, by prefix, as FreeSWITCH compares: `eventual` is `event` there, and here. */
const HANDLERS: readonly (readonly [prefix: string, Handler])[] = [
  [
    'filter ',
    (socket, argument) => {
      const reply = socket.subscription.filter(argument);
      socket.filtersChanged();
      return reply;
    },
  ],
  [
    'resume',
    (socket) => {
      if (socket.channel === undefined) return undefined;
      socket.channel.variables.set('socket_resume', 'true');
      return '+OK';
    },
  ],
  ['connect', connect],
  [
    'getvar',
    (socket, argument) => socket.channel && (socket.channel.variables.get(argument) ?? ''),
  ],
  ['myevents', myEvents],
  [
    'divert_events',
    (socket, argument) => {
      if (socket.channel === undefined) return '-ERR not controlling a session.';
      if (argument === '') return '-ERR missing value.';
      return argument === 'on' ? '+OK events diverted' : '+OK events not diverted';
    },
  ],
  ['sendmsg', sendmsg],
  ['sendevent', sendevent],
  [
    'api ',
    (socket, argument) => {
      const body = runApi(socket.core, argument);
      if (typeof body !== 'string') {
        return body.then((text) => socket.send(apiResponse(text)));
      }
      socket.send(apiResponse(body));
      return undefined;
    },
  ],
  ['bgapi ', bgapi],
  ['log', log],
  ['linger', linger],
  [
    'nolinger',
    (socket) => {
      if (socket.channel === undefined) return NOT_CONTROLLING;
      socket.lingerSeconds = undefined;
      return '+OK will not linger';
    },
  ],
  [
    'nolog',
    (socket) => {
      const was = socket.logging;
      socket.logging = false;
      return was ? '+OK no longer logging' : '-ERR not loging';
    },
  ],
  ['event', (socket, argument) => socket.subscription.add(words(argument))],
  ['nixevent', (socket, argument) => socket.subscription.remove(words(argument))],
  ['noevents', (socket) => socket.subscription.removeAll()],
];

/** Handlers that send their own frame, or none: for the others nothing to say means not found. */
const ANSWERED = Symbol('answered');
const SELF_ANSWERING = new Set(['connect', 'api ', 'bgapi ']);

const CONTROLLED_ONLY = new Set(['resume', 'connect', 'getvar']);

/** A promise when the answer takes time: no other command is to be answered before it. */
export function answerCommand(socket: EventSocket, command: EslCommand): Promise<void> | undefined {
  const reply = replyTo(socket, command);
  if (reply instanceof Promise) return reply;
  if (reply !== ANSWERED) socket.send(commandReply(reply));
  if (/^(?:exit|\.\.\.)/i.test(command.line) || (reply === '-ERR invalid' && !socket.authorised)) {
    socket.close();
  }
  return undefined;
}

function replyTo(
  socket: EventSocket,
  command: EslCommand,
): string | typeof ANSWERED | Promise<void> {
  const { line } = command;
  const lower = line.toLowerCase();
  if (lower.startsWith('exit') || lower.startsWith('...')) return '+OK bye';
  if (!socket.authorised) return authorise(socket, line);
  for (const [prefix, handler] of HANDLERS) {
    if (!lower.startsWith(prefix)) continue;
    if (CONTROLLED_ONLY.has(prefix) && socket.channel === undefined) continue;
    const reply = handler(socket, line.slice(prefix.length).trim(), command);
    if (reply instanceof Promise) return reply;
    if (SELF_ANSWERING.has(prefix)) return ANSWERED;
    return reply === undefined || reply === '' ? '-ERR command not found' : reply;
  }
  return '-ERR command not found';
}

/** Compared in constant time: the time an answer takes must not tell how much of it was right. */
function authorise(socket: EventSocket, line: string): string {
  if (!/^auth /i.test(line)) return '-ERR command not found';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  socket.authorised = timingSafeEqual(digest(line.slice(5)), digest(socket.password ?? ''));
  return socket.authorised ? '+OK accepted' : '-ERR invalid';
}

function connect(socket: EventSocket): undefined {
  const { channel } = socket;
  if (channel === undefined) return undefined;
  socket.send(connectReply(channel));
  if (socket.connected) return undefined;
  socket.connected = true;
  channel.park();
  return undefined;
}

/** `myevents [format]` on an outbound socket, `myevents <uuid> [format]` on an inbound one. */
function myEvents(socket: EventSocket, argument: string): string | undefined {
  const [first, second] = words(argument);
  const uuid = socket.channel?.uuid ?? first;
  if (uuid === undefined) return undefined;
  if (socket.channel === undefined && socket.core.channel(uuid) === undefined)
    return '-ERR invalid uuid';
  const reply = socket.subscription.mine(uuid, socket.channel === undefined ? second : first);
  socket.filtersChanged();
  return reply;
}

function sendmsg(socket: EventSocket, argument: string, { headers, body }: EslCommand): string {
  const named = argument === '' ? headers.get('session-id') : argument;
  const own = named === undefined || named === socket.channel?.uuid;
  const channel = own ? socket.channel : socket.core.channel(named);
  if (channel === undefined) return `-ERR invalid session id [${named ?? ''}]`;
  const verb = headers.get('call-command');
  if (verb === 'hangup') {
    channel.hangUp(causeNamed(headers.get('hangup-cause') ?? 'NORMAL_CLEARING'));
    return '+OK';
  }
  if (verb === 'unicast') {
    channel.unicast(unicastAddress(headers));
    return '+OK';
  }
  const name = headers.get('execute-app-name');
  if (verb !== 'execute' || name === undefined || channel.isDown) return '+OK';
  const plainBody = headers.get('content-type')?.toLowerCase() === 'text/plain' ? body : '';
  const accepted = channel.execute({
    name,
    argument: headers.get('execute-app-arg') ?? plainBody,
    uuid: headers.get('event-uuid') ?? randomUUID(),
    eventLock: isTrue(headers.get('event-lock')),
  });
  return accepted ? '+OK' : '-ERR memory error';
}

/** FreeSWITCH's defaults; `transport` is looked at by nobody, it is always UDP *(measured)*. */
function unicastAddress(headers: ReadonlyMap<string, string>): UnicastAddress {
  const port = (text: string | undefined, fallback: number): number =>
    text === undefined || text === '' ? fallback : Math.min(65_535, Math.max(0, toInteger(text)));
  return {
    localAddress: headers.get('local-ip') ?? '127.0.0.1',
    localPort: port(headers.get('local-port'), 8_025),
    remoteAddress: headers.get('remote-ip') ?? '127.0.0.1',
    remotePort: Math.max(1, port(headers.get('remote-port'), 8_026)),
    native: headers.get('flags')?.includes('native') === true,
  };
}

function sendevent(socket: EventSocket, argument: string, command: EslCommand): string {
  const uuid = randomUUID();
  const name = eventNamed(argument) ?? 'CUSTOM';
  const subclass = command.headers.get('event-subclass');
  const about = command.headers.get('unique-id');
  socket.core.bus.fire({
    name,
    ...(subclass === undefined ? {} : { subclass }),
    ...(about === undefined ? {} : { uuid: about }),
    ...(command.body === '' ? {} : { body: command.body }),
    fill: (headers) => {
      for (const [header, value] of command.headers) headers[header] = value;
      headers['Event-UUID'] = uuid;
    },
  });
  return `+OK ${uuid}`;
}

function bgapi(socket: EventSocket, argument: string, { headers }: EslCommand): undefined {
  const job = headers.get('job-uuid') ?? randomUUID();
  socket.send(jobReply(job));
  const blank = argument.indexOf(' ');
  const owner = socket.channel?.uuid;
  const report = (body: string): void => {
    socket.core.bus.fire({
      name: 'BACKGROUND_JOB',
      body,
      ...(owner === undefined ? {} : { uuid: owner }),
      fill: (event) => {
        event['Job-UUID'] = job;
        if (owner !== undefined) event['Job-Owner-UUID'] = owner;
        event['Job-Command'] = blank === -1 ? argument : argument.slice(0, blank);
        if (blank !== -1) event['Job-Command-Arg'] = argument.slice(blank + 1);
      },
    });
  };
  const body = runApi(socket.core, argument);
  if (typeof body === 'string') report(body);
  else void body.then(report);
  return undefined;
}

const LOG_LEVELS = ['console', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** The level is accepted and remembered; the embedded switch has no log to send. */
function log(socket: EventSocket, argument: string): string {
  const [level = ''] = words(argument);
  const number = /^\d$/.test(level) ? Number(level) : LOG_LEVELS.indexOf(level.toLowerCase());
  if (level !== '' && (number < 0 || number > 7)) return '-ERR invalid log level';
  socket.logging = true;
  return `+OK log level ${level} [${level === '' ? 7 : number}]`;
}

function linger(socket: EventSocket, argument: string): string {
  if (socket.channel === undefined) return NOT_CONTROLLING;
  socket.lingerSeconds = argument === '' ? -1 : Math.max(0, toInteger(argument));
  return socket.lingerSeconds === -1
    ? '+OK will linger'
    : `+OK will linger ${socket.lingerSeconds} seconds`;
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
