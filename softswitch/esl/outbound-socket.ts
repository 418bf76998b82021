/** The `socket` application: the switch dials the client that is to control a channel. */
import { connect } from 'node:net';
import type { Channel } from './channel.ts';
import { EventSocket } from './event-socket.ts';

/** drachtio-fsmrf gives up after 4 s; a client that takes longer has already forgotten the call. */
const CONNECT_TIMEOUT_MS = 5_000;
const PORT_DEFAULT = 8084;

/**
 * Enters the base application `socket <addresses> full async` and dials the addresses (`host:port`,
 * alternatives parted by `|`) in turn. When none answers, the dial plan has nothing left and the
 * channel is hung up.
 */
export function dialController(channel: Channel, addresses: string): void {
  channel.enterBase('socket', `${addresses} full async`);
  tryNext(channel, addresses.split('|'));
}

function tryNext(channel: Channel, [address, ...others]: readonly string[]): void {
  if (channel.isDown) return;
  const [, host, port] = /^\[?([^\]]+?)\]?(?::(\d{1,5}))?$/.exec(address?.trim() ?? '') ?? [];
  if (host === undefined || Number(port ?? 0) > 65_535) {
    if (others.length > 0) tryNext(channel, others);
    else channel.hangUp('NORMAL_CLEARING');
    return;
  }
  channel.variables.set('socket_host', host);
  const socket = connect({
    host,
    port: port === undefined ? PORT_DEFAULT : Number(port),
    noDelay: true,
  });
  const timer = channel.core.timers.schedule(CONNECT_TIMEOUT_MS, () => socket.destroy());
  const failed = (): void => {
    timer.cancel();
    if (others.length > 0) tryNext(channel, others);
    else channel.hangUp('NORMAL_CLEARING');
  };
  socket.on('error', () => socket.destroy());
  socket.once('close', failed);
  socket.once('connect', () => {
    timer.cancel();
    socket.off('close', failed);
    if (channel.isDown) {
      socket.destroy();
      return;
    }
    socket.setKeepAlive(true, 30_000);
    new EventSocket({ core: channel.core, socket, channel });
  });
}
