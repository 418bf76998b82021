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
  const entry = (
    more: Pick<PathEntry, 'kind'> & Partial<PathEntry>,
    detail: object,
  ): PathEntry => ({
    ...{ ...owner, step_id: null, visit: null, place: null, code: null, at_ms: record.atMs },
    ...more,
    detail: JSON.stringify(detail),
  });
  switch (record.type) {
    case 'recordEntry':
      return entry({ kind: 'entry' }, {});
    case 'recordStep':
      return entry({ kind: 'step', step_id: record.stepId, visit: record.visit }, {});
    case 'recordChoice': {
      const { stepId: step_id, visit, place, next, because, findings } = record;
      const code = variantOf(journey, step_id, place);
      const at = { kind: 'choice', step_id, visit, place, code };
      return entry(at, findings.length === 0 ? { next, because } : { next, because, findings });
    }
    case 'recordOutcome': {
      const { stepId: step_id, visit, outcome: place, key, values } = record;
      return entry(
        { kind: 'outcome', step_id, visit, place, code: codeOf(values) },
        { key, values },
      );
    }
    case 'recordGoal':
      return entry({ kind: 'goal' }, { trigger: record.trigger });
    case 'recordExit':
      return entry(
        { kind: 'exit', step_id: record.stepId, code: record.reason },
        exitDetail(record),
      );
  }
}

export function entryOfCarriedOut(owner: PathOwner, carried: CarriedOut): PathEntry {
  const { kind, stepId, visit, place, detail, atMs } = carried;
  return {
    ...{ ...owner, kind, step_id: stepId, visit, place, code: null },
    detail: JSON.stringify(detail),
    at_ms: atMs,
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
  const counted = (...places: string[]): Counted[] => places.map((one) => ({ stepId, place: one }));
  switch (kind) {
    case 'step':
      return visit === 1 ? counted('step', 'runs') : counted('step');
    case 'choice':
      if (code === null || visit !== 1) return counted(`choice:${place ?? ''}`);
      return counted(`choice:${place ?? ''}`, `variant:${code}`);
    case 'outcome': {
      const which = `outcome:${place ?? ''}`;
      return code === null ? counted(which) : counted(which, `${which}:${code}`);
    }
    case 'exit':
      return counted(`exit:${code ?? ''}`);
    default:
      return counted(place === null ? kind : `${kind}:${place}`);
  }
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
