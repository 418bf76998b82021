/**
 * A call to the dial-in number: number and PIN are asked for, then the leg waits until a lobby takes it.
 * When that lobby is over and the caller is still there, it waits again.
 */
import type { EventOf } from '../../machines/telephony-events.ts';
import type {
  DialInRefusal,
  DialInVerdict,
  RepresentativeDirectory,
} from '../../machines/representative-directory.port.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { PhoneWatch } from '../lobby/phone-watch.ts';
import { probeWith, type Probe } from '../lobby/probe.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import { IncomingLeg, type IncomingLegHandlers } from '../sip/incoming-leg.ts';
import type { IncomingLegServices } from '../sip/incoming-leg.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import { KeyEntry } from './key-entry.ts';
import type { DialInSettings } from './dial-in-settings.ts';

export type DialInEndReason = EventOf<'representative.dialInEnded'>['reason'];

export interface DialInCallParts {
  readonly settings: DialInSettings;
  readonly services: IncomingLegServices & {
    readonly prompts: PromptFiles;
    readonly log: GatewayLog;
  };
  readonly directory: Pick<RepresentativeDirectory, 'admitDialIn'>;
  /** Who calls, for the lock-out. */
  readonly source: string;
  /** False: they have a leg at this gateway already. */
  readonly mayWait: (representativeId: string) => boolean;
  /** It waits to be taken. Told anew each time. */
  readonly onWaiting: (representativeId: string) => void;
  readonly onRefused: (representativeId: string | null, reason: DialInRefusal) => void;
  /** What waited is gone, or taken. */
  readonly onWaitEnded: (representativeId: string, reason: DialInEndReason) => void;
  /** Nothing follows. */
  readonly onOver: () => void;
}

/** A minute of comfort noise, again and again, as in a lobby. */
const COMFORT_NOISE = 'silence_stream://60000,1400';
const PIECE_LIMIT_MS = 3_600_000;
const PROMPT_LIMIT_MS = 60_000;
/** The media server ends the leg by itself after this, should every gateway be gone by then. */
const HELD_MAX_MS = 12 * 3_600_000;
const DIGITS_MAX = 12;
/** Whatever they press: a call that is only listened to is no use to anybody. */
const ENTERING_LIMIT_MS = 180_000;

export class DialInCall {
  readonly #parts: DialInCallParts;
  readonly #leg: IncomingLeg;
  #endpoint: MediaEndpoint | undefined;
  #entry: KeyEntry | undefined;
  #representativeId: string | undefined;
  #phase: 'entering' | 'waiting' | 'taken' | 'over' = 'entering';
  #watch: PhoneWatch | undefined;
  #timer: unknown;

  constructor(request: SipRequest, response: SipResponse, parts: DialInCallParts) {
    this.#parts = parts;
    this.#leg = new IncomingLeg(request, response, parts.services, this.#ownHandlers);
  }

  /** Undefined until they have been let in. */
  get representativeId(): string | undefined {
    return this.#representativeId;
  }

  get isWaiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** Settles when nothing of it is left on the wire. */
  get released(): Promise<void> {
    return this.#leg.released;
  }

  start(): void {
    this.#leg.start();
  }

