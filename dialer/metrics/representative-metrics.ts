/** What representatives do, and for how long. docs/metrics.md is written from these rows. */
import { counter, gauge, histogram, type MetricTable } from '../../machines/meter.port.ts';

const IDLE_SECONDS = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 300, 600];
/** Up to the 20 seconds after which an invitation lapses. */
const ANSWER_SECONDS = [1, 2, 3, 5, 8, 12, 20];

export const REPRESENTATIVE_METRICS = {
  states: gauge(
    'dialer_representatives',
    'Representatives by what they do: offline, away (signed on with a presence that no workstream allows), free, invited, joining (their phone rings), reserved (in the lobby), connected, wrapUp.',
    ['state'],
  ),
  time: counter(
    'dialer_representative_seconds_total',
    'Time that representatives have spent in each state while they were signed on, added up. Utilisation and occupancy are formed of it.',
    ['state'],
  ),
  idle: histogram(
    'dialer_representative_idle_seconds',
    'Available for a call, reserved or not, to the next person whom a representative is connected with.',
    [],
    IDLE_SECONDS,
  ),
  invitations: counter(
    'dialer_invitations_total',
    'Invitations by kind (preDial, agentDial, escalation) and outcome: accepted, rejected, notAnswered, withdrawn, signedOff, suspended, nothingToDial, shutdown.',
    ['kind', 'outcome'],
  ),
  invitationAnswer: histogram(
    'dialer_invitation_answer_seconds',
    'Invitation shown to accepted, of those that were not accepted for the representative.',
    ['kind'],
    ANSWER_SECONDS,
  ),
  released: counter(
    'dialer_representatives_released_total',
    'Reservations that ended, by reason: callOver, or without a call: rejected, notAnswered, withdrawn, lobbyFailed, lobbyLost, idle, nothingToDial, signedOff, suspended, shutdown.',
    ['reason'],
  ),
  legsLeft: counter(
    'dialer_lobby_legs_ended_total',
    'Phone legs of representatives that ended: representative (their BYE), closed, idle, notAnswered, lost (no RTP and no answer), switch.',
    ['reason'],
  ),
} as const satisfies MetricTable;
