/** Everything that dialer and gateway say to each other, at level trace: what a support case needs. */
import type { TelephonyEvent } from '../machines/telephony-events.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';

/** pino has this shape. It redacts: a command holds the number to dial, and an agent's token. */
export interface TraceLog {
  trace(fields: object, message: string): void;
  isLevelEnabled(level: string): boolean;
}

/** What was said in a call is nobody's to read in a log. */
function loggable(event: TelephonyEvent): object {
  return event.type === 'recording.transcribed' ? { ...event, turns: event.turns.length } : event;
}

/** The same port, listened to. Without the level it is the port itself, at no cost. */
export function loggedTelephony(telephony: TelephonyPort, log: TraceLog): TelephonyPort {
  if (!log.isLevelEnabled('trace')) return telephony;
  telephony.subscribe((event) => {
    const ids = 'attemptId' in event ? { attemptId: event.attemptId } : {};
    log.trace({ ...ids, event: loggable(event) }, event.type);
  });
  return {
    send: async (command) => {
      const ids = 'attemptId' in command ? { attemptId: command.attemptId } : {};
      log.trace({ ...ids, command }, command.type);
      const reply = await telephony.send(command);
      log.trace({ ...ids, reply }, `${command.type} was answered`);
      return reply;
    },
    subscribe: (listener) => telephony.subscribe(listener),
  };
}
