/**
 * What a representative does with a customer beside talking: hold, mute, keys, transfer, recording. One
 * thing after the other: each waits until the media server has done the one before.
 */
import type { CommandReply, RefusalCode } from '../../machines/command-reply.ts';
import type { AttemptCommand } from '../../machines/telephony-commands.ts';
import type { EventOutlet } from '../attempts/event-outlet.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { Partner } from '../attempts/partner.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { MediaOutcome } from '../media/media-wait.ts';
import type { AttemptTransfer } from '../../machines/transfer-commands.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { DialAdmission } from '../attempts/dial-admission.ts';
import { AttemptRecordings } from '../recordings/attempt-recordings.ts';
import { HoldMusic } from './hold-music.ts';
import { LobbySession } from './lobby-session.ts';
import { Transfer } from './transfer.ts';

export interface CallControlsParts {
  readonly attemptId: string;
  readonly services: AttemptServices;
  readonly endpoint: MediaEndpoint;
  readonly emit: EventOutlet['emit'];
  readonly ladder: SipLadder;
  readonly partner: () => Partner | undefined;
  /** A number on the attempt's trunk, by all rules of a dial. */
  readonly admitTransfer: (destination: string) => DialAdmission;
  /** The gateway ends the call by itself. */
  readonly hangUp: (why: string) => void;
  /** Nobody has the customer: they wait, and not for ever. */
  readonly onForsaken: () => void;
}

/** North American ringing, 2 s on and 4 s off (GR-506). */
const RINGING = 'tone_stream://v=-16;%(2000,4000,440,480)';

const TAKEN: CommandReply = { accepted: true };

