/**
 * A gateway in another process than its dialer: commands, replies and events pass as JSON over the
 * channel between parent and child. What is on its way when either dies is lost.
 */
import type { ChildProcess } from 'node:child_process';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { GatewayCommand } from '../../machines/gateway-commands.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';

interface ToGateway {
  readonly id: number;
  readonly command: TelephonyCommand | GatewayCommand;
}

type FromGateway =
  { readonly id: number; readonly reply: CommandReply } | { readonly event: TelephonyEvent };

/** The parent's side. Returns the function that ends it. */
export function serveGateway(gateway: TelephonyPort, child: ChildProcess): () => void {
  const tell = (message: FromGateway): void => {
    // A child that was killed meanwhile is told nothing.
    if (child.connected) child.send(message, () => undefined);
  };
  child.on('message', ({ id, command }: ToGateway) => {
    void gateway.send(command).then((reply) => tell({ id, reply }));
  });
  child.on('error', () => undefined);
  return gateway.subscribe((event) => tell({ event }));
}

/** The child's side. */
export function gatewayOfParent(): TelephonyPort {
  const listeners = new Set<(event: TelephonyEvent) => void>();
  const waiting = new Map<number, (reply: CommandReply) => void>();
  let count = 0;
  process.on('message', (message: FromGateway) => {
    if ('event' in message) for (const listener of listeners) listener(message.event);
    else waiting.get(message.id)?.(message.reply);
  });
  return {
    send: (command) =>
      new Promise((resolve) => {
        count += 1;
        waiting.set(count, resolve);
        process.send?.({ id: count, command } satisfies ToGateway);
      }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
