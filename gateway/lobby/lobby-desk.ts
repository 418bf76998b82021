/**
 * Takes the commands of all lobbies: who may command what, by fence and number as for attempts, and
 * which lobby it is for. Synchronous throughout.
 */
import type { CommandReply, RefusalCode } from '../../machines/command-reply.ts';
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import type { LobbyCommand } from '../../machines/telephony-commands.ts';
import type { LobbyEvent } from '../../machines/telephony-events.ts';
import { CommandGate } from '../attempts/command-gate.ts';
import type { DialInDesk } from '../dial-in/dial-in-desk.ts';
import { Lobby } from './lobby.ts';
import { LobbyOutlet } from './lobby-outlet.ts';
import type { LobbyServices } from './lobby-parts.ts';
import type { PhoneAddresses } from './phone-addresses.ts';

export interface LobbyDeskParts {
  readonly gatewayId: string;
  readonly services: LobbyServices;
  readonly phones: PhoneAddresses;
  /** Undefined: there is no dial-in number. */
  readonly dialIn?: () => DialInDesk | undefined;
  readonly publish: (event: LobbyEvent) => void;
  /** Why no leg can be opened; undefined when all is well. */
  readonly problem: () => string | undefined;
}

/** What an attempt must know of a lobby. */
export interface Lobbies {
  find(lobbyId: string): Lobby | undefined;
}

interface Known {
  readonly gate: CommandGate;
  readonly outlet: LobbyOutlet;
  lobby: Lobby | undefined;
}

/** Lobbies that have ended are remembered, so that a command delivered twice stays without effect. */
const ENDED_KEPT_MAX = 2_000;

export class LobbyDesk implements Lobbies {
  readonly #parts: LobbyDeskParts;
  readonly #known = new Map<string, Known>();
  readonly #open = new Set<Lobby>();
  readonly #releasing = new Set<Lobby>();
  readonly #ended: string[] = [];

  constructor(parts: LobbyDeskParts) {
    this.#parts = parts;
  }

  /** Ready or not. */
  find(lobbyId: string): Lobby | undefined {
    const lobby = this.#known.get(lobbyId)?.lobby;
    return lobby !== undefined && this.#open.has(lobby) ? lobby : undefined;
  }

  /** Why no customer can be dialled for it on that media server; undefined when one can. */
  problemOf(lobbyId: string, mediaServerId: string): string | undefined {
    const lobby = this.find(lobbyId);
    if (lobby?.isReady !== true) return `lobby ${lobbyId} is not ready at this gateway`;
    if (lobby.mediaServerId === mediaServerId) return undefined;
    const theirs = lobby.mediaServerId ?? '';
    return `lobby ${lobbyId} is on media server ${theirs}, the dial would be on ${mediaServerId}`;
  }

  /** They have a leg here already. */
  hasReadyLobbyOf(representativeId: string): boolean {
    return [...this.#open].some((lobby) => {
      return lobby.isReady && lobby.representativeId === representativeId;
    });
  }

  get counts(): { open: number; ready: number; releasing: number } {
    const ready = [...this.#open].filter(({ isReady }) => isReady).length;
    return { open: this.#open.size, ready, releasing: this.#releasing.size };
  }

  handle(command: LobbyCommand): CommandReply {
    const { counters } = this.#parts.services;
    const known = this.#known.get(command.lobbyId);
    if (known === undefined) return this.#handleUnknown(command);
    const fenceBefore = known.gate.fence;
    const admission = known.gate.admit(command);
    if (admission.kind !== 'act') {
      if (admission.kind === 'refuse') counters.commandsStale += 1;
      else counters.commandsDuplicate += 1;
      return admission.reply;
    }
    const isTakenOver = known.gate.fence > fenceBefore;
    if (isTakenOver) known.outlet.raiseFence(known.gate.fence);
    const reply = this.#act(command, isTakenOver);
    known.gate.remember(command, reply);
    return reply;
  }

  switchLost(detail: string): void {
    for (const lobby of [...this.#open]) lobby.switchLost(detail);
  }

  /** The gateway closes. */
  closeAll(): void {
    for (const lobby of [...this.#open]) lobby.close({ reason: 'shutdown' });
  }

  #handleUnknown(command: LobbyCommand): CommandReply {
    if (command.type !== 'lobby.open' || command.takesOver === true) {
      return refusal('LOBBY_GONE', `no lobby ${command.lobbyId}`);
    }
    const problem = this.#refusalOf(command);
    if (problem !== undefined) return problem;
    const gate = new CommandGate(command.fence);
    gate.admit(command);
    const { services, publish, phones, dialIn } = this.#parts;
    const now = (): number => services.clock.now();
    const outlet = new LobbyOutlet(command.lobbyId, command.fence, { now, publish });
    const lobby = new Lobby({
      ...{ open: command, services, phones, outlet, dialIn: dialIn?.() },
      onLeft: () => {
        this.#open.delete(lobby);
        this.#releasing.add(lobby);
        this.#remember(command.lobbyId);
      },
      onReleased: () => this.#releasing.delete(lobby),
    });
    this.#known.set(command.lobbyId, { gate, outlet, lobby });
    this.#open.add(lobby);
    gate.remember(command, { accepted: true });
    lobby.start();
    return { accepted: true };
  }

  #refusalOf({ gatewayId, via }: LobbyOpen): CommandReply | undefined {
    const ours = this.#parts.gatewayId;
    if (gatewayId !== ours) {
      return refusal('WRONG_GATEWAY', `this is ${ours}, the lobby names ${gatewayId}`);
    }
    if (via === 'dialIn' && this.#parts.dialIn?.()?.isOpen !== true) {
      return refusal('BAD_STATE', 'there is no dial-in number');
    }
    const problem = this.#parts.problem();
    return problem === undefined ? undefined : refusal('SWITCH_DOWN', problem);
  }

  #act(command: LobbyCommand, isTakenOver: boolean): CommandReply {
    const lobby = this.find(command.lobbyId);
    if (lobby === undefined) return refusal('LOBBY_GONE', 'it has ended');
    switch (command.type) {
      case 'lobby.open':
        // Opened once, whoever asks: a new owner learns here how far it has come.
        if (isTakenOver) lobby.tellAgain();
        return { accepted: true, duplicate: true };
      case 'lobby.close':
        lobby.close(command);
        return { accepted: true };
      case 'lobby.whisper':
        return lobby.whisper(command) ? { accepted: true } : refusal('BAD_STATE', 'not ready');
      case 'lobby.monitor':
        if (lobby.monitor(command)) return { accepted: true };
        return refusal('BAD_STATE', 'not ready, too many supervisors, or no SIP URI');
      case 'lobby.unmonitor':
        if (lobby.unmonitor(command.monitorId)) return { accepted: true };
        return refusal('BAD_STATE', `no supervisor ${command.monitorId}`);
    }
  }

  #remember(lobbyId: string): void {
    this.#ended.push(lobbyId);
    if (this.#ended.length <= ENDED_KEPT_MAX) return;
    const oldest = this.#ended.shift();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function refusal(code: RefusalCode, detail: string): CommandReply {
  return { accepted: false, code, detail };
}
