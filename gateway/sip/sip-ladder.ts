/**
 * The SIP messages of one attempt as the gateway saw them, first lines only: what a person reads in
 * `ringfence call`. 100 Trying, retransmissions and the ACK of a failure stay inside the switch.
 */
import { maskSipUris } from '../mask-number.ts';

export interface LadderLine {
  readonly atMs: number; // epoch
  readonly direction: 'out' | 'in';
  /** `INVITE sip:…@host SIP/2.0` or `SIP/2.0 180 Ringing`. */
  readonly line: string;
}

/** A far end that keeps sending 18x must not grow our memory. */
const LINES_MAX = 64;

export class SipLadder {
  readonly #lines: LadderLine[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  out(line: string): void {
    this.#add('out', line);
  }

  in(line: string): void {
    this.#add('in', line);
  }

  response(message: { readonly status: number; readonly reason: string }): void {
    this.#add('in', `SIP/2.0 ${message.status} ${message.reason}`);
  }

  /** Numbers are masked unless asked for. */
  lines(options: { readonly showNumbers?: boolean } = {}): readonly LadderLine[] {
    if (options.showNumbers === true) return this.#lines;
    return this.#lines.map((entry) => ({ ...entry, line: maskSipUris(entry.line) }));
  }

  #add(direction: 'out' | 'in', line: string): void {
    if (this.#lines.length < LINES_MAX) this.#lines.push({ atMs: this.#now(), direction, line });
  }
}
