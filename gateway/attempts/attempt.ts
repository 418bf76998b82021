/**
 * One attempt at the gateway: from the accepted dial to `attempt.ended`, which comes exactly once and
 * last. Whatever crosses on the wire (a CANCEL and a 200, two BYEs, a hang-up and an endpoint in the
 * making), every path ends in `#finish`, and what is left to do on the wire goes on behind it.
 */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { AttemptPhase, AttemptSnapshot, CommandReply } from '../../machines/command-reply.ts';
import type {
  AttemptCancel,
  AttemptCommand,
  AttemptConnect,
  AttemptHangup,
  AttemptPlay,
} from '../../machines/telephony-commands.ts';
import type { CallQuality } from '../media/call-quality.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import {
  accountOfFinal,
  accountOfReasons,
  NO_FINAL,
  originOf,
  type FinalAccount,
} from '../sip/sip-final.ts';
import { MediaLeg } from '../sip/media-leg.ts';
import type { InviteIdentity } from '../sip/outgoing-invite.ts';
import { SipLadder } from '../sip/sip-ladder.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import { AttemptAccount, type GiveUp } from './attempt-account.ts';
import { AttemptLaunch } from './attempt-launch.ts';
import type { CustomerEars } from './customer-ears.ts';
import { EarlyPartner } from '../lobby/early-partner.ts';
import type { AttemptParts } from './attempt-parts.ts';
import type { EventOutlet } from './event-outlet.ts';
import { Conversation } from './conversation.ts';
import { digitOfInfo } from './info-digit.ts';
import { openEars } from './open-ears.ts';

/** 64 × T1 after CANCEL without a final response the INVITE counts as ended (RFC 3261 §9.1). */
const CANCEL_LIMIT_MS = 33_000;

const QUALITY_AFTER_MS = 1_000;

/** The switch's own limit is only for a gateway that died: ours comes first. */
const SWITCH_LIMIT_MARGIN_MS = 5_000;

