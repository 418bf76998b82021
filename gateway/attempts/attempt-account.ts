/** What an attempt knows about itself, and says in the end: when what happened, and by whom. */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import { elapsedMs } from '../clock.ts';
import { NO_FINAL, type FinalAccount } from '../sip/sip-final.ts';

/** Who gave the attempt up before its answer was known, and why. The first one counts. */
export interface GiveUp {
  readonly by: AttemptEnded['endedBy'];
  readonly reason: string | null;
}

const ANSWERED: FinalAccount = {
  sip: { statusCode: 200, reasonPhrase: 'OK', origin: 'network' },
  q850: [],
  reasonHeaders: [],
};

export class AttemptAccount {
  readonly #now: () => number;
  /** The final response as far as it is known. */
  final: FinalAccount = NO_FINAL;
  /** INVITEs that have left or may have left. */
  invites = 0;
  giveUp: GiveUp | undefined;
  ended: AttemptEnded | undefined;
  #sentAtMs = 0;
  #alertingAtMs: number | undefined;
  #answeredAtMs: number | undefined;
  #lastProvisional = 0;
  #hasEarlyMedia = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  sent(): void {
    this.#sentAtMs = this.#now();
  }

  /** Since the INVITE was sent. */
  get afterSentMs(): number {
    return elapsedMs(this.#sentAtMs, this.#now());
  }

  /** Status code of the last provisional response; 0 when there was none. */
  get lastProvisional(): number {
    return this.#lastProvisional;
  }

  /** True when the code is not the one that came before: a 180 may be repeated every minute. */
  isNews(statusCode: number): boolean {
    const isNews = statusCode !== this.#lastProvisional;
    this.#lastProvisional = statusCode;
    return isNews;
  }

  isFirstEarlyMedia(): boolean {
    const isFirst = !this.#hasEarlyMedia;
    this.#hasEarlyMedia = true;
    return isFirst;
  }

  /** True at the first 180 or 183. 181 and 182 are news, but nobody's phone rings yet. */
  beginsToRing(statusCode: number): boolean {
    if (this.#alertingAtMs !== undefined || (statusCode !== 180 && statusCode !== 183))
      return false;
    this.#alertingAtMs = this.#now();
    return true;
  }

  answered(): void {
    this.#answeredAtMs = this.#now();
    this.final = ANSWERED;
  }

  /** The account of an end that comes now. */
  close(final: FinalAccount, endedBy: AttemptEnded['endedBy']): AttemptEnded {
    const nowMs = this.#now();
    const pickedUpMs = this.#answeredAtMs ?? nowMs;
    this.ended = {
      endedBy,
      cancelReason: this.giveUp?.reason ?? null,
      answered: this.#answeredAtMs !== undefined,
      ringMs: this.#alertingAtMs === undefined ? null : elapsedMs(this.#alertingAtMs, pickedUpMs),
      talkMs: this.#answeredAtMs === undefined ? null : elapsedMs(this.#answeredAtMs, nowMs),
      invites: this.invites,
      ...final,
    };
    return this.ended;
  }
}
