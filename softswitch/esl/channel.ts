/**
 * One call leg as FreeSWITCH sees it: a state, variables, media, and what it is doing, which is one
 * of three things: parked under a base application (`socket` or `park`), bridged to another leg, or
 * on its way from one to the other. Applications run on top (app-stack.ts).
 */
import { randomUUID } from 'node:crypto';
import type { UnicastAddress } from '../media/unicast-socket.ts';
import { AppStack } from './app-stack.ts';
import type { AppRequest } from './app-run.ts';
import { applicationNamed } from './applications/registry.ts';
import { ChannelEvents } from './channel-events.ts';
import type { ChannelMedia } from './channel-media.ts';
import type { CallState, ChannelState } from './channel-state.ts';
import { ChannelVariables } from './channel-variables.ts';
import { DigitBuffer } from './digit-buffer.ts';
import { CAUSES, type HangupCause } from './hangup-cause.ts';
import type { LegBridge } from './leg-bridge.ts';
import { Recordings } from './recordings.ts';
import type { SwitchCore } from './switch-core.ts';
import { Unicast } from './unicast.ts';

/** The SIP side of a channel, as far as the channel needs it. */
export interface ChannelLeg {
  /** Sends BYE with the cause as `Reason`, or refuses the INVITE while it is unanswered. */
  hangUp(cause: HangupCause): void;
  /** Re-INVITE with an offer of ours. */
  renegotiate(): void;
}

/** The event socket that controls a channel. */
export interface ControllingSocket {
  /** The channel is gone: last notice, then close (or linger). */
  channelEnded(): void;
}

export interface CallerProfile {
  readonly callerIdNumber: string;
  readonly destination: string;
  readonly networkAddress: string;
}

/** One step of a dial plan: `park`, or `playback` with an argument. */
export interface PlanStep {
  readonly name: string;
  readonly argument: string;
}

export interface ChannelOptions {
  readonly core: SwitchCore;
  readonly leg: ChannelLeg;
  readonly media: ChannelMedia;
  readonly profile: CallerProfile;
}

export class Channel {
  readonly uuid: string = randomUUID();
  readonly core: SwitchCore;
  readonly media: ChannelMedia;
  readonly profile: CallerProfile;
  readonly name: string;
  readonly variables = new ChannelVariables();
  readonly events: ChannelEvents;
  readonly digits = new DigitBuffer();
  readonly recordings: Recordings;
  readonly #unicast: Unicast;
  readonly createdAtMs: number;
  answeredAtMs: number | undefined;
  hungUpAtMs: number | undefined;
  hangupCause: HangupCause | undefined;
  state: ChannelState = 'CS_NEW';
  callState: CallState = 'DOWN';
  bridge: LegBridge | undefined;
  socket: ControllingSocket | undefined;
  readonly #leg: ChannelLeg;
  readonly #stack: AppStack;
  /** The dial plan's application the channel rests in; completed when the channel leaves it. */
  #base: AppRequest | undefined;
  /** Resting: parked under the base application, or after a bridge. */
  #parked = false;
  /** FreeSWITCH's CF_CONTROLLED taken away by a socket that closed: parking ends when idle. */
  #abandoned = false;
  /** What to become as soon as the applications that run have ended. */
  #transition: (() => void) | undefined;
  #finished = false;

