/** What pacing decides and what it is bounded by. docs/metrics.md is written from these rows. */
import { counter, gauge, ratio, type MetricTable } from '../../machines/meter.port.ts';

export const PACING_METRICS = {
  decisions: counter(
    'dialer_pacing_decisions_total',
    'Answers of pacers, by what kept them from starting more: representatives (each who is free has a call), risk (one more call would be too likely to be abandoned), budget (a legal window has no room), warmUp (too little is known yet), inFlightMax, startsPerTickMax, noRepresentatives.',
    ['engagement', 'mode', 'limiter'],
  ),
  recalls: counter(
    'dialer_pacing_recalls_total',
    'Calls that a pacer took back while they rang, since too many might have been answered at once.',
    ['engagement', 'mode'],
  ),
  target: gauge(
    'dialer_pacing_calls_target',
    'Calls that the pacer wanted in flight when it weighed last; 0 while it may not dial. Copilot: its cap, as far as its throttle leaves it. Preview has none.',
    ['engagement', 'mode'],
  ),
  calls: gauge(
    'dialer_pacing_calls',
    'Calls as the pacer weighed them last: ringing (nobody has answered), waiting (a person is with nobody).',
    ['engagement', 'mode', 'phase'],
  ),
  overDial: ratio(
    'dialer_pacing_over_dial_ratio',
    'Calls that may want a representative, over those who are free or about to be; absent when there is nobody.',
    ['engagement', 'mode'],
    'over-dial = (ringing + waiting) / (idle + expected to become free while they ring)',
  ),
  answerProbability: gauge(
    'dialer_pacing_answer_probability_ratio',
    'Predictive: what it holds the share of calls to be that a person answers: mean, and upper (the cautious one that it paces with).',
    ['engagement', 'estimate'],
  ),
  overAnswers: gauge(
    'dialer_pacing_over_answers_expected',
    'Predictive: answers for which it expects nobody to be free, among the calls that are in flight.',
    ['engagement'],
  ),
  risk: gauge(
    'dialer_pacing_risk_ratio',
    'Predictive: probability that one more call would cost somebody a representative: nextCall (what it would carry), permitted (what it may).',
    ['engagement', 'of'],
  ),
  alarmed: gauge(
    'dialer_pacing_alarmed',
    'Predictive: 1 while it is cautious since the answer rate has just jumped, else 0.',
    ['engagement'],
  ),
  abandonment: ratio(
    'dialer_abandonment_ratio',
    'Abandoned of live answers in the legal window, as the pacer keeps to it; absent before the first live answer.',
    ['engagement', 'window'],
    'abandonmentRatio = abandoned / live answers',
  ),
  abandonmentLimit: gauge('dialer_abandonment_limit_ratio', 'What the legal window allows of it.', [
    'engagement',
    'window',
  ]),
  abandonmentAnswers: gauge(
    'dialer_abandonment_live_answers',
    'Live answers in the legal window.',
    ['engagement', 'window'],
  ),
  abandonmentBudget: ratio(
    'dialer_abandonment_budget_remaining',
    'People who may still be abandoned before the window is at its limit, without another live answer; negative when it is over.',
    ['engagement', 'window'],
    'remaining = limit × live answers − abandoned',
  ),
  abandonmentAim: gauge(
    'dialer_abandonment_aim_ratio',
    'Predictive: what it aims at from here on, so that every window stays below its limit.',
    ['engagement'],
  ),
  waitsExceeded: counter(
    'dialer_waits_exceeded_total',
    'People who were with nobody within the wait of their engagement.',
    ['engagement', 'mode'],
  ),
  exceededWait: ratio(
    'dialer_exceeded_wait_ratio',
    'Of the people who answered within the look-back of the stop rule: who waited too long; absent while nobody has answered.',
    ['engagement'],
    'exceededWaitOfLive = waited too long / live answers',
  ),
  exceededWaitLimit: gauge(
    'dialer_exceeded_wait_limit_ratio',
    'At which the stop rule suspends the engagement.',
    ['engagement'],
  ),
  exceededWaitAnswers: gauge(
    'dialer_exceeded_wait_live_answers',
    'Live answers within the look-back of the stop rule: below 20 it stops nothing.',
    ['engagement'],
  ),
  throttle: gauge(
    'dialer_throttle_factor_ratio',
    'Share of what it might dial that its throttle leaves: 1, nothing is throttled.',
    ['engagement'],
  ),
  throttleSteps: counter('dialer_throttle_steps_total', 'Steps of throttles: slower, faster.', [
    ...['engagement', 'direction'],
  ] as const),
  suspended: gauge(
    'dialer_engagement_suspended',
    'Suspended engagements of that name, by type: exceededCustomerWaitThreshold (its stop rule), botFailure, adminAction, apiAction.',
    ['engagement', 'type'],
  ),
  qualified: gauge(
    'dialer_engagement_representatives',
    'Those who qualify for the engagement: free, held (reserved for it, up to the end of the wrap-up), elsewhere.',
    ['engagement', 'state'],
  ),
  pending: gauge(
    'dialer_competition_pending',
    'Contacts that could be dialled now if the engagement had representatives, as at the last sharing out.',
    ['engagement', 'priority'],
  ),
  competitionHeld: gauge(
    'dialer_competition_representatives',
    'Whom the engagement had at the last sharing out: idle, busy.',
    ['engagement', 'state'],
  ),
  competitionMax: gauge(
    'dialer_competition_representatives_max',
    'How many its share of the queue lets it hold at a time.',
    ['engagement'],
  ),
  offers: gauge(
    'dialer_preview_offers',
    'Contacts of preview engagements by state: seeking, invited, accepted, starting, ringing, talking, closing.',
    ['engagement', 'state'],
  ),
  offersEnded: counter(
    'dialer_preview_offers_ended_total',
    'Contacts that are shown to nobody any more: called, or why not: cancelled, kept, nobody, windowOver, withdrawn, refused, broken.',
    ['engagement', 'outcome'],
  ),
  escalations: gauge(
    'dialer_escalations_open',
    'People whom an AI agent has passed on, and who are with nobody yet.',
  ),
} as const satisfies MetricTable;
