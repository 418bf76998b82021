/**
 * What is done with whoever answered, from the answer to the end: prompts are played, somebody is
 * connected, digits are told, and the abandonment clock runs. Should nobody take care of the customer
 * after that, the call is ended: a dialer that died in that moment must not leave a person in silence
 * until the call's limit.
 */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type {
  AttemptCommand,
  AttemptConnect,
  AttemptDial,
  AttemptPlay,
} from '../../machines/telephony-commands.ts';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import type { AgentSessionParts } from '../ai-agents/agent-session.ts';
import type { ReceivedDigit } from '../media/media-endpoint.ts';
import { AbandonmentClock, isNobody } from './abandonment-clock.ts';
import type { AttemptServices } from './attempt-parts.ts';
import type { CustomerEars } from './customer-ears.ts';
import { DigitPresses } from './digit-presses.ts';
import { CallControls, type CallControlsParts } from '../lobby/call-controls.ts';
import type { EarlyPartner } from '../lobby/early-partner.ts';
import type { EventOutlet } from './event-outlet.ts';
import { GreetingWatch } from './greeting-watch.ts';
import { partnerFor, type Partner } from './partner.ts';
import { PlayQueue, type Play, type Played } from './play-queue.ts';

/** The dialer hears of the agent's end and answers within a round trip; this is many of them. */
const FORSAKEN_AFTER_MS = 5_000;

/** What the gateway itself plays, as attempt.played names it. */
const FAILSAFE_PLAY_ID = 'failsafe';
const OPT_OUT_PLAY_ID = 'optOut';

export interface ConversationParts {
  readonly dial: Pick<AttemptDial, 'attemptId' | 'failsafe' | 'detection'>;
  readonly services: AttemptServices;
  readonly ladder: AgentSessionParts['ladder'];
  readonly codecs: AgentSessionParts['codecs'];
  readonly customer: Omit<AgentSessionParts['customer'], 'greetingEndedAtMs'>;
  readonly ears: CustomerEars;
  readonly admitTransfer: CallControlsParts['admitTransfer'];
  /** Who was connected before the answer. */
  readonly early: EarlyPartner | undefined;
  readonly emit: EventOutlet['emit'];
  /** The gateway ends the call by itself. */
  readonly hangUp: (why: string) => void;
}

