/** What the gateway measures. docs/metrics.md is written from these rows. */
import { counter, gauge, histogram, type MetricTable } from '../../machines/meter.port.ts';

/** Set-up of a call: from a trunk in the same rack to a mobile on another continent. */
const SETUP_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 20, 40];
const RING_SECONDS = [1, 2, 4, 6, 8, 10, 15, 20, 25, 30, 45, 60, 120];
/** With 20 s, below which a call counts as short. */
const TALK_SECONDS = [1, 3, 6, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
const DELAY_SECONDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];

export const GATEWAY_METRICS = {
  attempts: counter(
    'gateway_attempts_total',
    'Attempts that have ended after an INVITE, by how far they came: answered, rang, failed.',
    ['trunk', 'outcome'],
  ),
  withdrawn: counter(
    'gateway_attempts_withdrawn_total',
    'Attempts that ended before an INVITE had left.',
  ),
  dialsRefused: counter(
    'gateway_dials_refused_total',
    'Dials that were not taken on, or given up before the INVITE, by reason.',
    ['code'],
  ),
  invites: counter(
    'gateway_invites_total',
    'INVITEs towards a trunk, those repeated with credentials counted.',
    ['trunk'],
  ),
  finals: counter(
    'gateway_sip_final_responses_total',
    'Final responses to INVITEs. Origin stack: made up by our own SIP stack (408: no response, 503: no transport).',
    ['trunk', 'class', 'code', 'origin'],
  ),
  requestDelay: histogram(
    'gateway_sip_session_request_delay_seconds',
    'SRD (RFC 6076 §4.3): INVITE to the first 180, 183 or 200 when successful, to the final response otherwise.',
    ['trunk', 'outcome'],
    SETUP_SECONDS,
  ),
  setup: histogram('gateway_setup_seconds', 'INVITE to 200.', ['trunk'], RING_SECONDS),
  ring: histogram(
    'gateway_ring_seconds',
    'First 180 or 183 to the answer, or to the end of a call nobody answered.',
    ['trunk', 'answered'],
    RING_SECONDS,
  ),
  talk: histogram(
    'gateway_talk_seconds',
    'Answer to hang-up, by who hung up. Those under 20 s are short calls.',
    ['trunk', 'ended_by'],
    TALK_SECONDS,
  ),
  attemptsInFlight: gauge('gateway_attempts_in_flight', 'Attempts that have not ended.'),
  attemptsReleasing: gauge(
    'gateway_attempts_releasing',
    'Attempts that have ended, and whose BYE is still under way.',
  ),
  dialogsEnding: gauge('gateway_dialogs_ending', 'SIP dialogs being ended.'),
  cancels: counter('gateway_cancels_total', 'CANCELs asked for.'),
  byes: counter(
    'gateway_byes_total',
    'BYEs: sent; recovered (sent by stored id after a loss); abandoned (never answered).',
    ['outcome'],
  ),
  commands: counter(
    'gateway_commands_ignored_total',
    'Commands without effect: duplicate, or stale (under a lower fence).',
    ['why'],
  ),
  trunkUp: gauge('gateway_trunk_up', '1: reachable; 0: not; absent: not asked yet.', ['trunk']),
  trunkState: gauge(
    'gateway_trunk_state',
    '1 for the state that the trunk is in, 0 for the others: up, down, unknown, authFailed, suspended.',
    ['trunk', 'state'],
  ),
  destinationsRefused: counter(
    'gateway_destinations_refused_total',
    'Dials refused by a rule about the destination, before any INVITE.',
    ['rule'],
  ),
  trunkChannelsInUse: gauge('gateway_trunk_channels_in_use', 'Channels of the trunk in use.', [
    'trunk',
  ]),
  trunkChannelsMax: gauge('gateway_trunk_channels_max', 'Channels the trunk may use.', ['trunk']),
  trunkRateMax: gauge(
    'gateway_trunk_calls_per_second_max',
    'Calls that may be started on the trunk per second.',
    ['trunk'],
  ),
  endpoints: gauge('gateway_endpoints', 'Media endpoints: warm, creating, inCalls.', ['state']),
  endpointsWaited: gauge('gateway_endpoints_waited_for', 'Attempts that wait for an endpoint.'),
  endpointsMade: counter('gateway_endpoints_made_total', 'Endpoints made, or not: made, failed.', [
    'outcome',
  ]),
  endpointsReleased: counter('gateway_endpoints_released_total', 'Endpoints let go.'),
  mediaTimeouts: counter(
    'gateway_media_timeouts_total',
    'Commands that the media server did not answer in time.',
  ),
  switchUp: gauge('gateway_switch_up', '1 while connected: drachtio, freeswitch.', ['half']),
  switchConnections: counter(
    'gateway_switch_connections_total',
    'Connections to a half of the switch: made, lost.',
    ['half', 'event'],
  ),
  agentLegs: counter(
    'gateway_ai_agent_legs_total',
    'AI agents asked to take a call: connected, failed.',
    ['outcome'],
  ),
  agentFailures: counter('gateway_ai_agent_failures_total', 'AI agents that failed, by reason.', [
    'reason',
  ]),
  agentEscalations: counter(
    'gateway_ai_agent_escalations_total',
    'Calls that the AI agent asked a human to take, by the way it asked.',
    ['by'],
  ),
  agentUtterance: histogram(
    'gateway_ai_agent_first_utterance_seconds',
    'Both can hear each other, to the first words of the AI agent.',
    ['basis'],
    DELAY_SECONDS,
  ),
  bridged: histogram(
    'gateway_bridged_seconds',
    'How long customer and target could hear each other, by who ended it.',
    ['ended_by'],
    TALK_SECONDS,
  ),
} as const satisfies MetricTable;
