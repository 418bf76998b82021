/** A gateway that only has lobbies: phones answer at once, unless they are told not to. */
import type { CommandReply } from '../../machines/command-reply.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { AttemptEvent, EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';

export class SimulatedLobbies implements TelephonyPort {
  readonly sent: TelephonyCommand[] = [];
  phonesAnswer = true;
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  readonly #seqs = new Map<string, number>();

  send(command: TelephonyCommand): Promise<CommandReply> {
    this.sent.push(command);
    if (command.type === 'lobby.open' && this.phonesAnswer) {
      queueMicrotask(() => this.ready(command.lobbyId));
    }
    if (command.type === 'lobby.close') {
      queueMicrotask(() => this.left(command.lobbyId, 'closed'));
    }
    return Promise.resolve({ accepted: true });
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of those opened and not closed since, the last. */
  get lobbyId(): string {
    const open = this.sent.findLast(({ type }) => type === 'lobby.open');
    if (open?.type !== 'lobby.open') throw new Error('no lobby was opened');
    return open.lobbyId;
  }

  opened(): number {
    return this.sent.filter(({ type }) => type === 'lobby.open').length;
  }

  closed(): number {
    return this.sent.filter(({ type }) => type === 'lobby.close').length;
  }

  ready(lobbyId = this.lobbyId): void {
    this.#tell({ type: 'lobby.ready', ...this.#envelope(lobbyId), mediaServerId: 'm-1' });
  }

  left(lobbyId = this.lobbyId, reason: EventOf<'lobby.left'>['reason'] = 'representative'): void {
    this.#tell({ type: 'lobby.left', ...this.#envelope(lobbyId), reason, heldMs: 1 });
  }

  attempt(
    attemptId: string,
    event: { readonly type: AttemptEvent['type'] } & Readonly<Record<string, unknown>>,
  ): void {
    const seq = this.#seqOf(attemptId);
    this.#tell({ attemptId, fence: 1, seq, atMs: 0, ...event } as unknown as AttemptEvent);
  }

  #envelope(lobbyId: string) {
    return { lobbyId, fence: 1, seq: this.#seqOf(lobbyId), atMs: 0 };
  }

  #seqOf(id: string): number {
    const seq = (this.#seqs.get(id) ?? 0) + 1;
    this.#seqs.set(id, seq);
    return seq;
  }

  #tell(event: TelephonyEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
