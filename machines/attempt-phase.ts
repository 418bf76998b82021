/** How far an attempt has come, as a scale that is only ever climbed. */
import { ATTEMPT_PHASES, type AttemptPhase } from './command-reply.ts';
import type { AttemptEvent } from './telephony-events.ts';

export function furthestPhase(a: AttemptPhase, b: AttemptPhase): AttemptPhase {
  return ATTEMPT_PHASES.indexOf(a) >= ATTEMPT_PHASES.indexOf(b) ? a : b;
}

export function hasReached(phase: AttemptPhase, least: AttemptPhase): boolean {
  return furthestPhase(phase, least) === phase;
}

/** The phase that an event proves; `unknown` for one that proves none. */
export function phaseOf({ type }: AttemptEvent): AttemptPhase {
  switch (type) {
    case 'attempt.sent':
      return 'sent';
    case 'attempt.alerting':
    case 'attempt.earlyMedia':
      return 'alerting';
    case 'attempt.answered':
      return 'answered';
    case 'attempt.refused':
    case 'attempt.ended':
      return 'ended';
    default:
      return 'unknown';
  }
}
