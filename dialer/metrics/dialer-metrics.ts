/** What the dialer measures. docs/metrics.md is written from these rows. */
import { counter, gauge, histogram, type MetricTable } from '../../machines/meter.port.ts';

const CLAIM_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const LAG_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const CONNECT_SECONDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5];
const HANDLE_SECONDS = [1, 3, 6, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

export const DIALER_METRICS = {
  started: counter(
    'dialer_attempts_started_total',
    'Attempts that were put on disk and handed to the gateway.',
    ['engagement', 'mode', 'trunk'],
  ),
  attempts: counter('dialer_attempts_total', 'Attempts that were recorded, by Result.', [
    ...['engagement', 'mode', 'trunk', 'result'],
  ] as const),
  subReasons: counter(
    'dialer_attempt_sub_reasons_total',
    'Attempts that were recorded, by Result and sub-reason (docs/outcomes.md).',
    ['result', 'sub_reason'],
  ),
  liveAnswers: counter(
    'dialer_live_answers_total',
    'Answers by a person whom somebody engaged, or who was abandoned by us: what the abandonment ratio is formed over.',
    ['engagement', 'mode'],
  ),
  abandoned: counter(
    'dialer_abandoned_total',
    'Answered calls that ended before anybody engaged the person: by the system, or by the customer.',
    ['engagement', 'mode', 'by'],
  ),
  escalated: counter('dialer_escalated_total', 'Calls for which the AI agent asked for a human.'),
  connectDelay: histogram(
    'dialer_connect_delay_seconds',
    'End of the greeting, or the answer where no greeting was heard, to agent and customer hearing each other.',
    ['target'],
    CONNECT_SECONDS,
  ),
  handle: histogram(
    'dialer_handle_seconds',
    'Length of the phases of an answered call: talk (answer to hang-up), bridged, wrapUp (of the representative).',
    ['phase'],
    HANDLE_SECONDS,
  ),
  tasks: gauge('dialer_tasks', 'Tasks by state: waiting, ready, working, final.', [
    'engagement',
    'state',
  ]),
  engagements: gauge('dialer_engagements', 'Engagements by status.', ['status']),
  inFlight: gauge('dialer_calls_in_flight', 'Calls in flight, as the store counts them.', [
    'engagement',
  ]),
  inFlightMax: gauge(
    'dialer_calls_in_flight_max',
    'Calls that the engagement may have in flight at once.',
    ['engagement'],
  ),
  chains: gauge('dialer_chains_in_work', 'Contact chains that this process works on.'),
  tasksLeft: counter(
    'dialer_tasks_left_total',
    'Tasks that left work, and how: waiting (to be dialled again), final, notClaimed, broken (quarantined after a defect).',
    ['left'],
  ),
  claims: counter(
    'dialer_claims_total',
    'Claims of ready tasks, and what limited the starts: cap (of the engagement), trunk, list (nothing more was ready), queue (closed).',
    ['limiter'],
  ),
  claimSeconds: histogram(
    'dialer_claim_seconds',
    'Asking for starts to their being on disk.',
    [],
    CLAIM_SECONDS,
  ),
  claimed: counter(
    'dialer_claimed_total',
    'Tasks looked at by claims: started, postponed, finished.',
    ['outcome'],
  ),
  suppressed: counter(
    'dialer_suppressed_total',
    'Tasks that a rule kept from being dialled when their turn came.',
    ['rule'],
  ),
  quarantined: counter(
    'dialer_tasks_quarantined_total',
    'Tasks that are dialled no more until somebody has looked at them: broken (a defect), crashes (processes died at their side).',
    ['why'],
  ),
  suspensions: counter('dialer_suspensions_total', 'Engagements that were suspended, by type.', [
    'type',
  ]),
  eventLag: histogram(
    'dialer_event_lag_seconds',
    'An event of the gateway, from being made to being heard.',
    [],
    LAG_SECONDS,
  ),
  trunksClosed: gauge(
    'dialer_trunks_closed',
    'Trunks that are given no calls, by why: operator (everywhere), share (numbers do not exist) and auth (credentials refused), each at one gateway.',
    ['cause'],
  ),
  leaseHeld: gauge('dialer_lease_held', '1 while this process owns its queue group.'),
  leaseLosses: counter('dialer_lease_losses_total', 'Queue groups lost to another dialer.'),
} as const satisfies MetricTable;
