/**
 * Progressive pacing (spec B.3): rep-led, one call for each reserved representative; AI-led, one
 * to five for each who is available. No forecast: whoever is free has a call.
 */
import type { PacerConfig } from './pacer-config.ts';
import type { PacerDecision } from './pacer-events.ts';
import type { PacingModel } from './pacing-model.ts';

export function progressiveDecision(
  model: PacingModel,
  config: PacerConfig,
  pending: number,
): PacerDecision {
  const { attempts, representatives } = model;
  const perRep = config.repLed ? 1 : (config.callsPerRepMax ?? 1);
  const target = representatives.idle * perRep;
  const inFlight = attempts.inFlight + pending;
  const inFlightMax = config.inFlightMax ?? Number.POSITIVE_INFINITY;
  const startsMax = config.startsPerTickMax ?? Number.POSITIVE_INFINITY;
  const wanted = Math.max(0, target - inFlight);
  const start = Math.max(0, Math.min(wanted, inFlightMax - inFlight, startsMax));
  const binding =
    representatives.total === 0
      ? 'noRepresentatives'
      : start === wanted
        ? 'representatives'
        : start === startsMax
          ? 'startsPerTickMax'
          : 'inFlightMax';
  return {
    start,
    cancel: [],
    binding,
    explanation: {
      mode: config.mode,
      idle: representatives.idle,
      busy: representatives.talking,
      wrappingUp: representatives.wrappingUp,
      ringing: attempts.ringing,
      waiting: attempts.waiting,
      callsPerRep: perRep,
    },
  };
}
