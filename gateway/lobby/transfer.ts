/**
 * One transfer of a connected customer: the destination is dialled by the gateway and bridged. A REFER
 * towards the customer is what most trunks refuse, and it would take the call out of recording,
 * supervision and the trunk's limits. Blind: the representative is free at once, the customer hears it
 * ring. Attended: the customer is held while representative and destination speak.
 */
import type { TRANSFER_FAILURES } from '../../machines/call-control-events.ts';
import type { AttemptTransfer } from '../../machines/transfer-commands.ts';
import type { DialAdmission } from '../attempts/dial-admission.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { EventOutlet } from '../attempts/event-outlet.ts';
import { elapsedMs } from '../clock.ts';
import type { Acquired } from '../media/endpoint-pool.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { offerFor } from '../media/sdp-offer.ts';
import type { DigestAccount } from '../sip/authorization.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { CallRoute } from '../trunks/call-route.ts';
import type { Trunk } from '../trunks/trunk.ts';
import { ATTEMPT_HEADER } from '../trunks/invite-headers.ts';
import type { LobbySession } from './lobby-session.ts';
import { PhoneLeg } from './phone-leg.ts';
import { phoneUri } from './phone-uri.ts';

export type TransferFailure = (typeof TRANSFER_FAILURES)[number];

const RING_LIMIT_MS = 45_000;
const RING_LIMIT_MAX_MS = 180_000;

export interface TransferParts {
  readonly command: AttemptTransfer;
  readonly services: AttemptServices;
  readonly ladder: SipLadder;
  readonly customer: MediaEndpoint;
  readonly session: LobbySession;
  readonly emit: EventOutlet['emit'];
  /** A number on the attempt's trunk, by all rules of a dial. */
  readonly admit: (destination: string) => DialAdmission;
  /** It failed: attended, the representative is to have the customer again. */
  readonly onFailed: (transfer: Transfer) => void;
  /** The destination that was joined with the customer hung up, or is not heard any more. */
  readonly onDestinationLeft: () => void;
}

interface Way {
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly account: DigestAccount | undefined;
  readonly route: CallRoute | undefined;
  readonly waitMs: number;
}

