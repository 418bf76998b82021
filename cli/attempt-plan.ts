/** What a command asks of one call attempt: times from the configuration, a chime to be heard. */
import { randomUUID } from 'node:crypto';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { TrunkConfig } from '../config/trunk.schema.ts';
import type { CallAttemptInput } from '../machines/call-attempt.events.ts';

/** Three notes rising, about two seconds: long enough to be heard, short enough for a trial. */
export const CHIME = 'tone_stream://v=-13;%(350,120,523.25);%(350,120,659.25);%(900,0,783.99)';

const PLAY_TIMEOUT_MS = 15_000;
/** The gateway's own limits stand behind the dialer's: they act only when the dialer does not. */
const BACKSTOP_MS = 5_000;
/** A dial that could not leave within this is not worth making any more. */
const DIAL_WITHIN_MS = 30_000;

export interface AttemptPlan {
  readonly config: RingfenceConfig;
  readonly trunk: TrunkConfig;
  readonly ringTimeoutMs: number;
}

export function attemptInput(plan: AttemptPlan, destination: string): CallAttemptInput {
  const { config, trunk, ringTimeoutMs } = plan;
  const { setupTimeoutMs, callLengthMaxMs } = config.dialing;
  return {
    attemptId: randomUUID(),
    fence: 1,
    dial: {
      gatewayId: config.gateway.id,
      notAfterMs: Date.now() + DIAL_WITHIN_MS,
      trunk: trunk.name,
      destination,
      callerId: trunk.callerId,
      setupTimeoutMs: setupTimeoutMs + BACKSTOP_MS,
      ringLimitMs: ringTimeoutMs + BACKSTOP_MS,
      callLengthMaxMs,
    },
    ringTimeoutMs,
    setupTimeoutMs,
    afterAnswer: { prompts: [CHIME] },
    playTimeoutMs: PLAY_TIMEOUT_MS,
  };
}