  constructor(options: ChannelOptions) {
    this.core = options.core;
    this.media = options.media;
    this.profile = options.profile;
    this.#leg = options.leg;
    this.name = `sofia/drachtio_mrf/${options.profile.callerIdNumber}@${options.profile.networkAddress}`;
    this.createdAtMs = options.core.nowMs();
    this.events = new ChannelEvents(this);
    this.recordings = new Recordings(this);
    this.#unicast = new Unicast(options.media);
    this.#stack = new AppStack(this, {
      find: applicationNamed,
      isReady: () => this.#transition === undefined && (this.#parked || this.bridge !== undefined),
      onMediaTaken: () => {
        this.#unicast.suspend();
        this.bridge?.suspend(this);
      },
      onMediaReturned: (application) => {
        if (application.leavesMediaAlone === true) this.#unicast.resume();
        else this.#unicast.reset();
        this.bridge?.resume(this);
      },
      onIdle: () => this.#idle(),
    });
  }

  get isDown(): boolean {
    return this.hangupCause !== undefined;
  }

  get answerState(): 'ringing' | 'answered' | 'hangup' {
    if (this.isDown) return 'hangup';
    return this.answeredAtMs === undefined ? 'ringing' : 'answered';
  }

  get codec(): string | undefined {
    return this.media.codec;
  }

  setState(state: ChannelState): void {
    this.state = state;
    this.events.fire('CHANNEL_STATE');
  }

  setCallState(callState: CallState): void {
    const from = this.callState;
    if (from === callState || from === 'HANGUP') return;
    this.callState = callState;
    this.events.callStateChanged(from);
  }

  answered(): void {
    this.answeredAtMs = this.core.nowMs();
    this.variables.set('endpoint_disposition', 'ANSWER');
    this.events.fire('CHANNEL_ANSWER');
    this.setCallState('ACTIVE');
  }

  /** A digit came from the far end. */
  digitReceived(digit: string, durationMs: number): void {
    if (this.isDown) return;
    this.events.digit(digit, durationMs);
    this.digits.push(digit, !this.#stack.isIdle);
  }

  /** `sendmsg` execute: false when the channel can take no more. */
  execute(request: AppRequest): boolean {
    return !this.isDown && this.#stack.enqueue(request);
  }

  /** `sendmsg` unicast; served only while the channel is parked and idle (unicast.ts). */
  unicast(address: UnicastAddress): void {
    if (this.isDown) return;
    this.#unicast.activate(address, this.#parked && this.#stack.isIdle);
  }

  /** `uuid_break` */
  break(all: boolean): void {
    this.#stack.break(all);
  }

  /** Enters the dial plan's base application, in which the channel rests. */
  enterBase(name: string, argument: string): void {
    this.state = 'CS_EXECUTE';
    this.#base = { name, argument, uuid: randomUUID(), eventLock: false };
    this.variables.set('current_application_response', undefined);
    this.events.applicationStarted(this.#base);
  }

  /** The base application has begun to wait: from here on applications may run. */
  park(): void {
    if (this.isDown) return;
    this.#parked = true;
    this.events.fire('CHANNEL_PARK');
    this.#stack.pump();
    if (this.#stack.isIdle) this.#idle();
  }

  /** A bridge ended with `park_after_bridge`: no base application, and no socket is needed to stay. */
  parkAfterBridge(): void {
    this.setState('CS_PARK');
    this.#abandoned = false;
    this.park();
  }

  /** The controlling socket is gone: a parked channel has nobody left and is hung up when idle. */
  abandon(): void {
    this.socket = undefined;
    this.#abandoned = true;
    if (this.#stack.isIdle) this.#idle();
  }

  /** `uuid_transfer` to an inline dial plan; the steps run one after the other, then it hangs up. */
  transfer(plan: readonly PlanStep[]): void {
    this.bridge?.legLeft(this);
    this.leaveFor(() => {
      this.state = 'CS_ROUTING';
      this.setCallState('RINGING');
      this.state = 'CS_EXECUTE';
      this.setCallState('ACTIVE');
      this.#abandoned = false;
      this.#followPlan(plan, 0);
    });
  }

  /** Ends what runs, leaves the base application, then becomes something else. */
  leaveFor(next: () => void): void {
    if (this.isDown) return;
    this.#transition = next;
    this.#stack.interrupt();
    if (this.#stack.isIdle) this.#idle();
  }

  /** As `leaveFor`, but what runs is left to end by itself. */
  leaveWhenIdle(next: () => void): void {
    if (this.isDown) return;
    this.#transition = next;
    if (this.#stack.isIdle) this.#idle();
  }

  /** The channel has become a leg of a bridge: what was queued meanwhile may run. */
  bridged(): void {
    this.#stack.pump();
  }

  /** Hang-up by us (`far` = the far end's BYE is already here). The first cause stands. */
  hangUp(cause: HangupCause, far = false): void {
    if (this.isDown) return;
    this.hangupCause = cause;
    this.hungUpAtMs = this.core.nowMs();
    this.#transition = undefined;
    this.variables.set('hangup_cause', cause);
    this.variables.set('hangup_cause_q850', String(CAUSES[cause]));
    this.events.fire('CHANNEL_HANGUP');
    if (!far) this.#leg.hangUp(cause);
    this.#unicast.unparked();
    this.bridge?.legLeft(this);
    this.#stack.hangUp();
    if (this.#stack.isIdle) this.#finish();
  }

  /** Asks the far end anew what the media shall be. */
  renegotiate(): void {
    if (!this.isDown) this.#leg.renegotiate();
  }

  #idle(): void {
    if (this.isDown) {
      this.#finish();
      return;
    }
    const next = this.#transition;
    if (next !== undefined) {
      this.#transition = undefined;
      this.#parked = false;
      this.#unicast.unparked();
      this.#leaveBase();
      next();
      return;
    }
    if (this.#parked) this.digits.clear(); // parking takes digits off and drops them
    if (this.#abandoned && this.bridge === undefined) {
      this.hangUp('NORMAL_CLEARING'); // its dial plan has nothing after the application it rested in
    }
  }

  #followPlan(plan: readonly PlanStep[], index: number): void {
    const step = plan[index];
    if (step === undefined) {
      this.hangUp('NORMAL_CLEARING');
      return;
    }
    if (step.name === 'park') {
      this.enterBase('park', step.argument);
      this.park();
      return;
    }
    this.#parked = true;
    const queued = this.#stack.enqueue({ ...step, uuid: randomUUID(), eventLock: false });
    if (!queued || this.isDown) return;
    this.leaveWhenIdle(() => this.#followPlan(plan, index + 1));
  }

  #leaveBase(): void {
    if (this.#base === undefined) return;
    const base = this.#base;
    this.#base = undefined;
    this.variables.set('current_application_response', undefined);
    this.events.applicationEnded(base);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.recordings.isEmpty) this.#report();
    else this.core.untilDone(this.recordings.hangUp().then(() => this.#report()));
  }

  #report(): void {
    this.#leaveBase();
    this.state = 'CS_HANGUP';
    this.setCallState('HANGUP');
    this.socket?.channelEnded();
    this.state = 'CS_REPORTING';
    this.events.fire('CHANNEL_HANGUP_COMPLETE');
    this.state = 'CS_DESTROY';
    this.events.fire('CHANNEL_DESTROY');
    this.core.forget(this);
    this.media.close();
  }
}
