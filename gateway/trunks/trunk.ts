/** One trunk at work: what it may carry, what it is carrying, and what is known of its health. */
import { readTrunkAddress, type TrunkAddress } from '../../config/trunk-address.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { RefusalCode } from '../../machines/command-reply.ts';
import { DialerError } from '../../machines/errors.ts';
import type { TrunkClosure } from '../../machines/gateway-events.ts';
import type { RegistrationState, TrunkReport } from '../../machines/trunk-commands.ts';
import type { OptionsOutcome, TrunkStateName } from '../../machines/trunk.events.ts';
import { TrunkRatios, type TrunkRatioValues } from '../metrics/trunk-ratios.ts';
import type { DigestAccount } from '../sip/authorization.ts';
import { originOf } from '../sip/sip-final.ts';
import type { SipResponse } from '../sip/srf.port.ts';
import { stackProblemOf } from './can-have-rung.ts';
import { CallRate } from './call-rate.ts';
import { InvalidRatio } from './invalid-ratio.ts';
import { retryAfterMsOf } from './retry-after.ts';
import { TrunkHealth, type TrunkHealthParts } from './trunk-health.ts';
import { uriAt } from './trunk-uri.ts';

export interface TrunkParts extends Omit<TrunkHealthParts, 'settings' | 'onNews'> {
  /** Between two OPTIONS; 0: none. */
  readonly keepAliveMs: number;
  /** Its state has changed. */
  readonly onNews: (trunk: Trunk) => void;
}

const FORBIDDEN_IN_A_ROW_MAX = 5;

export class Trunk {
  readonly config: TrunkConfig;
  readonly address: TrunkAddress;
  /** Answers its challenges; undefined: a challenge is its final word. */
  readonly account: DigestAccount | undefined;
  readonly #health: TrunkHealth;
  readonly #rate: CallRate;
  readonly #invalid: InvalidRatio;
  readonly #ratios = new TrunkRatios();
  #lastCause: TrunkReport['lastCause'] = null;
  #channelsInUse = 0;
  #forbiddenInARow = 0;
  /** A 503 asked for a pause (RFC 3261 §20.33). Epoch ms. */
  #heldUntilMs = 0;
  readonly #now: () => number;

