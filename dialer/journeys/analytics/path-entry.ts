/** What happened to a run, as a row of its path, and what such a row counts as. */
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { JourneyRecord } from '../../../journey-core/interpreter/effects.ts';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import { stepGraph } from '../../../journey-core/validation/step-graph.ts';
import type { JourneyPathRow } from '../../store/schema/journey-tables.ts';

/** A row that has not got its place in the order yet. */
export type PathEntry = Omit<JourneyPathRow, 'n'>;

/** Whose path it is; the columns that rows of one run have in common. */
export type PathOwner = Pick<
  JourneyPathRow,
  'run_id' | 'business_unit_id' | 'journey_id' | 'version' | 'contact_id' | 'is_test'
>;

/** What is not the interpreter's to tell, but of whoever carries out what it asked for. */
export interface CarriedOut {
  readonly kind: 'requested' | 'held' | 'interaction' | 'activity';
  readonly stepId: string;
  readonly visit: number;
  /**
   * Of what was requested or held: `voice`, `sms` or `message`. Of an interaction: `opened`. Of an
   * activity: `phoneCall`.
   */
  readonly place: string;
  /** For reports: ids, times. No address. */
  readonly detail: Values;
  readonly atMs: number;
}

/** Of `journey`, the version that the run is in. */
export function entryOfRecord(
  owner: PathOwner,
  record: JourneyRecord,
  journey: Journey,
): PathEntry {
  const { atMs } = record;
  switch (record.type) {
    case 'recordEntry':
      return entry(owner, { kind: 'entry', atMs }, {});
    case 'recordStep': {
      const { stepId, visit } = record;
      return entry(owner, { kind: 'step', stepId, visit, atMs }, {});
    }
    case 'recordChoice': {
      const { stepId, visit, place, next, because, findings } = record;
      const code = variantOf(journey, stepId, place);
      const detail = findings.length === 0 ? { next, because } : { next, because, findings };
      return entry(owner, { kind: 'choice', stepId, visit, place, code, atMs }, detail);
    }
    case 'recordOutcome': {
      const { stepId, visit, outcome: place, key, values } = record;
      const code = codeOf(values);
      return entry(owner, { kind: 'outcome', stepId, visit, place, code, atMs }, { key, values });
    }
    case 'recordGoal':
      return entry(owner, { kind: 'goal', atMs }, { trigger: record.trigger });
    case 'recordExit': {
      const { stepId, reason: code } = record;
      return entry(owner, { kind: 'exit', stepId, code, atMs }, exitDetail(record));
    }
  }
}

export function entryOfCarriedOut(owner: PathOwner, carried: CarriedOut): PathEntry {
  return entry(owner, carried, carried.detail);
}

interface Happened {
  readonly kind: string;
  readonly stepId?: string | null;
  readonly visit?: number;
  readonly place?: string;
  readonly code?: string | null;
  readonly atMs: number;
}

/** Written out: several are made for each step that somebody comes to, and spreading costs more. */
function entry(owner: PathOwner, happened: Happened, detail: object): PathEntry {
  return {
    run_id: owner.run_id,
    business_unit_id: owner.business_unit_id,
    journey_id: owner.journey_id,
    version: owner.version,
    contact_id: owner.contact_id,
    is_test: owner.is_test,
    kind: happened.kind,
    step_id: happened.stepId ?? null,
    visit: happened.visit ?? null,
    place: happened.place ?? null,
    code: happened.code ?? null,
    detail: JSON.stringify(detail),
    at_ms: happened.atMs,
  };
}

export interface Counted {
  /** Empty: of the whole journey. */
  readonly stepId: string;
  readonly place: string;
}

/**
 * `entry` and `goal` count for the journey. For a step: `step` (every arrival) and `runs` (a run's
 * first), `choice:<reference>`, `variant:<id>` (of runs, their first choice), `outcome:<which>` and
 * `outcome:<which>:<code>`, `exit:<reason>`, and the rest as `kind` or `kind:<place>`. Of tests
 * nothing is counted.
 */
export function countsOf(entry: PathEntry): readonly Counted[] {
  const { kind, step_id, visit, place, code, is_test } = entry;
  if (is_test !== 0) return [];
  const stepId = step_id ?? '';
  switch (kind) {
    case 'step':
      return visit === 1 ? counted(stepId, 'step', 'runs') : counted(stepId, 'step');
    case 'choice':
      if (code === null || visit !== 1) return counted(stepId, `choice:${place ?? ''}`);
      return counted(stepId, `choice:${place ?? ''}`, `variant:${code}`);
    case 'outcome': {
      const which = `outcome:${place ?? ''}`;
      return code === null ? counted(stepId, which) : counted(stepId, which, `${which}:${code}`);
    }
    case 'exit':
      return counted(stepId, `exit:${code ?? ''}`);
    default:
      return counted(stepId, place === null ? kind : `${kind}:${place}`);
  }
}

function counted(stepId: string, ...places: readonly string[]): readonly Counted[] {
  return places.map((place) => ({ stepId, place }));
}

function exitDetail({ detail }: { readonly detail: string | null }): object {
  return detail === null ? {} : { detail };
}

/** The variant that a reference of an A/B test or a choice of channel leads to. */
function variantOf(journey: Journey, stepId: string, place: string): string | null {
  const step = stepGraph(journey).stepOf.get(stepId);
  if (step?.type !== 'abTest' && step?.type !== 'bestChannel') return null;
  const index = Number(/^\/variants\/(\d+)\/next$/.exec(place)?.[1] ?? -1);
  return step.variants[index]?.id ?? null;
}

/** What others tell in words, such as a provider of messages, is put together: counts stay few. */
const CODE = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;

function codeOf(values: Values): string | null {
  const said = values['Result'] ?? values['Reason'];
  if (typeof said !== 'string') return null;
  return CODE.test(said) ? said : 'other';
}
