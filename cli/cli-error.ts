/** What a command tells the person in front of it when it cannot go on. */
import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { DialerError } from '../machines/errors.ts';

/** A refusal or failure that its reader can act on: the message is one clear sentence. */
export class CliError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'CliError';
    this.code = code;
  }
}

/** The error in words. Only what nobody foresaw shows its stack. */
export function explainError(error: unknown): { code: string; message: string } {
  if (error instanceof DialerError && error.code === 'LISTEN_FAILED' && isOfSystem(error.cause)) {
    return explainError(error.cause);
  }
  if (error instanceof CliError || error instanceof DialerError || error instanceof ConfigError) {
    return { code: error.code, message: error.message };
  }
  if (error instanceof CommanderError) return { code: 'USAGE', message: error.message };
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  const address = /\S*:\d+$/.exec(error.message)?.[0] ?? 'The address';
  switch (code) {
    case 'EADDRINUSE':
      return {
        code: 'LISTEN_FAILED',
        message: `${address} is in use by another program: stop it, or choose another port (0 takes any free one).`,
      };
    case 'EADDRNOTAVAIL':
      return { code: 'LISTEN_FAILED', message: `${address} is not an address of this machine.` };
    case 'EACCES':
      return {
        code: 'LISTEN_FAILED',
        message: `${address} may not be opened by this user: ports below 1024 need rights.`,
      };
    default:
      return { code: 'INTERNAL', message: error.stack ?? error.message };
  }
}

function isOfSystem(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause;
}
