/**
 * The rules on abandoned calls that are shipped, as of their sources. Figures for operators to confirm
 * with counsel; docs/pacing.md says what they leave open.
 */
import { Value } from 'typebox/value';
import { RulePack } from './abandonment.schema.ts';

/** What is not said is as the schema has it. */
const GIVEN: readonly Partial<RulePack>[] = [
  {
    name: 'us',
    source: '16 CFR 310.4(b)(1)(iv) and (b)(4); 47 CFR 64.1200(a)(6) and (a)(7)',
    ratioMax: 0.03,
    period: 'tumbling',
    periodHours: 30 * 24,
    connectWithinSeconds: 2,
    clockFrom: 'greetingEnd',
    message: true,
    optOut: true,
  },
  {
    name: 'uk',
    source: 'Ofcom, policy on persistent misuse: per campaign over any 24 hours',
    ratioMax: 0.03,
    period: 'rolling',
    periodHours: 24,
    connectWithinSeconds: 2,
    clockFrom: 'answer',
    message: true,
  },
  {
    name: 'ca',
    source: 'CRTC Unsolicited Telecommunications Rules: per calendar month',
    ratioMax: 0.05,
    period: 'calendarMonth',
    timeZone: 'America/Toronto',
    connectWithinSeconds: 2,
    clockFrom: 'greetingEnd',
    message: false,
  },
  {
    name: 'it',
    source: 'Garante, 20 February 2014, n. 83: three in a hundred; the 30 days are ours',
    ratioMax: 0.03,
    period: 'tumbling',
    periodHours: 30 * 24,
    connectWithinSeconds: 3,
    clockFrom: 'answer',
    message: false,
  },
];

export const SHIPPED_RULE_PACKS: readonly RulePack[] = GIVEN.map((given) =>
  Value.Parse(RulePack, Value.Default(RulePack, given)),
);