  constructor(config: TrunkConfig, parts: Partial<TrunkParts> = {}) {
    const address = readTrunkAddress(config.address);
    if ('problem' in address) {
      throw new DialerError('CONFIG_INVALID', `trunk ${config.name}: ${address.problem}`);
    }
    this.config = config;
    this.address = address;
    this.account = accountOf(config);
    this.#rate = new CallRate(config.callsPerSecondMax);
    this.#invalid = new InvalidRatio(config.invalidRatioMax);
    this.#now = () => (parts.clock ?? { now: Date.now }).now();
    const { registerSeconds, suspendMs } = config;
    this.#health = new TrunkHealth({
      ...parts,
      settings: { keepAliveMs: parts.keepAliveMs ?? 0, registerSeconds, suspendMs },
      onNews: () => parts.onNews?.(this),
    });
  }

  get name(): string {
    return this.config.name;
  }

  get state(): TrunkStateName {
    return this.#health.state;
  }

  get stateDetail(): string {
    return this.#health.detail;
  }

  /** OPTIONS and REGISTER begin, where they are configured. */
  start(): void {
    this.#health.start();
  }

  /** Why it takes no call now; undefined when it may. */
  refusal(nowMs: number): { readonly code: RefusalCode; readonly detail: string } | undefined {
    const closed = this.#health.refusal;
    if (closed !== undefined) return closed;
    const pauseMs = this.#heldUntilMs - nowMs;
    if (pauseMs <= 0) return undefined;
    const detail = `it asked for a pause; ${Math.ceil(pauseMs / 1_000)} s of it are left`;
    return { code: 'TRUNK_RATE_LIMITED', detail };
  }

  get channelsInUse(): number {
    return this.#channelsInUse;
  }

  get hasFreeChannel(): boolean {
    return this.#channelsInUse < this.config.channelsMax;
  }

  /** Returns the function that frees it: exactly once, however often it is called. */
  takeChannel(): () => void {
    this.#channelsInUse += 1;
    this.#health.hear({ type: 'call.tried' });
    let taken = true;
    return () => {
      if (taken) this.#channelsInUse -= 1;
      taken = false;
    };
  }

  /** When the INVITE may leave, epoch ms; undefined when not by `notAfterMs`. */
  takeMoment(nowMs: number, notAfterMs: number): number | undefined {
    return this.#rate.take(nowMs, notAfterMs);
  }

  /** 0: the INVITE leaves now. Else how long it must wait, ms, and ask again. */
  leave(nowMs: number): number {
    return this.#rate.leave(nowMs);
  }

  /** The switch has sent an INVITE that `leave` let go. */
  hasLeft(nowMs: number): void {
    this.#rate.hasLeft(nowMs);
  }

  uriOf(user?: string): string {
    return uriAt(this.address, user);
  }

  /** The final response to an INVITE that was not answered; undefined: the switch did not send it. */
  inviteFailed(response: SipResponse | undefined): void {
    if (response === undefined) {
      this.#health.hear({ type: 'call.failed', detail: 'the switch could not send to it' });
      return;
    }
    const { status, reason } = response;
    const said = `answered ${status} ${reason}`.trim();
    if (originOf(response) === 'stack') {
      // A silence (408) proves nothing: the next call may be answered.
      const why = stackProblemOf(response);
      const detail = `cannot be reached${why === undefined ? '' : `: ${why}`}`;
      if (status === 503) this.#health.hear({ type: 'call.failed', detail });
    } else if (status === 401 || status === 407) {
      const demanded = `asks for credentials (${said}), and none are configured`;
      const refused = `did not accept our credentials (${said})`;
      const detail = this.account === undefined ? demanded : refused;
      this.#health.hear({ type: 'auth.refused', detail });
    } else if (status === 403 && this.account !== undefined && this.#isRefusingAll()) {
      this.#health.hear({
        type: 'auth.refused',
        detail: `refuses one call after another (${said})`,
      });
    } else {
      if (status === 503) this.#hold(response);
      if (status !== 403) this.works(said);
    }
  }

  /** Some answer a wrong password with 403 (RFC 3261 §21.4.4), which is also said of single numbers. */
  #isRefusingAll(): boolean {
    this.#forbiddenInARow += 1;
    return this.#forbiddenInARow >= FORBIDDEN_IN_A_ROW_MAX;
  }

  works(detail: string): void {
    this.#forbiddenInARow = 0;
    if (this.state !== 'up') this.#health.hear({ type: 'call.worked', detail });
  }

  /** The account of an attempt whose last INVITE was this trunk's. */
  callEnded(ended: AttemptEnded): void {
    this.#count(ended);
    const detail = this.#invalid.excessWith(ended);
    if (detail !== undefined && this.state !== 'suspended') {
      this.#health.hear({ type: 'share.exceeded', detail });
    }
  }

  /** Of the last five minutes. */
  get ratios(): TrunkRatioValues {
    return this.#ratios.values(this.#now());
  }

  /** How the last attempt that was not answered ended. */
  get lastCause(): TrunkReport['lastCause'] {
    return this.#lastCause;
  }

  get registration(): RegistrationState {
    return this.#health.registration;
  }

  #count({ sip, q850, answered }: AttemptEnded): void {
    const { statusCode, reasonPhrase } = sip;
    const nowMs = this.#now();
    if (statusCode !== null) this.#ratios.count({ statusCode: answered ? 200 : statusCode }, nowMs);
    if (answered) return;
    const causes = q850.map(({ cause }) => `Q.850 ${cause}`);
    const said = statusCode === null ? 'no final response' : (reasonPhrase ?? '');
    const text = [said, ...causes].filter((part) => part !== '').join('; ');
    this.#lastCause = { statusCode, text, atMs: nowMs };
  }

  optionsDone(outcome: OptionsOutcome): void {
    this.#health.hear({ type: 'options.done', outcome });
  }

  suspend(detail: string): void {
    this.#health.hear({ type: 'operator.suspend', detail });
  }

  /** What was begun before this life of ours goes on; what is over by `atMs` does not. */
  restore({ cause, sinceMs, untilMs }: TrunkClosure, detail: string, atMs: number): void {
    const forMs = untilMs === null ? 0 : Math.round(untilMs - atMs);
    if (untilMs !== null && forMs <= 0) return;
    this.#health.restore({ type: 'closure.restored', cause, detail, forMs }, sinceMs);
  }

  get closure(): TrunkClosure | undefined {
    return this.#health.closure;
  }

  resume(): void {
    this.#invalid.clear();
    this.#health.hear({ type: 'operator.resume' });
  }

  /** Resolves when it is no longer registered, or that cannot be waited for. */
  close(): Promise<void> {
    return this.#health.close();
  }

  #hold(response: SipResponse): void {
    const pauseMs = retryAfterMsOf(response);
    if (pauseMs !== undefined) {
      this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#now() + pauseMs);
    }
  }
}

/** Undefined for a trunk without credentials: its challenge is then the final response. */
function accountOf({ username, password, authRealm }: TrunkConfig): DigestAccount | undefined {
  if (username === undefined || password === undefined) return undefined;
  return { username, password, ...(authRealm === undefined ? {} : { realm: authRealm }) };
}