export class Transfer {
  readonly #parts: TransferParts;
  readonly #startedAtMs: number;
  #state: 'calling' | 'answered' | 'joined' | 'over' = 'calling';
  #endpoint: MediaEndpoint | undefined;
  #leg: PhoneLeg | undefined;
  #route: CallRoute | undefined;
  #withdraw: (() => void) | undefined;
  #timers: unknown[] = [];

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.services.clock.now();
  }

  get id(): string {
    return this.#parts.command.transferId;
  }

  get isAttended(): boolean {
    return this.#parts.command.mode === 'attended';
  }

  get isJoined(): boolean {
    return this.#state === 'joined';
  }

  /** A function, since it changes while something is awaited. */
  isOver(): boolean {
    return this.#state === 'over';
  }

  isAnswered(): boolean {
    return this.#state === 'answered';
  }

  /** Settles when nothing of its leg is left on the wire. */
  get released(): Promise<void> {
    return this.#leg?.released ?? Promise.resolve();
  }

  start(): void {
    const { command } = this.#parts;
    const way = this.#wayTo(command.destination);
    if ('problem' in way) {
      this.fail('not_sent', way.problem);
      return;
    }
    this.#route = way.route;
    const limitMs = Math.min(command.ringLimitMs ?? RING_LIMIT_MS, RING_LIMIT_MAX_MS);
    this.#later(limitMs, () => {
      if (this.#state === 'calling') this.fail('timeout', `not answered within ${limitMs} ms`);
    });
    const acquire = (): void => {
      const withdraw = this.#poolOf(way).acquire(limitMs, (acquired) => {
        this.#withdraw = undefined;
        this.#onEndpoint(acquired, way);
      });
      if (this.#endpoint === undefined && !this.isOver()) this.#withdraw = withdraw;
    };
    if (way.waitMs > 0) this.#later(way.waitMs, acquire);
    else acquire();
  }

  /** Attended: the two that the representative brought together are left alone. */
  async complete(): Promise<void> {
    if (this.#state !== 'answered' || this.#endpoint === undefined) return;
    await this.#join(this.#endpoint);
  }

  fail(reason: TransferFailure, detail: string, statusCode: number | null = null): void {
    if (this.#state === 'over') return;
    const { emit, onFailed, onDestinationLeft } = this.#parts;
    const wasJoined = this.isJoined;
    this.end();
    if (wasJoined) {
      // Nobody is with the customer any more, however it came.
      onDestinationLeft();
      return;
    }
    emit({ type: 'attempt.transferFailed', transferId: this.id, reason, statusCode, detail });
    onFailed(this);
  }

  /** The call is over, or the destination is to be let go. */
  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    const { clock } = this.#parts.services;
    for (const timer of this.#timers) clock.clearTimeout(timer);
    this.#withdraw?.();
    this.#leg?.end();
    this.#endpoint?.release();
    const route = this.#route;
    void this.released.then(() => route?.release());
  }

  /** A number goes over its trunk as the trunk wants its media; a phone of ours in clear. */
  #poolOf({ route }: Way) {
    const { pool, poolFor } = this.#parts.services;
    return route === undefined ? pool : (poolFor?.(route.trunk.config) ?? pool);
  }

  #wayTo(destination: string): Way | { readonly problem: string } {
    if (/^sips?:/i.test(destination)) {
      const target = phoneUri(destination);
      if (!target.ok) return { problem: target.problem };
      const headers = {
        From: '"Ringfence" <sip:ringfence@localhost>',
        'User-Agent': 'Ringfence',
      };
      return { uri: target.uri, headers, account: undefined, route: undefined, waitMs: 0 };
    }
    const admission = this.#parts.admit(destination);
    if (!admission.ok) return { problem: `${admission.code}: ${admission.detail}` };
    const { route } = admission;
    const { uri, headers: given, trunk, momentMs } = route.way;
    // The header says which attempt was dialled, once: a transfer is another call.
    const headers = Object.fromEntries(
      Object.entries(given).filter(([name]) => name !== ATTEMPT_HEADER),
    );
    const waitMs = momentMs - this.#parts.services.clock.now();
    return { uri, headers, account: trunk.account, route, waitMs };
  }

  #onEndpoint(acquired: Acquired<MediaEndpoint>, way: Way): void {
    const { services, customer, ladder } = this.#parts;
    if (acquired.kind === 'none') {
      this.fail('media', acquired.problem);
      return;
    }
    const { endpoint } = acquired;
    if (this.isOver() || endpoint.mediaServerId !== customer.mediaServerId) {
      this.#poolOf(way).giveBack(endpoint);
      this.fail('media', 'the media server has changed');
      return;
    }
    this.#endpoint = endpoint;
    endpoint.gone.onFire((problem) => this.fail('media', `its media channel: ${problem}`));
    const offer = offerFor(endpoint.localSdp, way.route?.trunk.config.codecs ?? ['PCMU', 'PCMA']);
    if (offer === undefined) {
      this.fail('media', 'the media server offers no codec for it');
      return;
    }
    const { uri, headers, account, route } = way;
    const leg = new PhoneLeg({
      ...{ services, endpoint, ladder, uri, headers, offer, account },
      handlers: {
        onSent: () => route?.trunk.hasLeft(services.clock.now()),
        onAnswered: () => void this.#onAnswered(endpoint),
        onRefused: (statusCode, detail) => this.fail('refused', detail, statusCode),
        onLost: () => this.fail('media', 'drachtio was lost'),
        onLeft: () => this.#onLeft(),
        onMediaProblem: (problem) => this.fail('media', problem),
        onDigit: () => undefined,
      },
    });
    this.#leave(leg, route?.trunk);
  }

  /** When the trunk's rate lets it: at once, unless calls are late. */
  #leave(leg: PhoneLeg, trunk: Trunk | undefined): void {
    if (this.isOver()) return;
    const waitMs = trunk?.leave(this.#parts.services.clock.now()) ?? 0;
    if (waitMs > 0) {
      this.#later(waitMs, () => this.#leave(leg, trunk));
      return;
    }
    this.#leg = leg;
    leg.start();
  }

  async #onAnswered(endpoint: MediaEndpoint): Promise<void> {
    const { emit, session, services } = this.#parts;
    await this.#leg?.mediaReady;
    if (this.isOver()) return;
    const { seat } = session;
    if (this.isAttended && seat !== undefined) {
      const outcome = await seat.endpoint.bridgeWith(endpoint);
      if (this.isOver()) return;
      if (outcome.kind !== 'done') {
        this.fail('media', 'it could not be bridged to the representative');
        return;
      }
    }
    this.#state = 'answered';
    const afterMs = elapsedMs(this.#startedAtMs, services.clock.now());
    emit({ type: 'attempt.transferAnswered', transferId: this.id, afterMs });
    // Blind; or the representative has left while it rang.
    if (!this.isAttended || seat === undefined) await this.#join(endpoint);
  }

  async #join(endpoint: MediaEndpoint): Promise<void> {
    const { customer, emit, session } = this.#parts;
    const outcome = await customer.bridgeWith(endpoint);
    if (this.isOver()) return;
    if (outcome.kind !== 'done') {
      this.fail('media', 'it could not be bridged to the customer');
      return;
    }
    this.#state = 'joined';
    emit({ type: 'attempt.transferred', transferId: this.id });
    session.transferred();
  }

  #onLeft(): void {
    if (this.isOver()) return;
    if (!this.isJoined) {
      this.fail('destination', 'the destination hung up');
      return;
    }
    this.end();
    this.#parts.onDestinationLeft();
  }

  #later(delayMs: number, fire: () => void): void {
    this.#timers.push(this.#parts.services.clock.setTimeout(fire, delayMs));
  }
}
