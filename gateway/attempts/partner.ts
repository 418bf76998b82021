/** Whom the customer is joined with, whatever it is: what a conversation asks of it. */
import type { AttemptConnect } from '../../machines/telephony-commands.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import { AgentSession, type AgentSessionParts } from '../ai-agents/agent-session.ts';
import { LobbySession } from '../lobby/lobby-session.ts';

export type PartnerParts = Omit<AgentSessionParts, 'connectId' | 'target'>;

/** left: hung up, with nothing owed. broken: failed, or asked for somebody else and went. */
export type PartnerEnd = 'left' | 'broken';

export interface Partner {
  readonly connectId: string;
  /** Both can hear each other. */
  readonly isConnected: boolean;
  /** Settles when nothing of its leg is left on the wire. */
  readonly released: Promise<void>;
  isOver(): boolean;
  start(): void;
  /** The attempt ends, or its clock has run out: silent when nobody was connected yet. */
  end(by: EventOf<'attempt.bridgeEnded'>['endedBy']): void;
}

/** Undefined when the target is none that is offered here. */
export function partnerFor(command: AttemptConnect, parts: PartnerParts): Partner | undefined {
  const { connectId, target, cue } = command;
  switch (target.kind) {
    case 'aiAgent':
      return new AgentSession({ ...parts, connectId, target });
    case 'lobby': {
      const { lobbies } = parts.services;
      return new LobbySession({ ...parts, connectId, lobbyId: target.lobbyId, cue, lobbies });
    }
  }
}
