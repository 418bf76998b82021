/** The end of a run: one JSON value for programs, a table by Result for people. */
import Table from 'cli-table3';
import { maskNumber } from '../../gateway/mask-number.ts';
import type { TaskOutcome } from './task-outcome.ts';

export interface DemoReport {
  readonly attempts: number;
  readonly invites: number;
  readonly tasks: Readonly<Record<string, number>>;
  /** Counts attempts: a contact that was not dialled is in `tasks` only. */
  readonly results: Readonly<Record<string, number>>;
  /** In the order of the file. */
  readonly contacts: readonly {
    readonly to: string;
    readonly task: string;
    readonly result: string | null;
    readonly subReason: string | null;
    readonly sip: { readonly code: number | null; readonly q850: number | null };
    readonly attempts: number;
    readonly reason?: string;
  }[];
  readonly durationMs: number;
}

export function demoReport(
  outcomes: readonly TaskOutcome[],
  durationMs: number,
  options: { readonly showNumbers: boolean },
): DemoReport {
  const attempted = outcomes.filter(({ attempts }) => attempts > 0);
  return {
    attempts: sum(outcomes, ({ attempts }) => attempts),
    invites: sum(outcomes, ({ invites }) => invites),
    tasks: counts(outcomes.map(({ status }) => status)),
    results: counts(attempted.map(({ result }) => result ?? 'Unknown')),
    contacts: outcomes.map(({ to, status, result, subReason, sip, attempts, reason }) => ({
      to: options.showNumbers ? to : maskNumber(to),
      task: status,
      result,
      subReason,
      sip,
      attempts,
      ...(reason === undefined ? {} : { reason }),
    })),
    durationMs: Math.round(durationMs),
  };
}

/** One line per Result with its reasons and the SIP codes behind it, most frequent first. */
export function resultTable(outcomes: readonly TaskOutcome[]): string {
  const groups = grouped(outcomes);
  const table = new Table({
    head: ['Result', 'Contacts', 'Reason', 'SIP'],
    colAligns: ['left', 'right', 'left', 'left'],
    style: { head: [], border: [] },
  });
  for (const [name, members] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
    table.push([
      name,
      members.length,
      tally(members.map(({ subReason, reason }) => subReason ?? (reason ? 'see above' : '-'))),
      tally(members.map(({ sip }) => sipText(sip))),
    ]);
  }
  return table.toString();
}

function grouped(outcomes: readonly TaskOutcome[]): Map<string, TaskOutcome[]> {
  const groups = new Map<string, TaskOutcome[]>();
  for (const outcome of outcomes) {
    const name = outcome.result ?? outcome.status;
    groups.set(name, [...(groups.get(name) ?? []), outcome]);
  }
  return groups;
}

function sipText({ code, q850 }: TaskOutcome['sip']): string {
  const status = code === null ? '-' : String(code);
  return q850 === null ? status : `${status}/Q.850 ${String(q850)}`;
}

/** `486 ×3, 480/Q.850 17 ×2`; a single kind goes without its count. */
function tally(texts: readonly string[]): string {
  const entries = Object.entries(counts(texts)).sort((a, b) => b[1] - a[1]);
  if (entries.length === 1) return entries[0]?.[0] ?? '';
  return entries.map(([text, count]) => `${text} ×${String(count)}`).join('\n');
}

function counts(names: readonly string[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name of names) result[name] = (result[name] ?? 0) + 1;
  return result;
}

function sum(outcomes: readonly TaskOutcome[], of: (outcome: TaskOutcome) => number): number {
  return outcomes.reduce((total, outcome) => total + of(outcome), 0);
}