export class CallControls {
  readonly #parts: CallControlsParts;
  readonly #recordings: AttemptRecordings;
  readonly #music: HoldMusic;
  #isHeld = false;
  #transfer: Transfer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(parts: CallControlsParts) {
    this.#parts = parts;
    const { endpoint, services } = parts;
    this.#recordings = new AttemptRecordings(parts);
    this.#music = new HoldMusic(endpoint, services.prompts);
  }

  /** Undefined: it is no command of ours. */
  handle(command: AttemptCommand): CommandReply | undefined {
    if (this.#over) return undefined;
    switch (command.type) {
      case 'recording.start':
      case 'recording.stop':
      case 'recording.pause':
      case 'recording.resume': {
        const problem = this.#recordings.handle(command);
        return problem === undefined ? TAKEN : refusal('BAD_STATE', problem);
      }
      case 'attempt.sendDtmf':
        this.#sendDtmf(command.digits, command.toneMs);
        return TAKEN;
      case 'attempt.hold':
        return this.#withRepresentative((session) => this.#hold(session, command.prompts));
      case 'attempt.unhold':
        return this.#withRepresentative((session) => this.#unhold(session));
      case 'attempt.transfer':
        return this.#beginTransfer(command);
      case 'attempt.completeTransfer':
      case 'attempt.cancelTransfer':
        return this.#steerTransfer(command);
      case 'attempt.mute':
        return this.#withRepresentative((session) => this.#mute(session, true));
      case 'attempt.unmute':
        return this.#withRepresentative((session) => this.#mute(session, false));
      default:
        return undefined;
    }
  }

  /** The customer is being passed on, or has been. */
  get isTransferring(): boolean {
    return this.#transfer !== undefined && !this.#transfer.isOver();
  }

  /** The representative has gone. Attended: whoever they spoke to takes the customer. */
  partnerLeft(): void {
    this.#isHeld = false;
    const transfer = this.#transfer;
    if (transfer?.isAnswered() === true) void transfer.complete();
  }

  /** Resolves when nothing of a transfer's leg is left on the wire. */
  async end(): Promise<void> {
    this.#over = true;
    this.#music.stop();
    this.#recordings.end();
    this.#transfer?.end();
    await this.#transfer?.released;
  }

  #beginTransfer(command: AttemptTransfer): CommandReply {
    if (this.isTransferring) return refusal('BAD_STATE', 'another transfer is under way');
    return this.#withRepresentative(async (session) => {
      const { endpoint: customer, services, ladder, emit, admitTransfer, hangUp } = this.#parts;
      const isBlind = command.mode === 'blind';
      await this.#hold(session, command.prompts ?? (isBlind ? [RINGING] : []));
      if (this.#over || !this.#isHeld) return;
      this.#transfer = new Transfer({
        ...{ command, services, ladder, customer, session, emit, admit: admitTransfer },
        onFailed: () => this.#transferFailed(session),
        onDestinationLeft: () => hangUp('the destination of the transfer hung up'),
      });
      if (isBlind) session.transferred();
      this.#transfer.start();
    });
  }

  #steerTransfer({ type, transferId }: { type: string; transferId: string }): CommandReply {
    const transfer = this.#transfer;
    if (transfer?.id !== transferId || transfer.isOver() || transfer.isJoined) {
      return refusal('BAD_STATE', `transfer ${transferId} is not under way`);
    }
    if (type === 'attempt.cancelTransfer') {
      transfer.fail('cancelled', 'by attempt.cancelTransfer');
      return TAKEN;
    }
    if (!transfer.isAnswered()) return refusal('BAD_STATE', 'the destination has not answered');
    this.#music.stop();
    void transfer.complete();
    return TAKEN;
  }

  #transferFailed(session: LobbySession): void {
    this.#last = this.#last.then(() => {
      if (this.#over) return undefined;
      if (session.isConnected) return this.#unhold(session);
      this.#isHeld = false;
      this.#music.stop();
      void this.#parts.endpoint.stopPlaying();
      this.#parts.onForsaken();
      return undefined;
    });
  }

  #withRepresentative(act: (session: LobbySession) => Promise<void>): CommandReply {
    const partner = this.#parts.partner();
    if (!(partner instanceof LobbySession) || !partner.isConnected) {
      return refusal('BAD_STATE', 'no representative is connected');
    }
    this.#last = this.#last.then(() => (partner.isConnected ? act(partner) : undefined));
    return TAKEN;
  }

  async #hold(session: LobbySession, prompts: readonly string[]): Promise<void> {
    const { endpoint, emit } = this.#parts;
    if (!this.#isHeld) {
      if (!this.#isDone('hold', await endpoint.park())) return;
      if (this.#over || !session.isConnected) return;
      this.#isHeld = true;
      session.seat?.rest();
      emit({ type: 'attempt.holdChanged', held: true });
    }
    // Ordered again while it is held: other music.
    await this.#music.play(prompts);
  }

  async #unhold(session: LobbySession): Promise<void> {
    const { endpoint, emit } = this.#parts;
    const { seat } = session;
    if (!this.#isHeld || seat === undefined) return;
    this.#music.stop();
    if (!this.#isDone('unhold', await endpoint.bridgeWith(seat.endpoint))) return;
    this.#isHeld = false;
    if (!this.#over) emit({ type: 'attempt.holdChanged', held: false });
  }

  async #mute(session: LobbySession, muted: boolean): Promise<void> {
    const { emit } = this.#parts;
    if (session.seat === undefined || session.isMuted === muted) return;
    if (!this.#isDone('mute', await session.mute(muted)) || this.#over) return;
    emit({ type: 'attempt.muteChanged', muted });
  }

  #sendDtmf(digits: string, toneMs: number): void {
    const { endpoint } = this.#parts;
    const args = `${endpoint.channelId} ${digits}@${toneMs}`;
    this.#last = this.#last.then(async () => {
      this.#isDone('sendDtmf', await endpoint.command('uuid_send_dtmf', args));
    });
  }

  #isDone(what: string, outcome: MediaOutcome<unknown>): boolean {
    if (outcome.kind === 'done') return true;
    const { services, attemptId } = this.#parts;
    if (outcome.kind !== 'gone') {
      const problem = outcome.kind === 'timeout' ? 'no answer' : outcome.problem;
      services.log.warn({ attemptId, what, problem }, 'the media server did not do it');
    }
    return false;
  }
}

function refusal(code: RefusalCode, detail: string): CommandReply {
  return { accepted: false, code, detail };
}