export class Conversation {
  readonly #parts: ConversationParts;
  readonly #plays: PlayQueue;
  readonly #greeting: GreetingWatch;
  readonly #presses = new DigitPresses();
  readonly #abandonment: AbandonmentClock | undefined;
  readonly #controls: CallControls;
  #partner: Partner | undefined;
  #forsakenTimer: unknown;
  /** The gateway ends the call after what it says itself: nobody else has a say any more. */
  #closing = false;
  /** After which it does. */
  #lastPlayId: string | undefined;
  #over = false;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    const { customer, services, dial } = parts;
    const { endpoint, mediaReady } = customer;
    const { prompts, clock } = services;
    this.#greeting = new GreetingWatch(clock);
    this.#plays = new PlayQueue({
      ...{ endpoint, prompts, clock, mediaReady, greeting: this.#greeting },
      onBegins: (play) => this.#onBegins(play),
      onPlayed: (played) => this.#onPlayed(played),
    });
    const { ladder, emit, admitTransfer, hangUp } = parts;
    this.#controls = new CallControls({
      ...{ attemptId: dial.attemptId, services, endpoint, ladder, emit, admitTransfer, hangUp },
      partner: () => this.#partner,
      onForsaken: () => this.#watchForsaken(),
    });
    const { failsafe } = dial;
    this.#partner = parts.early?.handOver({
      onConnected: () => this.#onConnected(),
      onOver: () => this.#onPartnerLeft(),
    });
    if (failsafe === undefined || this.isConnected) return;
    this.#abandonment = new AbandonmentClock({
      ...{ failsafe, clock, isDetected: dial.detection !== undefined },
      onExpired: (isPerson, waitedMs) => this.#onExpired(isPerson, waitedMs),
    });
    void prompts.locate(failsafe.promptId); // made now, so that it is there at once then
  }

  get isConnected(): boolean {
    return this.#partner?.isConnected === true;
  }

  /** The answer has been told: what is heard from here on is about who answered. */
  listen(): void {
    const { ears, dial } = this.#parts;
    ears.answered(dial.detection, {
      onVerdict: (verdict) => this.#onVerdict(verdict),
      onGreetingEnded: (atMs) => {
        this.#greeting.greetingEnded(atMs);
        this.#abandonment?.greetingEnded(atMs);
      },
      onBeep: () => this.#greeting.beep(),
      onVoice: (speaking) => this.#greeting.voice(speaking),
      onDigit: (digit) => this.digit(digit),
      onDeaf: () => this.#greeting.deaf(),
    });
  }

  /** False when it cannot be taken. */
  play(command: AttemptPlay): boolean {
    if (this.#closing || !this.#plays.add(command)) return false;
    this.#attended();
    return true;
  }

  /** False when somebody is being connected already, or the target is none that is offered here. */
  connect(command: AttemptConnect): boolean {
    if (this.#over || this.#closing || this.#partner?.isOver() === false) return false;
    if (this.#controls.isTransferring) return false;
    const { services, ladder, codecs, customer, emit, ears, dial } = this.#parts;
    const partner = partnerFor(command, {
      ...{ attemptId: dial.attemptId, services, ladder, codecs, emit },
      customer: { ...customer, greetingEndedAtMs: () => ears.greetingEndedAtMs },
      onConnected: () => this.#onConnected(),
      onOver: () => this.#onPartnerLeft(),
    });
    if (partner === undefined) return false;
    this.#attended();
    this.#partner = partner;
    partner.start();
    return true;
  }

  /** Hold, mute, keys, transfer, recording. Undefined when it cannot be taken. */
  control(command: AttemptCommand): CommandReply | undefined {
    return this.#over || this.#closing ? undefined : this.#controls.handle(command);
  }

  /** From whichever source: each press is told once. */
  digit(digit: ReceivedDigit): void {
    const { services, emit } = this.#parts;
    if (this.#over || !this.#presses.isNew(digit, services.clock.now())) return;
    const play = this.#plays.current;
    if (play?.optOutDigits?.includes(digit.digit) !== true || this.isConnected) {
      emit({ type: 'attempt.dtmf', ...digit });
      return;
    }
    const playId = play.playId === FAILSAFE_PLAY_ID ? null : play.playId;
    const { digit: pressed, source } = digit;
    this.#closing = true;
    this.#lastPlayId = undefined;
    this.#attended();
    const optOut = { type: 'attempt.optOut', digit: pressed, source, playId } as const;
    emit({ type: 'attempt.dtmf', ...digit }, optOut);
    this.#plays.clear();
    this.#sayAndHangUp(OPT_OUT_PLAY_ID, play.optOutPrompt ?? '', 'opted out');
  }

  /** The attempt ends. Resolves when nothing of the partner's leg is left on the wire. */
  async end(by: AttemptEnded['endedBy']): Promise<void> {
    this.#over = true;
    this.#attended();
    this.#abandonment?.stop();
    this.#greeting.stop();
    this.#plays.stop();
    this.#partner?.end(by === 'trunk' ? 'far' : by);
    await Promise.all([this.#partner?.released, this.#controls.end()]);
  }

  #onVerdict(verdict: AnswerVerdict): void {
    this.#abandonment?.classified(verdict);
    if (this.isConnected && !isNobody(verdict)) this.#parts.ears.rest();
  }

  #onConnected(): void {
    const { ears } = this.#parts;
    this.#abandonment?.stop();
    if (!isNobody(ears.verdict)) ears.rest();
  }

  #onBegins({ when, optOutDigits = '' }: Play): void {
    const { ears } = this.#parts;
    const listens = {
      ...(optOutDigits === '' ? {} : { digits: true as const }),
      ...(when === 'afterGreeting' ? { voice: true as const } : {}),
    };
    if (Object.keys(listens).length > 0 && !this.isConnected) ears.attend(listens);
    if (ears.isDeaf) this.#greeting.deaf();
  }

  #onPlayed(played: Played): void {
    this.#parts.emit({ type: 'attempt.played', ...played });
    if (this.#over) return;
    if (played.playId === this.#lastPlayId) this.#parts.hangUp(`${played.playId} was played`);
    else if (this.#isForsaken()) this.#watchForsaken();
  }

  /** Nobody is there any more, or nobody will be by the clock. */
  #isForsaken(): boolean {
    return this.#partner?.isOver() ?? this.#abandonment?.isOver === true;
  }

  /** The message goes before whatever is played or connected; a machine is told nothing. */
  #onExpired(isPerson: boolean, waitedMs: number): void {
    const { dial, emit } = this.#parts;
    const { failsafe } = dial;
    if (failsafe === undefined) return;
    if (!isPerson) {
      // Something is being left on it: the dialer is there, and ends the call after it.
      if (this.#plays.isIdle) this.#parts.hangUp('nobody ended the call of a machine');
      return;
    }
    this.#closing = true;
    this.#attended();
    const partner = this.#partner;
    const connectId = partner?.isOver() === false ? partner.connectId : null;
    partner?.end('gateway');
    const detail = `nobody was connected within ${waitedMs} ms`;
    emit({ type: 'attempt.connectFailed', connectId, reason: 'failsafe', detail });
    if (this.#isOver()) return;
    this.#plays.clear();
    const { promptId, optOutDigits, optOutPrompt } = failsafe;
    const offer = { optOutDigits, ...(optOutPrompt === undefined ? {} : { optOutPrompt }) };
    this.#sayAndHangUp(FAILSAFE_PLAY_ID, promptId, detail, offer);
  }

  #sayAndHangUp(
    playId: string,
    prompt: string,
    why: string,
    offer: Pick<Play, 'optOutDigits' | 'optOutPrompt'> = {},
  ): void {
    if (this.#over) return;
    this.#lastPlayId = playId;
    if (prompt === '' || !this.#plays.add({ playId, prompts: [prompt], ...offer })) {
      this.#parts.hangUp(why);
    }
  }

  /** A function, since it changes while something is told. */
  #isOver(): boolean {
    return this.#over;
  }

  #onPartnerLeft(): void {
    this.#controls.partnerLeft();
    this.#watchForsaken();
  }

  #watchForsaken(): void {
    this.#attended();
    if (this.#over || this.#closing || this.#controls.isTransferring) return;
    const { services, hangUp } = this.#parts;
    const fire = (): void => hangUp('nobody took care of the customer');
    this.#forsakenTimer = services.clock.setTimeout(fire, FORSAKEN_AFTER_MS);
  }

  #attended(): void {
    this.#parts.services.clock.clearTimeout(this.#forsakenTimer);
  }
}