export class Attempt {
  readonly id: string;
  readonly ladder: SipLadder;
  readonly #parts: AttemptParts;
  readonly #account: AttemptAccount;
  #phase: AttemptPhase = 'starting';
  #launch: AttemptLaunch | undefined;
  #endpoint: MediaEndpoint | undefined;
  #leg: MediaLeg | undefined;
  #ears: CustomerEars | undefined;
  /** Until the answer. */
  #early: EarlyPartner | undefined;
  #conversation: Conversation | undefined;
  #callId: string | undefined;
  #dialogId: string | undefined;
  #channelId: string | undefined;
  /** One at a time: set-up limit, ring limit, limit of the CANCEL, call length. */
  #timer: unknown;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.id = parts.dial.attemptId;
    const now = (): number => parts.services.clock.now();
    this.ladder = new SipLadder(now);
    this.#account = new AttemptAccount(now);
  }

  get phase(): AttemptPhase {
    return this.#phase;
  }

  start(): void {
    const { dial, route, services, events } = this.#parts;
    const { trunk, momentMs } = route.way;
    const { clock } = services;
    const pool = services.poolFor?.(trunk.config) ?? services.pool;
    this.#launch = new AttemptLaunch(
      { dial, trunk, momentMs, pool, clock },
      {
        onReady: (endpoint, offer) => this.#invite(endpoint, offer),
        onRefused: (code, detail) => {
          this.#account.close(NO_FINAL, 'gateway');
          events.emit({ type: 'attempt.refused', code, detail });
          this.#over();
          this.#parts.onReleased(this);
        },
      },
    );
    this.#launch.start();
  }

  play(command: AttemptPlay): boolean {
    return this.#phase === 'answered' && this.#conversation?.play(command) === true;
  }

  /** Before the answer a representative hears early media. */
  connect(command: AttemptConnect): boolean {
    if (this.#account.giveUp !== undefined) return false;
    return (this.#conversation ?? this.#early)?.connect(command) === true;
  }

  /** Undefined when there is nobody to do it with. */
  control(command: AttemptCommand): CommandReply | undefined {
    return this.#conversation?.control(command);
  }

  cancel(command: Pick<AttemptCancel, 'reason'>): void {
    this.#end({ by: 'dialer', reason: command.reason });
  }

  hangup(command: Pick<AttemptHangup, 'reason'>): void {
    this.#end({ by: 'dialer', reason: command.reason });
  }

  /** The connection to the switch is gone; see loss.ts. Legs tell their own loss while inviting. */
  switchLost(problem: string): void {
    if (this.#phase === 'starting') this.#launch?.switchLost(problem);
    else if (this.#phase === 'answered') this.#hangUp('switch');
  }

  snapshot(fence: number): AttemptSnapshot {
    return {
      attemptId: this.id,
      fence,
      phase: this.#phase,
      trunk: this.#parts.route.trunk.name,
      ...(this.#callId === undefined ? {} : { callId: this.#callId }),
      ...(this.#dialogId === undefined ? {} : { dialogId: this.#dialogId }),
      ...(this.#channelId === undefined ? {} : { channelId: this.#channelId }),
      ...(this.#conversation?.isConnected === true ? { connected: true } : {}),
      ...(this.#account.ended === undefined ? {} : { ended: this.#account.ended }),
    };
  }

  #invite(endpoint: MediaEndpoint, offer: string): void {
    const { route, services } = this.#parts;
    const { trunk, uri, headers } = route.way;
    const { link, ender } = services;
    this.#launch = undefined;
    this.#endpoint = endpoint;
    this.#channelId = endpoint.channelId;
    const { ladder } = this;
    const leg = new MediaLeg({
      ...{ link, ender, endpoint, ladder, uri, headers, offer },
      account: trunk.account,
      reroute: route.reroute(endpoint.localSdp),
      handlers: {
        onSent: (invite) => this.#onSent(invite),
        onRetry: () => {
          this.#account.invites += 1;
          services.counters.invitesSent += 1;
        },
        onProvisional: (statusCode, withSdp) => this.#onProvisional(statusCode, withSdp),
        onAnswered: (dialogId) => this.#onAnswered(dialogId),
        onUnusableAnswer: (response, problem) => this.#onUnusable(response, problem),
        onFinal: (response) => this.#onFinal(response),
        onNotSent: (problem) => this.#onNotSent(problem),
        onLost: () => this.#onLost(),
        onBye: (bye, bySwitch) => this.#onBye(bye, bySwitch),
        onMediaProblem: (problem) => {
          services.log.warn({ attemptId: this.id, problem }, 'media not connected');
          this.#end({ by: 'gateway', reason: null });
        },
        onDigit: (digit) => this.#onDigit(digit),
        onInfo: (info, response) => {
          response.send(200);
          const digit = digitOfInfo(info);
          if (digit !== undefined) this.#onDigit(digit);
        },
      },
    });
    endpoint.gone.onFire(() => this.#end({ by: 'switch', reason: null }));
    if (this.#phase !== 'starting') return;
    this.#leg = leg;
    this.#ears = openEars(endpoint, services, this.#parts.events, this.#account);
    const customer = { endpoint, mediaReady: () => leg.mediaReady };
    this.#early = new EarlyPartner({ ...this.#partnerParts(), customer });
    // Counted before the echo: if the connection drops in between, somebody may have been rung.
    this.#account.invites = 1;
    leg.start();
  }

  #onSent({ callId, dialogId }: InviteIdentity): void {
    const { dial, route, events, services } = this.#parts;
    const isFirst = this.#callId === undefined;
    this.#callId = callId;
    if (isFirst) {
      this.#account.sent();
      this.#phase = 'sent';
      services.counters.invitesSent += 1;
    }
    const { invites } = this.#account;
    route.trunk.hasLeft(services.clock.now());
    events.emit({ type: 'attempt.sent', callId, dialogId, trunk: route.trunk.name, invites });
    // On another trunk the limit of the first goes on.
    if (!isFirst || this.#account.giveUp !== undefined) return;
    this.#limit(dial.setupTimeoutMs, () => this.#end({ by: 'gateway', reason: 'setup_timeout' }));
  }

  #onProvisional(statusCode: number, withSdp: boolean): void {
    if (this.#phase === 'ended') return;
    const { dial, events } = this.#parts;
    const account = this.#account;
    const { afterSentMs } = account;
    if (account.isNews(statusCode)) {
      events.emit({ type: 'attempt.alerting', statusCode, afterSentMs });
    }
    if (withSdp && account.isFirstEarlyMedia()) {
      events.emit({ type: 'attempt.earlyMedia', statusCode, afterSentMs, verdict: null });
      this.#ears?.early();
    }
    if (withSdp) this.#early?.hasMedia();
    if (!account.beginsToRing(statusCode)) return;
    this.#phase = 'alerting';
    if (account.giveUp !== undefined) return;
    this.#limit(dial.ringLimitMs, () => this.#end({ by: 'gateway', reason: 'ring_timeout' }));
  }

  #onAnswered(dialogId: string): void {
    const { dial, route, events, services } = this.#parts;
    const { counters } = services;
    const endpoint = this.#endpoint;
    const leg = this.#leg;
    const ears = this.#ears;
    if (this.#phase === 'ended' || !endpoint || !leg || !ears) {
      void leg?.bye();
      return;
    }
    this.#account.answered();
    route.trunk.works('answers calls');
    this.#dialogId = dialogId;
    this.#phase = 'answered';
    counters.attemptsAnswered += 1;
    const { channelId } = endpoint;
    const { afterSentMs, giveUp } = this.#account;
    if (giveUp === undefined) {
      // Before the news, which may be answered by a command at once.
      this.#conversation = this.#converse(endpoint, leg, ears);
      const lengthMaxMs = Math.min(dial.callLengthMaxMs, route.trunk.config.callLengthMaxMs);
      this.#limit(lengthMaxMs, () => this.#hangUp('gateway'));
      endpoint.scheduleHangup(lengthMaxMs + SWITCH_LIMIT_MARGIN_MS);
    }
    events.emit({ type: 'attempt.answered', dialogId, channelId, afterSentMs });
    // Our CANCEL and this 200 crossed (RFC 3261 §9.1): it is a call now, so BYE ends it.
    if (giveUp !== undefined) this.#hangUp(giveUp.by);
    this.#conversation?.listen();
  }

  #converse(endpoint: MediaEndpoint, leg: MediaLeg, ears: CustomerEars): Conversation {
    const { dial, services, admitTransfer } = this.#parts;
    const answeredAtMs = services.clock.now();
    return new Conversation({
      ...{ dial, ears, early: this.#early, admitTransfer, ...this.#partnerParts() },
      customer: { endpoint, answeredAtMs, mediaReady: () => leg.mediaReady },
      hangUp: (why) => {
        services.log.warn({ attemptId: this.id, why }, 'hung up by the gateway itself');
        this.#hangUp('gateway');
      },
    });
  }

  #partnerParts() {
    const { services, events, route } = this.#parts;
    const emit: EventOutlet['emit'] = (...bodies) => events.emit(...bodies);
    const { codecs } = route.trunk.config;
    return { attemptId: this.id, services, ladder: this.ladder, codecs, emit };
  }

  #onDigit(digit: ReceivedDigit): void {
    if (this.#phase === 'ended') return;
    if (this.#conversation === undefined) {
      this.#parts.events.emit({ type: 'attempt.dtmf', ...digit });
    } else this.#conversation.digit(digit);
  }

  #onUnusable(response: SipResponse, problem: string): void {
    this.#parts.services.log.warn({ attemptId: this.id, problem }, 'answer not usable');
    this.#finish(accountOfFinal(response), this.#account.giveUp?.by ?? 'gateway', this.#leg?.bye());
  }

  #onFinal(response: SipResponse): void {
    this.#parts.route.trunk.inviteFailed(response);
    const by = originOf(response) === 'stack' ? 'trunk' : 'far';
    // The 487 to our CANCEL is our doing; any other code crossed it and is the far end's.
    const ours = response.status === 487 ? this.#account.giveUp?.by : undefined;
    this.#finish(accountOfFinal(response), ours ?? by);
  }

  /** The switch refused to send it, so nobody was rung. */
  #onNotSent(problem: string): void {
    this.#parts.services.log.warn({ attemptId: this.id, problem }, 'INVITE not sent');
    this.#account.invites -= 1;
    this.#parts.route.trunk.inviteFailed(undefined);
    this.#finish(NO_FINAL, 'switch');
  }

  #onLost(): void {
    this.#finish(NO_FINAL, 'switch', this.#leg?.orphan());
  }

  #onBye(bye: SipRequest, bySwitch: boolean): void {
    const final = { sip: this.#account.final.sip, ...accountOfReasons(bye) };
    this.#finish(final, bySwitch ? 'switch' : 'far');
  }

  /** Gives the attempt up, whatever it takes at this point. Later reasons change nothing. */
  #end(giveUp: GiveUp): void {
    switch (this.#phase) {
      case 'starting':
        if (this.#account.giveUp !== undefined) return;
        this.#account.giveUp = giveUp;
        this.#launch?.withdraw();
        // The INVITE may be on its way to the switch already: then CANCEL follows its echo.
        if (this.#leg === undefined) this.#finish(NO_FINAL, giveUp.by);
        else this.#cancel();
        return;
      case 'sent':
      case 'alerting':
        if (this.#account.giveUp !== undefined) return;
        this.#account.giveUp = giveUp;
        this.#cancel();
        return;
      case 'answered':
        this.#hangUp(giveUp.by);
        return;
      case 'ended':
      case 'unknown':
        return;
    }
  }

  #cancel(): void {
    this.#leg?.cancel();
    if (this.#phase === 'ended') return; // it waited for another trunk: no INVITE was out
    this.#limit(CANCEL_LIMIT_MS, () => {
      this.#finish(NO_FINAL, this.#account.giveUp?.by ?? 'gateway', this.#leg?.orphan());
    });
  }

  #hangUp(by: AttemptEnded['endedBy']): void {
    if (this.#phase === 'ended') return;
    this.#finish(this.#account.final, by, this.#leg?.bye());
  }

  /** `rest` is what must still happen on the wire before the trunk's channel is free. */
  #finish(final: FinalAccount, endedBy: AttemptEnded['endedBy'], rest?: Promise<unknown>): void {
    if (this.#phase === 'ended') return;
    const { events, onReleased } = this.#parts;
    const ended = this.#account.close(final, endedBy);
    this.#parts.route.ended(ended);
    this.#phase = 'ended';
    this.#ears?.stop();
    if (this.#conversation === undefined) this.#early?.end(endedBy);
    const partnerReleased = this.#conversation?.end(endedBy);
    events.emit({ type: 'attempt.ended', ...ended });
    this.#over();
    void Promise.all([rest, partnerReleased]).then(() => {
      // An ended attempt is remembered for a while; its SIP messages and its channel are not.
      this.#leg = undefined;
      onReleased(this);
    });
  }

  #over(): void {
    this.#phase = 'ended';
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#endpoint?.release(this.#qualityListener());
    this.#launch = this.#endpoint = this.#ears = undefined;
    this.#early = this.#conversation = undefined;
    this.#parts.onOver(this);
  }

  /** A second of audio says something about a line; a shorter call does not. */
  #qualityListener(): ((quality: CallQuality) => void) | undefined {
    const { services, route } = this.#parts;
    if ((this.#account.ended?.talkMs ?? 0) < QUALITY_AFTER_MS) return undefined;
    return (quality) => services.onQuality(route.trunk.name, quality);
  }

  #limit(afterMs: number, fire: () => void): void {
    const { clock } = this.#parts.services;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(fire, afterMs);
  }
}
