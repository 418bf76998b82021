/** What journeys do, and whether they keep up. docs/metrics.md is written from these rows. */
import { counter, gauge, ratio, type MetricTable } from '../../machines/meter.port.ts';

export const JOURNEY_METRICS = {
  journeys: gauge(
    'journey_journeys',
    'Journeys by state: draft, scheduled, live, completing, completed, stopping, stopped.',
    ['state'],
  ),
  inside: gauge('journey_runs_inside', 'People on their way: entered, and not exited.', [
    'journey',
  ]),
  entered: counter('journey_entered_total', 'Runs that began.', ['journey']),
  exited: counter(
    'journey_exited_total',
    'Runs that ended: completed, trigger, segment, stopped, error.',
    ['journey', 'reason'],
  ),
  goals: counter('journey_goals_total', 'Runs that reached the goal.', ['journey']),
  steps: counter('journey_steps_total', 'Steps that runs came to.', ['journey']),
  requests: counter(
    'journey_requests_total',
    'Conversations and messages asked of the dialer or a webhook, by channel: voice, sms, message.',
    ['journey', 'channel'],
  ),
  outcomes: counter(
    'journey_outcomes_total',
    'What came of conversations (attempted, notAttempted, blocked) and messages (sent, notSent, blocked).',
    ['journey', 'outcome'],
  ),
  blocked: counter(
    'journey_blocked_total',
    'What was not sent, by reason, such as no_consent, quiet_time, frequency_cap, no_contact_point.',
    ['journey', 'reason'],
  ),
  held: gauge(
    'journey_sends_held',
    'Conversations and messages that wait for the end of quiet time.',
    ['journey'],
  ),
  attempted: ratio(
    'journey_attempted_ratio',
    'Of the conversations that were asked of the dialer, those that were attempted; absent when none was.',
    ['journey'],
    'attempted / requested, over the life of the journey',
  ),
  due: gauge(
    'journey_work_due',
    'What workers have not done yet though it is due: timers, events (told to runs), effects (to be sent, or asked about), occurrences (of triggers). Counted up to 10000.',
    ['work'],
  ),
  overdue: gauge(
    'journey_work_overdue_seconds',
    'How long the oldest of what is due has waited, by the same kinds of work; 0: nothing is due.',
    ['work'],
  ),
  failing: gauge(
    'journey_effects_failing',
    'Conversations and messages whose last try to send them failed. Counted up to 10000.',
  ),
} as const satisfies MetricTable;
