/** Which dial modes something here can pace: the one list, asked wherever an engagement begins. */
import { DialerError } from '../../machines/errors.ts';
import type { DialMode } from './dial-modes.schema.ts';

export const MODES_WITH_PACER: ReadonlySet<string> = new Set<DialMode>([
  'copilot',
  'progressive',
  'predictive',
]);

/**
 * Throws MODE_NOT_PACED. Such an engagement may be made and edited, but neither started nor resumed:
 * it would sit there running and dial nobody.
 */
export function requirePacer(dialMode: string): void {
  if (MODES_WITH_PACER.has(dialMode)) return;
  const detail =
    `${dialMode} engagements cannot be dialled by this release: make it with ` +
    '`startsSuspended: true`, and start it when they can be';
  throw new DialerError('MODE_NOT_PACED', detail);
}
