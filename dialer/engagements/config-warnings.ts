/**
 * What somebody should know before an engagement is started (DM-44, spec B.9): never a refusal, since
 * the law depends on who is called, where and what for. Counsel decides; this says what to ask.
 */
import type { RulePack } from '../../config/abandonment.schema.ts';
import type { EngagementConfig } from './engagement-config.schema.ts';

export const WARNING_CODES = [
  'CONNECT_TIME', // dialled ahead of the person who is to talk
  'WAIT_THRESHOLD', // longer than the two seconds that the strictest rules allow
  'ABANDONED_MESSAGE_OFF', // an abandoned person hears nothing
  'ABANDONED_OPT_OUT', // an abandoned person cannot opt out
  'ABANDONMENT_LIMIT', // the stop rule acts later than the law does
  'RULE_PACK_UNKNOWN', // it names rules that the configuration has no more
  'AI_DISCLOSURE', // an artificial voice talks to people
] as const;
export type ConfigWarningCode = (typeof WARNING_CODES)[number];

export interface ConfigWarning {
  readonly code: ConfigWarningCode;
  /** JSON pointer to the setting that it is about, from the engagement. */
  readonly pointer: string;
  readonly detail: string;
}

/**
 * In the order of the settings that they are about. `packs`: the legal rules that the engagement is
 * paced by; each setting is held against the strictest of them.
 */
export function configWarnings(
  config: EngagementConfig,
  packs: readonly RulePack[],
): readonly ConfigWarning[] {
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
    ...waitWarnings(answering, packs),
    ...unknownPacks(config, packs),
  ];
}

function waitWarnings(
  answering: NonNullable<EngagementConfig['answering']>,
  packs: readonly RulePack[],
): readonly ConfigWarning[] {
  const { customerWaitThresholdSeconds: wait, abandonedMessage, stopRule } = answering;
  const at = '/config/answering';
  const soonest = strictest(packs, ({ connectWithinSeconds }) => connectWithinSeconds);
  const lowest = strictest(packs, ({ ratioMax }) => ratioMax);
  const asksMessage = packs.filter(({ message }) => message);
  const asksOptOut = packs.filter(({ optOut }) => optOut);
  const found: (ConfigWarning | undefined)[] = [
    soonest !== undefined && wait > soonest.connectWithinSeconds
      ? {
          code: 'WAIT_THRESHOLD',
          pointer: `${at}/customerWaitThresholdSeconds`,
          detail:
            `A person may wait ${wait} s for a representative. Under ${nameOf([soonest])} a call is ` +
            `abandoned after ${soonest.connectWithinSeconds} s from ` +
            `${soonest.clockFrom === 'answer' ? 'the answer' : 'the end of the greeting'}.`,
        }
      : undefined,
    abandonedMessage.enabled || asksMessage.length === 0
      ? undefined
      : {
          code: 'ABANDONED_MESSAGE_OFF',
          pointer: `${at}/abandonedMessage/enabled`,
          detail:
            `A person for whom nobody is free hears nothing. ${nameOf(asksMessage)} asks for a message ` +
            'with the name and the number of the caller.',
        },
    abandonedMessage.enabled && abandonedMessage.optOutDigits === '' && asksOptOut.length > 0
      ? {
          code: 'ABANDONED_OPT_OUT',
          pointer: `${at}/abandonedMessage/optOutDigits`,
          detail: `The message offers no digit by which to opt out. ${nameOf(asksOptOut)} asks for one.`,
        }
      : undefined,
    lowest !== undefined && stopRule.percent > 100 * lowest.ratioMax + 1e-9
      ? {
          code: 'ABANDONMENT_LIMIT',
          pointer: `${at}/stopRule/percent`,
          detail:
            `It is stopped at ${stopRule.percent} % abandoned; ${nameOf([lowest])} allows ` +
            `${Number((100 * lowest.ratioMax).toFixed(2))} %.`,
        }
      : undefined,
  ];
  return found.filter((one) => one !== undefined);
}

function unknownPacks(
  { rulePacks = [] }: EngagementConfig,
  packs: readonly RulePack[],
): readonly ConfigWarning[] {
  return rulePacks.flatMap((name, index) => {
    if (packs.some((pack) => pack.name === name)) return [];
    const detail = `The configuration has no rule pack ${name}: what it applies to all holds instead.`;
    return [{ code: 'RULE_PACK_UNKNOWN' as const, pointer: `/config/rulePacks/${index}`, detail }];
  });
}

function strictest(
  packs: readonly RulePack[],
  of: (pack: RulePack) => number,
): RulePack | undefined {
  return packs.reduce<RulePack | undefined>(
    (least, pack) => (least === undefined || of(pack) < of(least) ? pack : least),
    undefined,
  );
}

/** As people look it up. */
function nameOf(packs: readonly RulePack[]): string {
  return packs.map(({ name, source }) => (source === '' ? name : `${name} (${source})`)).join(', ');
}
