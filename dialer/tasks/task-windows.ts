/** Windows of a task: the request's, and a contact's own, which replace them (spec A.11). */
import { lastEndMs, type Window } from '../eligibility/window.ts';

export interface TaskWindows {
  readonly request: readonly Window[];
  readonly byContact: Readonly<Record<string, readonly Window[]>>;
}

/** A contact's list replaces the request's for that contact. */
export function windowsFor(windows: TaskWindows, contactId: string): readonly Window[] {
  return windows.byContact[contactId] ?? windows.request;
}

/** When the task as a whole ends: after the last window of any of its contacts. */
export function taskExpiryMs(windows: TaskWindows, contactIds: readonly string[]): number {
  return contactIds.reduce(
    (last, contactId) => Math.max(last, lastEndMs(windowsFor(windows, contactId))),
    Number.NEGATIVE_INFINITY,
  );
}
