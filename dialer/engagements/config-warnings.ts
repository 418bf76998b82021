/**
 * What somebody should know before an engagement is started (DM-44, spec B.9): never a refusal, since
 * the law depends on who is called, where and what for. Counsel decides; this says what to ask.
 */
import type { EngagementConfig } from './engagement-config.schema.ts';

export const WARNING_CODES = [
  'CONNECT_TIME', // dialled ahead of the person who is to talk
  'WAIT_THRESHOLD', // longer than the two seconds that the strictest rules allow
  'ABANDONED_MESSAGE_OFF', // an abandoned person hears nothing
  'ABANDONED_OPT_OUT', // an abandoned person cannot opt out
  'ABANDONMENT_LIMIT', // the stop rule acts later than the law does
  'AI_DISCLOSURE', // an artificial voice talks to people
] as const;
export type ConfigWarningCode = (typeof WARNING_CODES)[number];

export interface ConfigWarning {
  readonly code: ConfigWarningCode;
  /** JSON pointer to the setting that it is about, from the engagement. */
  readonly pointer: string;
  readonly detail: string;
}

/** 47 CFR §64.1200(a)(7), and Ofcom's policy on persistent misuse: two seconds, three percent. */
const WAIT_SECONDS_LAWFUL = 2;
const ABANDONED_PERCENT_LAWFUL = 3;

/** In the order of the settings that they are about. */
export function configWarnings(config: EngagementConfig): readonly ConfigWarning[] {
  const { engagementType, mode, answering } = config;
  if (engagementType === 'aiLed') {
    const detail =
      'People talk to an artificial voice. The EU has them told so (Regulation (EU) 2024/1689, ' +
      'Article 50); in the US it counts as an artificial voice, which needs prior consent (TCPA).';
    return [{ code: 'AI_DISCLOSURE', pointer: '/config/engagementType', detail }];
  }
  if (answering === undefined) return [];
  return [
    {
      code: 'CONNECT_TIME',
      pointer: '/config/mode/kind',
      detail:
        `Rep-led ${mode.kind} dialing connects people after they have answered, which takes time: ` +
        'it is not taken to comply with the TCPA (47 CFR §64.1200), least of all for marketing. ' +
        'Have counsel confirm it before it is started.',
    },
    ...waitWarnings(answering),
  ];
}

function waitWarnings(
  answering: NonNullable<EngagementConfig['answering']>,
): readonly ConfigWarning[] {
  const { customerWaitThresholdSeconds: wait, abandonedMessage, stopRule } = answering;
  const at = '/config/answering';
  const found: (ConfigWarning | undefined)[] = [
    wait > WAIT_SECONDS_LAWFUL
      ? {
          code: 'WAIT_THRESHOLD',
          pointer: `${at}/customerWaitThresholdSeconds`,
          detail: `A person may wait ${wait} s for a representative. US and UK rules count a call as abandoned after 2 s from the end of the greeting.`,
        }
      : undefined,
    abandonedMessage.enabled
      ? undefined
      : {
          code: 'ABANDONED_MESSAGE_OFF',
          pointer: `${at}/abandonedMessage/enabled`,
          detail:
            'A person for whom nobody is free hears nothing. US and UK rules ask for a message with the name and the number of the caller.',
        },
    abandonedMessage.enabled && abandonedMessage.optOutDigits === ''
      ? {
          code: 'ABANDONED_OPT_OUT',
          pointer: `${at}/abandonedMessage/optOutDigits`,
          detail:
            'The message offers no digit by which to opt out. US rules ask for one (47 CFR §64.1200(a)(7)(i)(B)).',
        }
      : undefined,
    stopRule.percent > ABANDONED_PERCENT_LAWFUL
      ? {
          code: 'ABANDONMENT_LIMIT',
          pointer: `${at}/stopRule/percent`,
          detail: `It is stopped at ${stopRule.percent} % abandoned; US and UK rules allow 3 %.`,
        }
      : undefined,
  ];
  return found.filter((one) => one !== undefined);
}
