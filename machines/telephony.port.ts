/**
 * The seam between dialer and gateway. Owned by the side that calls: the dialer. Adapters are the
 * gateway itself in one process, and Redis Streams when scaled out.
 */
import type { CommandReply } from './command-reply.ts';
import type { GatewayCommand } from './gateway-commands.ts';
import type { TelephonyCommand } from './telephony-commands.ts';
import type { TelephonyEvent } from './telephony-events.ts';

export interface TelephonyPort {
  /**
   * Hands one command to the gateway. Resolves when the gateway has taken or refused it, not when
   * it is done. May reject, or never settle: the caller then does not know whether it arrived.
   * Sending the same (attemptId, fence, seq) again is safe and is acted on once.
   */
  send(command: TelephonyCommand | GatewayCommand): Promise<CommandReply>;

  /**
   * Every event of every attempt, lobby and trunk, at least once, in order per attempt. Listeners
   * are called synchronously and must not throw. Returns the function that ends it.
   */
  subscribe(listener: (event: TelephonyEvent) => void): () => void;
}
