/** Commands that were handed to a gateway and are not answered yet. */
import type { CommandReply } from '../machines/command-reply.ts';
import { DialerError } from '../machines/errors.ts';
import type { GatewayCommand } from '../machines/gateway-commands.ts';
import type { TelephonyCommand } from '../machines/telephony-commands.ts';
import type { BusCounters } from './bus-counters.ts';
import type { WriteTicket } from './stream-writer.ts';

interface Pending {
  readonly gatewayId: string;
  readonly epoch: string;
  readonly settle: (reply: CommandReply) => void;
  readonly fail: (detail: string) => void;
}

export interface PendingCommandsParts {
  readonly counters: BusCounters;
  readonly timeoutMs: number;
}

export interface Handed {
  readonly command: TelephonyCommand | GatewayCommand;
  readonly gatewayId: string;
  /** Life of that gateway. */
  readonly epoch: string;
  /** Writes it under this number. */
  readonly write: (id: number) => WriteTicket;
}

export class PendingCommands {
  readonly #parts: PendingCommandsParts;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(parts: PendingCommandsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Rejects with GATEWAY_LOST when nobody knows whether it was acted on. */
  hand({ command, gatewayId, epoch, write }: Handed): Promise<CommandReply> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { counters, timeoutMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const ticket = write(id);
      const settle = (reply: CommandReply): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(reply);
      };
      const fail = (detail: string): void => {
        const isUntold = ticket.withdraw();
        clearTimeout(timer);
        this.#pending.delete(id);
        // What never left this process was certainly not acted on.
        if (isUntold && command.type === 'attempt.dial') {
          counters.dropped.expired += 1;
          resolve({ accepted: false, code: 'SWITCH_DOWN', detail: 'Redis cannot be reached' });
          return;
        }
        counters.commandsUnanswered += 1;
        reject(new DialerError('GATEWAY_LOST', `${command.type}: ${detail}`));
      };
      const timer = setTimeout(() => fail(`${gatewayId} did not answer`), timeoutMs);
      this.#pending.set(id, { gatewayId, epoch, settle, fail });
    });
  }

  /** False for a reply that is late, or comes again. */
  answered(id: number, reply: CommandReply): boolean {
    const pending = this.#pending.get(id);
    pending?.settle(reply);
    return pending !== undefined;
  }

  lost(gatewayId: string, epoch: string, why: string): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.gatewayId !== gatewayId || pending.epoch !== epoch) continue;
      pending.fail(`${gatewayId} is lost: ${why}`);
    }
  }

  close(): void {
    for (const pending of [...this.#pending.values()]) pending.fail('the bus was closed');
  }
}
