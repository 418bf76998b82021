/** What an engagement's settings mean for its calls: who is listened to, how long people wait. Pure. */
import type { MachinePlan } from '../../machines/call-attempt.events.ts';
import type { Detection, Failsafe } from '../../machines/telephony-commands.ts';
import { agentSettingsOf } from '../ai-agents/ai-agent-settings.schema.ts';
import type { CompleteAnswering } from '../engagements/engagement-config.schema.ts';
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import { promptsOf, type PlanAfterAnswer } from './plan-after-answer.ts';

/** Answer to the verdict `silence`: people say something within it (ruling 7). */
export const INITIAL_SILENCE_MS = 2_500;

/** Answer to the order of what follows: many round trips, and less than two seconds after a greeting. */
const ORDERED_WITHIN_MS = 2_000;

type Facts = Pick<EngagementFacts, 'config' | 'workstream'>;

/** Of a rep-led engagement its own (B.3.2), of an AI-led one its agent's (DM-30); none in preview. */
export function detectionOf({ config, workstream }: Facts): Detection | undefined {
  const initialSilenceMs = INITIAL_SILENCE_MS;
  if (config.engagementType === 'repLed') {
    if (config.answering === undefined) return undefined;
    const limitMs = config.answering.amdTimeSeconds * 1_000;
    return { mode: 'beforeConnect', limitMs, initialSilenceMs };
  }
  const detection = agentSettingsOf(workstream)?.detection;
  if (detection?.enabled !== true) return undefined;
  return { mode: 'alongside', limitMs: detection.timeSeconds * 1_000, initialSilenceMs };
}

/**
 * The gateway's abandonment clock (ruling 8). Where it runs from the greeting's end, the ceiling leaves
 * room for the latest verdict: a greeting that does not end must not keep a person waiting for ever.
 */
export function failsafeOf(facts: Facts): Failsafe | undefined {
  const { config, workstream } = facts;
  const { answering } = config;
  if (answering === undefined) {
    return config.engagementType === 'repLed' ? undefined : ownFailsafeOf(workstream);
  }
  const { customerWaitThresholdSeconds, waitFrom, amdTimeSeconds, abandonedMessage } = answering;
  const connectWithinMs = customerWaitThresholdSeconds * 1_000;
  const untilVerdictMs = INITIAL_SILENCE_MS + amdTimeSeconds * 1_000;
  const { enabled, text = '', optOutDigits } = abandonedMessage;
  return {
    clockFrom: waitFrom,
    connectWithinMs,
    ceilingAfterAnswerMs: connectWithinMs + (waitFrom === 'greetingEnd' ? untilVerdictMs : 0),
    promptId: enabled ? spoken(workstream.language, text) : '',
    optOutDigits: enabled ? optOutDigits : '',
  };
}

/**
 * For calls without a representative: should we die in the moment of the answer, the gateway says itself
 * what there is to say. Nothing of it is heard while we are there.
 */
function ownFailsafeOf(workstream: Facts['workstream']): Failsafe {
  const agent = agentSettingsOf(workstream);
  const [promptId = '', ...morePrompts] = agent?.fallbackPrompts ?? promptsOf(workstream);
  return {
    ...{ clockFrom: 'answer', connectWithinMs: ORDERED_WITHIN_MS },
    ...{ ceilingAfterAnswerMs: ORDERED_WITHIN_MS, orderStops: true },
    ...{ promptId, morePrompts, optOutDigits: '' },
  };
}

/** With `isLastAttempt` the message is left also by those who leave it only then (DM-28). */
export function machinePlanFor(
  { amdAction, amdMessage }: CompleteAnswering,
  language: string,
  isLastAttempt: boolean,
): Exclude<MachinePlan, { action: 'continue' }> {
  const leaves =
    amdAction === 'leaveMessage' ||
    (amdAction === 'leaveMessageOnLastAttemptOnly' && isLastAttempt);
  if (!leaves || amdMessage === undefined) return { action: 'hangup' };
  return { action: 'leaveMessage', prompts: [spoken(language, amdMessage)] };
}

/** For rep-led engagements: which representative it is, whoever starts the call says. */
export function planRepresentatives({ config, workstream }: Facts): PlanAfterAnswer {
  const { answering } = config;
  return (_, calls) =>
    Promise.resolve(
      calls.map(({ isLastAttempt }) => ({
        representative: { lobbyId: null },
        machine:
          answering === undefined
            ? { action: 'hangup' as const }
            : machinePlanFor(answering, workstream.language, isLastAttempt),
      })),
    );
}

/** A prompt that the gateway has spoken in the workstream's language (WS-03). */
export function spoken(language: string, text: string): string {
  return `say:${language}:${text}`;
}
