/** What the demo's representatives do at their desks: take what is offered, talk for a while, go on. */
import type { DialerClock } from '../../dialer/clock.ts';
import type { Dialer } from '../../dialer/main.ts';

/** A conversation of the demo: long enough to be heard in a recording. */
const TALK_MS = 3_000;
const WRAP_UP_MS = 500;

export function demoDesks(dialer: Dialer, clock: DialerClock): void {
  const { desk } = dialer;
  desk.subscribe(({ representativeId, work, invitation }) => {
    if (work === 'invited' && invitation?.isAutoAccepted === false) {
      desk.accept(representativeId, invitation.id);
    }
    if (work === 'reserved' && invitation?.kind === 'agentDial') {
      dialer.previewOf(representativeId)?.start(representativeId, null, []);
    }
    if (work === 'connected') {
      clock.setTimeout(() => dialer.endCall(representativeId), TALK_MS);
    }
    if (work === 'wrapUp') {
      clock.setTimeout(() => {
        if (desk.get(representativeId)?.work === 'wrapUp') desk.wrapUpDone(representativeId);
      }, WRAP_UP_MS);
    }
  });
}
