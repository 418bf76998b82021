/**
 * The log of a command or a service: JSON lines on stderr, beside what is told to people. Every entry
 * goes through one redaction, so no full number and no secret is in any, whoever logs it.
 */
import { destination, pino, type LoggerOptions } from 'pino';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { DialerLog } from '../dialer/dialer-log.ts';
import type { TraceLog } from '../dialer/telephony-log.ts';
import { traceIdOf } from '../dialer/traces/trace-id.ts';
import type { GatewayLog } from '../gateway/gateway-log.ts';
import { redact, redactText } from '../machines/redaction.ts';

export type CommandLog = DialerLog & GatewayLog & TraceLog;

export function commandLog(isVerbose: boolean, { log }: RingfenceConfig): CommandLog {
  return pino(
    logOptions(isVerbose ? 'debug' : log.level),
    // Whole lines, also when the process ends right after: a log that lost its last words is no use.
    destination({ fd: 2, sync: true }),
  );
}

/**
 * Libraries write to the console now and then; a service's stderr is JSON lines without numbers. From
 * here on they write to its log. Returns the function that ends it.
 */
export function consoleToLog(log: Pick<CommandLog, 'warn'>): () => void {
  const { log: plain, info, warn, error } = console;
  const write = (...values: unknown[]): void => {
    log.warn({ from: 'console' }, values.map(String).join(' '));
  };
  Object.assign(console, { log: write, info: write, warn: write, error: write });
  return () => Object.assign(console, { log: plain, info, warn, error });
}

export function logOptions(level: RingfenceConfig['log']['level']): LoggerOptions {
  return {
    level,
    // The host's name is the collector's to add.
    base: { pid: process.pid },
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => ({ ...(redact(fields) as Record<string, unknown>), ...joining(fields) }),
    },
    // Errors are read by `redact`, under whatever name they are logged.
    serializers: { err: (error: unknown) => error },
    hooks: {
      logMethod(inputs, method) {
        const shown = inputs.map((input: unknown) => {
          return typeof input === 'string' ? redactText(input) : input;
        });
        method.apply(this, shown as typeof inputs);
      },
    },
  };
}

/** Under the names of OpenTelemetry, by which logs are joined with traces. */
function joining(fields: Record<string, unknown>): { trace_id?: string } {
  const { attemptId } = fields;
  const traceId = typeof attemptId === 'string' ? traceIdOf(attemptId) : undefined;
  return traceId === undefined ? {} : { trace_id: traceId };
}
