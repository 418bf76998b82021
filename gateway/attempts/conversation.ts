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
  Failsafe,
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
import { Company } from './company.ts';
import type { PartnerEnd } from './partner.ts';
import { PlayQueue, type Play, type Played } from './play-queue.ts';

/** The dialer hears of the agent's end and answers within a round trip; this is many of them. */
const FORSAKEN_AFTER_MS = 5_000;
/** A person who is owed a word, and could have it, is not kept in silence for longer. */
const OWED_AFTER_MS = 2_000;

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
  readonly #company: Company;
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
    const { ladder, codecs, emit, admitTransfer, hangUp, ears } = parts;
    this.#company = new Company({
      partner: {
        ...{ attemptId: dial.attemptId, services, ladder, codecs, emit },
        customer: { ...customer, greetingEndedAtMs: () => ears.greetingEndedAtMs },
      },
      onConnected: () => this.#onConnected(),
      onAlone: (end) => this.#onPartnerLeft(end),
    });
    this.#controls = new CallControls({
      ...{ attemptId: dial.attemptId, services, endpoint, ladder, emit, admitTransfer, hangUp },
      partner: () => this.#company.partner,
      onForsaken: () => this.#watchForsaken('broken'),
    });
    const { failsafe } = dial;
    this.#company.inherit(
      parts.early?.handOver({
        onConnected: () => this.#onConnected(),
        onOver: (end) => this.#onPartnerLeft(end),
      }),
    );
    if (failsafe === undefined || this.isConnected) return;
    this.#abandonment = new AbandonmentClock({
      ...{ failsafe, clock, isDetected: dial.detection !== undefined },
      onExpired: (isPerson, waitedMs) => this.#onExpired(isPerson, waitedMs),
    });
    // Made now, so that it is there at once then.
    for (const prompt of failsafePrompts(failsafe)) void prompts.locate(prompt);
  }

  get isConnected(): boolean {
    return this.#company.isConnected;
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
    this.#ordered();
    this.#attended();
    return true;
  }

  /**
   * False when somebody is being connected already, or the target is none that is offered here. An AI
   * agent that talks with the customer hands them over to a representative.
   */
  connect(command: AttemptConnect): boolean {
    if (this.#over || this.#closing || this.#controls.isTransferring) return false;
    if (!this.#company.connect(command)) return false;
    this.#ordered();
    // A partner that failed at once is watched for already.
    if (this.#company.isGone === false) this.#attended();
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
    const confirmation = play.optOutPrompt ?? '';
    this.#sayAndHangUp(OPT_OUT_PLAY_ID, confirmation === '' ? [] : [confirmation], 'opted out');
  }

  /** The attempt ends. Resolves when nothing of the partner's leg is left on the wire. */
  async end(by: AttemptEnded['endedBy']): Promise<void> {
    this.#over = true;
    this.#attended();
    this.#abandonment?.stop();
    this.#greeting.stop();
    this.#plays.stop();
    this.#company.end(by === 'trunk' ? 'far' : by);
    await Promise.all([this.#company.released(), this.#controls.end()]);
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
    if (played.playId === this.#lastPlayId)
      this.#parts.hangUp(`${played.playId}: ${played.status}`);
    else if (this.#isForsaken()) this.#watchForsaken('left');
  }

  /** Nobody is there any more, or nobody will be by the clock. */
  #isForsaken(): boolean {
    return this.#company.isGone ?? this.#abandonment?.isOver === true;
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
    const { partner, isGone } = this.#company;
    const connectId = isGone === false ? (partner?.connectId ?? null) : null;
    partner?.end('gateway');
    const detail = `nobody was connected within ${waitedMs} ms`;
    emit({ type: 'attempt.connectFailed', connectId, reason: 'failsafe', detail });
    if (this.#isOver()) return;
    this.#plays.clear();
    this.#sayFailsafe(failsafe, detail);
  }

  #sayFailsafe(failsafe: Failsafe, why: string): void {
    const { optOutDigits, optOutPrompt } = failsafe;
    const offer = { optOutDigits, ...(optOutPrompt === undefined ? {} : { optOutPrompt }) };
    this.#sayAndHangUp(FAILSAFE_PLAY_ID, failsafePrompts(failsafe), why, offer);
  }

  #sayAndHangUp(
    playId: string,
    prompts: readonly string[],
    why: string,
    offer: Pick<Play, 'optOutDigits' | 'optOutPrompt'> = {},
  ): void {
    if (this.#over) return;
    this.#lastPlayId = playId;
    if (prompts.length === 0 || !this.#plays.add({ playId, prompts: [...prompts], ...offer })) {
      this.#parts.hangUp(why);
    }
  }

  /** A function, since it changes while something is told. */
  #isOver(): boolean {
    return this.#over;
  }

  #onPartnerLeft(end: PartnerEnd): void {
    this.#controls.partnerLeft();
    this.#watchForsaken(end);
  }

  /**
   * The dialer knows what to do now; should it be dead, the call is ended, and who is owed a word has it
   * first. While the clock of a representative's call runs it is the clock that does so.
   */
  #watchForsaken(end: PartnerEnd): void {
    this.#attended();
    if (this.#over || this.#closing || this.#controls.isTransferring) return;
    const { dial, ears, services, hangUp } = this.#parts;
    const { failsafe } = dial;
    if (this.#abandonment?.isOver === false && failsafe?.orderStops !== true) return;
    const why = 'nobody took care of the customer';
    const isOwed = end === 'broken' && !isNobody(ears.verdict);
    const owed = isOwed && failsafe?.promptId !== '' ? failsafe : undefined;
    const fire = (): void => {
      if (owed === undefined) {
        hangUp(why);
        return;
      }
      this.#closing = true;
      this.#abandonment?.stop();
      this.#sayFailsafe(owed, why);
    };
    const afterMs = owed === undefined ? FORSAKEN_AFTER_MS : OWED_AFTER_MS;
    this.#forsakenTimer = services.clock.setTimeout(fire, afterMs);
  }

  /** The dialer was there after the answer. */
  #ordered(): void {
    if (this.#parts.dial.failsafe?.orderStops === true) this.#abandonment?.stop();
  }

  #attended(): void {
    this.#parts.services.clock.clearTimeout(this.#forsakenTimer);
  }
}

function failsafePrompts({ promptId, morePrompts = [] }: Failsafe): readonly string[] {
  return [promptId, ...morePrompts].filter((prompt) => prompt !== '');
}
