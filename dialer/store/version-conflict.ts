/** Somebody else has changed what an edit was made on. */
import { DialerError } from '../../machines/errors.ts';

/** `now`: the version that it has; left out when another transaction was faster, and nobody knows. */
export function versionConflict(what: string, id: string, now?: number): DialerError {
  const version = now === undefined ? '' : `: it is version ${now} now`;
  return new DialerError('VERSION_CONFLICT', `${what} ${id} was changed meanwhile${version}`);
}
