/** A lobby's leg that the representative made themselves, by calling the dial-in number. */
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import type { GatewayClock } from '../clock.ts';
import type { DialInCall } from '../dial-in/dial-in-call.ts';
import type { DialInDesk } from '../dial-in/dial-in-desk.ts';
import type { LobbyWay, LobbyWayHandlers } from './lobby-way.ts';

export interface DialedInWayParts {
  readonly open: LobbyOpen;
  readonly services: { readonly clock: GatewayClock };
  readonly dialIn: DialInDesk;
}

export class DialedInWay implements LobbyWay {
  readonly #parts: DialedInWayParts;
  readonly #handlers: LobbyWayHandlers;
  #withdraw: () => void = () => undefined;
  #call: DialInCall | undefined;
  #timer: unknown;
  #over = false;

  constructor(parts: DialedInWayParts, handlers: LobbyWayHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  start(): void {
    const { open, services, dialIn } = this.#parts;
    const { ringLimitMs, representativeId } = open;
    this.#timer = services.clock.setTimeout(() => {
      const detail = `the representative did not dial in within ${ringLimitMs} ms`;
      this.#handlers.onRefused(null, detail);
    }, ringLimitMs);
    this.#withdraw = dialIn.want(representativeId, (call) => void this.#take(call));
  }

  async end(isReleased: boolean): Promise<void> {
    this.#over = true;
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#withdraw();
    const call = this.#call;
    if (call === undefined) return;
    if (isReleased) {
      call.giveBack();
      return;
    }
    call.end('gateway');
    await call.released;
  }

  async #take(call: DialInCall): Promise<void> {
    if (this.#over || this.#call !== undefined) return;
    this.#call = call;
    this.#parts.services.clock.clearTimeout(this.#timer);
    const endpoint = await call.take({
      onLeft: (by, detail) => {
        if (this.#over) return;
        if (by === 'caller') this.#handlers.onLeft(false);
        else this.#handlers.onLost(detail);
      },
      onDigit: (digit) => this.#handlers.onDigit(digit),
      onRefer: (refer, response) => this.#handlers.onRefer(refer, response, call),
    });
    if (this.#isOver() || endpoint === undefined) return;
    this.#withdraw();
    this.#handlers.onAnswered(endpoint, call);
  }

  /** A function, since it changes while something is awaited. */
  #isOver(): boolean {
    return this.#over;
  }
}
