/**
 * Two channels that hear each other (`uuid_bridge`), and what becomes of one when the other goes:
 * it stays parked only with `park_after_bridge`, follows `transfer_after_bridge`, else is hung up.
 */
import type { Channel } from './channel.ts';
import type { MediaJoin } from './channel-media.ts';
import type { HangupCause } from './hangup-cause.ts';
import { inlinePlan } from './inline-plan.ts';

export class LegBridge {
  /** The leg named first in `uuid_bridge`. */
  readonly originator: Channel;
  readonly originatee: Channel;
  #join: MediaJoin | undefined;
  readonly #heldUpBy = new Set<Channel>();
  #ended = false;

  /** Frees both legs of what they do, then joins them. False when one of them is already gone. */
  static connect(originator: Channel, originatee: Channel): boolean {
    if (originator.isDown || originatee.isDown || originator === originatee) return false;
    originator.bridge?.legLeft(originator);
    originatee.bridge?.legLeft(originatee);
    let ready = 0;
    const arrived = (channel: Channel, other: Channel): void => {
      channel.state = 'CS_SOFT_EXECUTE';
      ready += 1;
      if (ready === 2) new LegBridge(originator, originatee).#begin();
      else if (other.isDown) channel.hangUp('DESTINATION_OUT_OF_ORDER');
    };
    originator.leaveFor(() => arrived(originator, originatee));
    originatee.leaveFor(() => arrived(originatee, originator));
    return true;
  }

  private constructor(originator: Channel, originatee: Channel) {
    this.originator = originator;
    this.originatee = originatee;
  }

  /** Ends the bridge without deciding what the legs do next: that is the caller's. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#join?.end();
    this.#join = undefined;
    const { originator, originatee } = this;
    originator.events.fire('CHANNEL_UNBRIDGE', this.#legHeaders());
    for (const leg of [originator, originatee]) {
      leg.bridge = undefined;
      leg.variables.set('bridge_uuid', undefined);
    }
    originatee.variables.set('call_uuid', originatee.uuid);
  }

  other(leg: Channel): Channel {
    return leg === this.originator ? this.originatee : this.originator;
  }

  /** An application takes the leg's audio: neither leg hears the other until it is over. */
  suspend(leg: Channel): void {
    this.#heldUpBy.add(leg);
    this.#join?.end();
    this.#join = undefined;
  }

  resume(leg: Channel): void {
    this.#heldUpBy.delete(leg);
    if (this.#heldUpBy.size === 0 && !this.#ended) this.#joinMedia();
  }

  /** A leg was hung up, or goes elsewhere: the other ends what it runs, then its own fate. */
  legLeft(leg: Channel): void {
    if (this.#ended) return;
    const other = this.other(leg);
    this.end();
    if (other.isDown) return;
    other.variables.set('bridge_hangup_cause', leg.hangupCause);
    other.variables.set('last_bridge_hangup_cause', leg.hangupCause);
    other.leaveWhenIdle(() => this.#afterBridge(other, leg.hangupCause ?? 'NORMAL_CLEARING'));
  }

  #begin(): void {
    const { originator, originatee } = this;
    for (const [leg, other] of [
      [originator, originatee],
      [originatee, originator],
    ] as const) {
      leg.bridge = this;
      leg.variables.set('bridge_channel', other.name);
      leg.variables.set('bridge_uuid', other.uuid);
      leg.variables.set('last_bridge_to', other.uuid);
      leg.variables.set('signal_bond', other.uuid);
      leg.events.fire('CHANNEL_EXECUTE', {
        Application: 'uuid_bridge',
        'Application-Data': other.uuid,
      });
    }
    originatee.variables.set('call_uuid', originator.uuid);
    originator.events.fire('CHANNEL_BRIDGE', this.#legHeaders());
    originatee.state = 'CS_EXCHANGE_MEDIA';
    this.#joinMedia();
    originator.bridged();
    originatee.bridged();
  }

  #joinMedia(): void {
    this.#join ??= this.originator.media.join(this.originatee.media);
  }

  #legHeaders(): Record<string, string> {
    return {
      'Bridge-A-Unique-ID': this.originator.uuid,
      'Bridge-B-Unique-ID': this.originatee.uuid,
    };
  }

  /** The far leg's cause is passed on only to the originator and only with `hangup_after_bridge`. */
  #afterBridge(leg: Channel, cause: HangupCause): void {
    const transferTo = leg.variables.get('transfer_after_bridge');
    if (leg.variables.isTrue('park_after_bridge')) leg.parkAfterBridge();
    else if (transferTo !== undefined) {
      leg.variables.set('transfer_after_bridge', undefined);
      const [destination = '', dialplan] = transferTo.split(':');
      const plan = inlinePlan(destination, dialplan);
      if (plan === undefined) leg.hangUp('NO_ROUTE_DESTINATION');
      else leg.transfer(plan);
    } else {
      const passesOn = leg === this.originator && leg.variables.isTrue('hangup_after_bridge');
      leg.hangUp(passesOn ? cause : 'NORMAL_CLEARING');
    }
  }
}
