/**
 * Which commands of an attempt are acted on. Commands arrive at least once and in order per attempt;
 * what was seen is answered again and not done again, and the owner of before is refused here, where
 * the effect would happen.
 */
import type { CommandReply } from '../../machines/command-reply.ts';

export type Admission =
  | { readonly kind: 'act' }
  | { readonly kind: 'again'; readonly reply: CommandReply }
  | { readonly kind: 'refuse'; readonly reply: CommandReply };

/** Replies kept to answer a duplicate; older ones are answered as taken. */
const REPLIES_MAX = 16;

export class CommandGate {
  #fence: number;
  #lastSeq = 0;
  readonly #replies = new Map<number, CommandReply>();

  constructor(fence: number) {
    this.#fence = fence;
  }

  get fence(): number {
    return this.#fence;
  }

  /** `attempt.query` is a question: it has no effect to be repeated, so its number does not count. */
  admit(command: { type: string; fence: number; seq: number }): Admission {
    const { fence, seq } = command;
    if (fence < this.#fence) {
      const detail = `fence ${fence} is older than ${this.#fence}`;
      return { kind: 'refuse', reply: { accepted: false, code: 'STALE_FENCE', detail } };
    }
    if (fence > this.#fence) {
      this.#fence = fence;
      this.#lastSeq = 0;
      this.#replies.clear();
    }
    if (command.type === 'attempt.query' || seq > this.#lastSeq) return { kind: 'act' };
    const earlier = this.#replies.get(seq);
    if (earlier !== undefined || this.#lastSeq - seq >= REPLIES_MAX) {
      return { kind: 'again', reply: asDuplicate(earlier ?? { accepted: true }) };
    }
    const detail = `number ${seq} came after number ${this.#lastSeq}`;
    return { kind: 'refuse', reply: { accepted: false, code: 'BAD_STATE', detail } };
  }

  remember(command: { type: string; seq: number }, reply: CommandReply): void {
    if (command.type === 'attempt.query') return;
    this.#lastSeq = Math.max(this.#lastSeq, command.seq);
    this.#replies.set(command.seq, reply);
    if (this.#replies.size <= REPLIES_MAX) return;
    const [oldest] = this.#replies.keys();
    if (oldest !== undefined) this.#replies.delete(oldest);
  }
}

/** A refusal stays one: what was refused must not be done because it was delivered twice. */
function asDuplicate(reply: CommandReply): CommandReply {
  return reply.accepted ? { ...reply, duplicate: true } : reply;
}
