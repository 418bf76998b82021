/**
 * An engagement's settings with every default that depends on another setting filled in, and the
 * reader of those that are stored: whatever an earlier release wrote reads as it was meant.
 */
import { Value } from 'typebox/value';
import { isMapping } from '../../config/config-path.ts';
import { defaultAmdTimeSeconds } from './answering.schema.ts';
import type { EngagementType, ModeSettings } from './dial-modes.schema.ts';
import {
  AiFailureRule,
  EngagementConfig,
  type CompleteAnswering,
  type GivenConfig,
} from './engagement-config.schema.ts';
import { ThrottleSettings } from './throttle.schema.ts';

/** Who talks first where a mode leaves no choice (CFG-06), and where nothing was said. */
const TYPE_OF_MODE = {
  copilot: 'aiLed',
  preview: 'repLed',
  progressive: 'aiLed',
  predictive: 'aiLed',
} as const satisfies Record<ModeSettings['kind'], EngagementType>;

export function completeConfig(given: GivenConfig): EngagementConfig {
  const engagementType = given.engagementType ?? TYPE_OF_MODE[given.mode.kind];
  const mode = completeMode(given.mode, engagementType);
  const { aiFailure, throttle, answering, ...common } = given;
  if (engagementType === 'aiLed') {
    return {
      ...{ ...common, engagementType, mode },
      aiFailure: aiFailure ?? Value.Parse(AiFailureRule, Value.Default(AiFailureRule, {})),
      throttle: throttle ?? Value.Parse(ThrottleSettings, Value.Default(ThrottleSettings, {})),
    };
  }
  if (answering === undefined) return { ...common, engagementType, mode };
  return { ...common, engagementType, mode, answering: completeAnswering(answering) };
}

function completeMode(mode: ModeSettings, engagementType: EngagementType): ModeSettings {
  if (mode.kind !== 'progressive') return mode;
  return engagementType === 'aiLed'
    ? { ...mode, maxCallsPerRep: mode.maxCallsPerRep ?? 1 }
    : { ...mode, queueAllotmentPercent: mode.queueAllotmentPercent ?? 100 };
}

function completeAnswering(answering: NonNullable<GivenConfig['answering']>): CompleteAnswering {
  const { amdTimeSeconds, customerWaitThresholdSeconds } = answering;
  return {
    ...answering,
    amdTimeSeconds: amdTimeSeconds ?? defaultAmdTimeSeconds(customerWaitThresholdSeconds),
  };
}

/** Of the row of a voice engagement. Throws when it breaks its schema. */
export function storedConfig(json: string): EngagementConfig {
  const given: unknown = Value.Default(EngagementConfig, givenConfig(json));
  return completeConfig(Value.Parse(EngagementConfig, given));
}

/**
 * As it was asked for, of whatever channel. The first release took `repLed` with Copilot, and had an
 * AI agent talk all the same.
 */
export function givenConfig(json: string): Readonly<Record<string, unknown>> {
  const stored = JSON.parse(json) as Record<string, unknown>;
  const { mode } = stored;
  const isCopilot = isMapping(mode) && mode['kind'] === 'copilot';
  return isCopilot ? { ...stored, engagementType: 'aiLed' } : stored;
}
