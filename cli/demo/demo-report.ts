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
    /** What the AI agent returned, if it returned anything. */
    readonly attributes?: Readonly<Record<string, string>>;
    /** For `ringfence explain`, when the store is kept. */
    readonly deliveryId?: string;
    readonly reason?: string;
  }[];
  readonly durationMs: number;
}

export interface ReportOptions {
  readonly showNumbers: boolean;
  /** The ids of a store that is thrown away mean nothing to anybody. */
  readonly showDeliveries: boolean;
}

export function demoReport(
  outcomes: readonly TaskOutcome[],
  durationMs: number,
  { showNumbers, showDeliveries }: ReportOptions,
): DemoReport {
  return {
    attempts: sum(outcomes, ({ attempts }) => attempts.length),
    invites: sum(outcomes, ({ invites }) => invites),
    tasks: counts(outcomes.map(({ status }) => status)),
    results: counts(outcomes.flatMap(({ attempts }) => attempts)),
    contacts: outcomes.map(
      ({ to, status, result, subReason, sip, attempts, attributes, deliveryId, reason }) => ({
        to: showNumbers ? to : maskNumber(to),
        task: status,
        ...{ result, subReason, sip },
        attempts: attempts.length,
        ...(attributes === undefined ? {} : { attributes }),
        ...(deliveryId === undefined || !showDeliveries ? {} : { deliveryId }),
        ...(reason === undefined ? {} : { reason }),
      }),
    ),
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

/** `customerSpoke: true ×15, false ×5`: what the agent returned, where few values came often. */
export function learntLines(outcomes: readonly TaskOutcome[]): string[] {
  const values = new Map<string, string[]>();
  for (const { attributes = {} } of outcomes) {
    for (const [name, value] of Object.entries(attributes)) {
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  return [...values].map(([name, list]) => {
    const kinds = Object.entries(counts(list)).sort((a, b) => b[1] - a[1]);
    const shown =
      kinds.length <= KINDS_SHOWN_MAX
        ? kinds.map(([value, count]) => `${value} ×${String(count)}`).join(', ')
        : rangeOf(list);
    return `${name}: ${shown}`;
  });
}

const KINDS_SHOWN_MAX = 4;

function rangeOf(list: readonly string[]): string {
  const numbers = list.map(Number).sort((a, b) => a - b);
  if (numbers.some(Number.isNaN)) return `${String(list.length)} values`;
  return `${String(numbers[0])} to ${String(numbers.at(-1))}`;
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