  /** A lobby has it from now on. Undefined when it does not wait. */
  async take(handlers: IncomingLegHandlers): Promise<MediaEndpoint | undefined> {
    const endpoint = this.#endpoint;
    if (this.#phase !== 'waiting' || endpoint === undefined) return undefined;
    this.#phase = 'taken';
    this.#restEnded('lobby');
    this.#leg.handTo({
      ...handlers,
      onLeft: (by, detail) => {
        this.#over();
        handlers.onLeft(by, detail);
      },
    });
    await endpoint.stopPlaying();
    return this.#isOver() ? undefined : endpoint;
  }

  /** The lobby is over, and they may be wanted again. */
  giveBack(): void {
    if (this.#phase !== 'taken') return;
    this.#leg.handTo(this.#ownHandlers);
    // The lobby's sound is over with it.
    void this.#endpoint?.stopPlaying().then(() => {
      if (this.#phase === 'taken') this.#wait();
    });
  }

  /** Whether the phone is there still, silent as it may be. */
  async probe(limitMs: number): Promise<Probe> {
    if (!this.#leg.isAnswered) return 'unknown';
    return probeWith((...request) => this.#leg.request(...request), limitMs);
  }

  /** A NOTIFY, for the progress of a REFER; its answer changes nothing. */
  notify(headers: Record<string, string>, body: string): void {
    void this.#leg.request('NOTIFY', { headers, body });
  }

  /** Hangs up. */
  end(reason: DialInEndReason): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'waiting') this.#restEnded(reason);
    this.#over();
    this.#leg.end();
  }

  get #ownHandlers(): IncomingLegHandlers {
    return {
      onAnswered: (endpoint) => void this.#converse(endpoint),
      onRefused: () => this.#over(),
      onLeft: (by) => {
        if (this.#phase === 'waiting') this.#restEnded(by);
        this.#over();
      },
      onDigit: (digit) => this.#onDigit(digit),
    };
  }

  async #converse(endpoint: MediaEndpoint): Promise<void> {
    this.#endpoint = endpoint;
    endpoint.scheduleHangup(HELD_MAX_MS);
    const { settings, services, onRefused } = this.#parts;
    this.#timer = services.clock.setTimeout(() => this.end('gateway'), ENTERING_LIMIT_MS);
    for (let turn = 0; turn < settings.triesMax; turn += 1) {
      const verdict = await this.#askWho();
      if (this.#isOver()) return;
      if (verdict?.admitted === true) {
        this.#leg.stopListening();
        this.#representativeId = verdict.representativeId;
        this.#wait();
        return;
      }
      const reason = verdict?.reason ?? 'unknownNumber';
      // Nothing was entered: that is nobody's mistake to be told of.
      if (verdict !== undefined) onRefused(verdict.representativeId, reason);
      // Whoever guesses does not hear which of the two was wrong.
      const isWrong = reason === 'wrongPin' || reason === 'unknownNumber';
      await this.#say(isWrong ? settings.prompts.wrong : settings.prompts[reason]);
      if (!isWrong) break;
    }
    this.end('gateway');
  }

  /** Undefined: they entered nothing. */
  async #askWho(): Promise<DialInVerdict | undefined> {
    const { settings, directory, source, services, mayWait } = this.#parts;
    const number = await this.#ask(settings.prompts.number);
    if (number === '' || this.#isOver()) return undefined;
    const pin = await this.#ask(settings.prompts.pin);
    if (pin === '' || this.#isOver()) return undefined;
    try {
      const verdict = await directory.admitDialIn({ number, pin, source });
      if (!verdict.admitted || mayWait(verdict.representativeId)) return verdict;
      const { representativeId } = verdict;
      return { admitted: false, reason: 'inLobby', representativeId };
    } catch (error) {
      services.log.warn({ err: error }, 'who dials in could not be found out');
      return { admitted: false, reason: 'unavailable', representativeId: null };
    }
  }

  #ask(prompt: string): Promise<string> {
    const { settings, services } = this.#parts;
    return new Promise((resolve) => {
      const entry = new KeyEntry({
        ...{ clock: services.clock, digitsMax: DIGITS_MAX },
        ...{ pauseMs: settings.pauseMs, patienceMs: settings.patienceMs },
        onDone: (digits) => {
          this.#entry = undefined;
          resolve(digits);
        },
      });
      this.#entry = entry;
      this.#leg.listenForTones();
      void this.#say(prompt).then(() => {
        // A tap that a prompt has ended is made anew.
        if (this.#entry === entry) this.#leg.listenForTones();
        entry.asked();
      });
    });
  }

  #onDigit({ digit }: ReceivedDigit): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    void this.#endpoint?.stopPlaying();
    entry.press(digit);
  }

  async #say(prompt: string): Promise<void> {
    const { prompts, log } = this.#parts.services;
    if (prompt === '') return;
    const file = await prompts.locate(prompt);
    if (file === undefined) log.error({ prompt }, 'there is no such prompt for the dial-in lobby');
    else if (!this.#isOver()) await this.#endpoint?.play([file], PROMPT_LIMIT_MS);
  }

  #wait(): void {
    const { settings, services, onWaiting, onRefused } = this.#parts;
    const endpoint = this.#endpoint;
    const representativeId = this.#representativeId;
    if (endpoint === undefined || representativeId === undefined) return;
    this.#phase = 'waiting';
    services.clock.clearTimeout(this.#timer);
    this.#watch = new PhoneWatch({
      ...{ endpoint, clock: services.clock },
      probe: (limitMs) => this.probe(limitMs),
      onLost: () => this.end('lost'),
    });
    this.#watch.start();
    this.#timer = services.clock.setTimeout(() => {
      onRefused(representativeId, 'notInvited');
      void this.#dismiss();
    }, settings.waitMs);
    onWaiting(representativeId);
    void this.#rest();
  }

  async #dismiss(): Promise<void> {
    this.#restEnded('notInvited');
    this.#phase = 'entering';
    await this.#endpoint?.stopPlaying();
    await this.#say(this.#parts.settings.prompts.notInvited);
    this.end('gateway');
  }

  async #rest(): Promise<void> {
    await this.#say(this.#parts.settings.prompts.admitted);
    let again = true;
    while (again && this.isWaiting) {
      const outcome = await this.#endpoint?.play([COMFORT_NOISE], PIECE_LIMIT_MS);
      const said =
        outcome?.kind === 'done' ? outcome.value.getHeader('Application-Response') : undefined;
      again = said === 'FILE PLAYED';
    }
  }

  #restEnded(reason: DialInEndReason): void {
    const { services, onWaitEnded } = this.#parts;
    services.clock.clearTimeout(this.#timer);
    this.#watch?.stop();
    if (this.#representativeId !== undefined) onWaitEnded(this.#representativeId, reason);
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#entry?.end();
    this.#parts.onOver();
  }

  /** A function, since it changes while something is awaited. */
  #isOver(): boolean {
    return this.#phase === 'over';
  }
}
