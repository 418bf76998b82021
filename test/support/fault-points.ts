/**
 * Where a dialer may die: at a boundary between two steps of a call. The switch that kills stands
 * around the dialer, in what its process passes to it, and nowhere in the product.
 */
import type { AfterAnswer, PlanAfterAnswer } from '../../dialer/tasks/plan-after-answer.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';

export const BOUNDARIES = [
  'before the attempt row is committed',
  'after the attempt row',
  'after the INVITE',
  'after 180',
  'after 200',
  'after the prompt has begun',
  'after the bridge',
  'after BYE',
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

export interface Fault {
  readonly boundary: Boundary;
  /** The process dies when it comes to the boundary for this time, counted from 1. */
  readonly occurrence: number;
}

/** Dies as by `kill -9`: nothing is flushed, no handler runs. */
export class FaultPoint {
  readonly #fault: Fault | null;
  #left: number;

  constructor(fault: Fault | null) {
    this.#fault = fault;
    this.#left = fault?.occurrence ?? 0;
  }

  reached(boundary: Boundary): void {
    if (this.#fault?.boundary !== boundary) return;
    this.#left -= 1;
    if (this.#left === 0) process.kill(process.pid, 'SIGKILL');
  }
}

const EVENT_BOUNDARIES: Readonly<Partial<Record<TelephonyEvent['type'], Boundary>>> = {
  'attempt.sent': 'after the INVITE',
  'attempt.alerting': 'after 180',
  'attempt.answered': 'after 200',
  'attempt.connected': 'after the bridge',
};

/** Dies before the dialer hears of what has happened on the wire: the least it can know. */
export function faultyTelephony(gateway: TelephonyPort, point: FaultPoint): TelephonyPort {
  return {
    send: async (command: TelephonyCommand) => {
      // The claim is on disk, and the gateway has not heard of it.
      if (command.type === 'attempt.dial') point.reached('after the attempt row');
      const reply = await gateway.send(command);
      if (command.type === 'attempt.play' && reply.accepted) {
        point.reached('after the prompt has begun');
      }
      return reply;
    },
    subscribe: (listener) =>
      gateway.subscribe((event) => {
        const boundary = boundaryOf(event);
        if (boundary !== undefined) point.reached(boundary);
        listener(event);
      }),
  };
}

function boundaryOf(event: TelephonyEvent): Boundary | undefined {
  if (event.type !== 'attempt.ended') return EVENT_BOUNDARIES[event.type];
  return event.answered && event.endedBy === 'dialer' ? 'after BYE' : undefined;
}

/** The plan is asked for inside the claim's transaction, behind its last row. */
export function faultyPlan(afterAnswer: AfterAnswer, point: FaultPoint): PlanAfterAnswer {
  return (_, calls) =>
    Promise.resolve(
      calls.map(({ task }) => {
        // Recovery asks as well, for tasks that are in work.
        if (task.state === 'ready') point.reached('before the attempt row is committed');
        return afterAnswer;
      }),
    );
}
