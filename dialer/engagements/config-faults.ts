/**
 * What contradicts what in an engagement's settings: the rules that hold between two of them, which
 * no schema of one can say. Each fault names its place as a JSON pointer into the configuration.
 */
import type { ErrorFault } from '../../machines/errors.ts';
import type { AnsweringSettings } from './answering.schema.ts';
import type { EngagementConfig, GivenConfig } from './engagement-config.schema.ts';
import { MODES_OF_METRIC, type ThrottleSettings } from './throttle.schema.ts';

/** Empty when nothing contradicts. `config` is complete. */
export function configFaults(config: EngagementConfig): readonly ErrorFault[] {
  return [
    ...typeFaults(config),
    ...modeFaults(config),
    ...aiLedFaults(config),
    ...answeringFaults(config),
  ];
}

/** CFG-06. */
function typeFaults({ engagementType, mode }: EngagementConfig): ErrorFault[] {
  if (engagementType === 'aiLed' && mode.kind === 'preview') {
    const detail =
      'an AI-led engagement has no preview: an AI agent cannot look at a contact first';
    return [{ pointer: '/mode/kind', detail }];
  }
  if (engagementType === 'repLed' && mode.kind === 'copilot') {
    const detail = 'a rep-led engagement has no copilot mode: its calls go to the AI agent';
    return [{ pointer: '/mode/kind', detail }];
  }
  return [];
}

function modeFaults({ engagementType, mode }: EngagementConfig): ErrorFault[] {
  if (mode.kind !== 'progressive') return [];
  if (engagementType === 'aiLed' && mode.queueAllotmentPercent !== undefined) {
    const detail = 'an AI-led progressive engagement holds no representatives: leave it out';
    return [{ pointer: '/mode/queueAllotmentPercent', detail }];
  }
  if (engagementType === 'repLed' && mode.maxCallsPerRep !== undefined) {
    const detail = 'a rep-led engagement dials one call for each representative: leave it out';
    return [{ pointer: '/mode/maxCallsPerRep', detail }];
  }
  return [];
}

/** DM-07, DM-36 to DM-39. */
function aiLedFaults({ engagementType, mode, throttle }: EngagementConfig): ErrorFault[] {
  if (engagementType === 'repLed' || throttle === undefined) return [];
  return throttle.rules.flatMap(({ metric, threshold }, index) => {
    const at = `/throttle/rules/${index}`;
    const modes = MODES_OF_METRIC[metric];
    if (!modes.includes(mode.kind)) {
      const detail = `is measured in ${modes.join(', ')} mode only, and this is ${mode.kind}`;
      return [{ pointer: `${at}/metric`, detail }];
    }
    if (metric === 'abandonmentRate' && threshold > 100) {
      return [{ pointer: `${at}/threshold`, detail: 'is a percentage: 0 to 100' }];
    }
    return sameRuleFaults(throttle, index);
  });
}

function sameRuleFaults({ rules }: ThrottleSettings, index: number): ErrorFault[] {
  const rule = rules[index];
  const isSame = rules.slice(0, index).some(({ metric, periodMinutes }) => {
    return metric === rule?.metric && periodMinutes === rule.periodMinutes;
  });
  const detail = 'says the same metric over the same period as the rule before it';
  return isSame ? [{ pointer: `/throttle/rules/${index}`, detail }] : [];
}

function answeringFaults({ engagementType, mode, answering }: EngagementConfig): ErrorFault[] {
  const isPaced = mode.kind === 'progressive' || mode.kind === 'predictive';
  if (engagementType === 'repLed' && isPaced && answering === undefined) {
    const detail = `a rep-led ${mode.kind} engagement has to say what people and machines hear`;
    return [{ pointer: '/answering', detail }];
  }
  return answering === undefined ? [] : [...amdFaults(answering), ...messageFaults(answering)];
}

function amdFaults({ amdAction, amdMessage }: AnsweringSettings): ErrorFault[] {
  if (amdAction === 'hangup' && amdMessage !== undefined) {
    const detail = 'no message is left when the action is hangup: leave it out, or leave a message';
    return [{ pointer: '/answering/amdMessage', detail }];
  }
  if (amdAction !== 'hangup' && amdMessage === undefined) {
    const detail = `is missing: ${amdAction} needs the text that a machine is told`;
    return [{ pointer: '/answering/amdMessage', detail }];
  }
  return [];
}

function messageFaults({ abandonedMessage }: AnsweringSettings): ErrorFault[] {
  const { enabled, text, optOutDigits } = abandonedMessage;
  const at = '/answering/abandonedMessage';
  if (enabled && text === undefined) {
    const detail = 'is missing: write what an abandoned person hears, or set enabled to false';
    return [{ pointer: `${at}/text`, detail }];
  }
  if (!enabled && optOutDigits !== '') {
    const detail = 'there is no message in which a digit could be pressed';
    return [{ pointer: `${at}/optOutDigits`, detail }];
  }
  return [];
}

/**
 * What is written that the engagement's type does not have. Asked of the settings as they were given,
 * before completing them leaves such parts out.
 */
export function misplacedFaults(
  given: Pick<GivenConfig, 'aiFailure' | 'throttle' | 'answering'>,
  { engagementType, mode }: Pick<EngagementConfig, 'engagementType' | 'mode'>,
): readonly ErrorFault[] {
  const only = (pointer: string, detail: string): ErrorFault => ({ pointer, detail });
  if (engagementType === 'repLed') {
    return [
      ...(given.aiFailure === undefined
        ? []
        : [only('/aiFailure', 'is for AI-led engagements: here no AI agent can fail')]),
      ...(given.throttle === undefined
        ? []
        : [only('/throttle', 'is for AI-led engagements: a rep-led one has answering.stopRule')]),
      ...(given.answering !== undefined && mode.kind === 'preview'
        ? [only('/answering', 'nothing is detected in preview: the representative listens')]
        : []),
    ];
  }
  if (given.answering === undefined) return [];
  const detail =
    'is for rep-led engagements: of an AI-led one the AI agent of the workstream decides';
  return [only('/answering', detail)];
}
