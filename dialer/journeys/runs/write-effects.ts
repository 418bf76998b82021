/**
 * What runs asked for, written with them: the outbox of conversations and messages, and everything
 * that needs nobody outside, done at once.
 */
import type { CompiledQuery, Transaction } from 'kysely';
import type { JourneyEffect, JourneyRecord } from '../../../journey-core/interpreter/effects.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import { insertQueries } from '../../store/insert-many.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyActivityRow, JourneyEffectRow } from '../../store/schema/journey-tables.ts';
import { addOccurrences, type NewOccurrence } from '../../triggers/add-occurrences.ts';
import { meetsConditions } from '../../triggers/trigger-settings.ts';
import {
  entryOfCarriedOut,
  entryOfRecord,
  type CarriedOut,
  type PathEntry,
} from '../analytics/path-entry.ts';
import { pathQueries } from '../analytics/record-path.ts';
import { withdrawQueries } from '../effects/withdraw-sendings.ts';
import type { AdvancedRun } from './advance-taken.ts';

type Tx = Transaction<Database>;

export interface EffectsWriter {
  readonly ids: IdSource;
  readonly nowMs: number;
}

const ACTOR = 'system';

interface Wanted {
  readonly outbox: JourneyEffectRow[];
  readonly cancelled: string[];
  /** Runs of which nothing is to be sent any more, whatever their exits leave alone. */
  readonly stopped: string[];
  readonly activities: JourneyActivityRow[];
  readonly triggers: Activated[];
  readonly path: PathEntry[];
}

interface Activated {
  readonly businessUnitId: string;
  readonly occurrence: NewOccurrence;
}

/**
 * Everything of one batch, to be run in this order. Done twice for one run and step it is done once: keys
 * are unique. What triggers raise is written at once.
 */
export async function effectQueries(
  tx: Tx,
  writer: EffectsWriter,
  advanced: readonly AdvancedRun[],
): Promise<CompiledQuery[]> {
  const wanted: Wanted = {
    ...{ outbox: [], cancelled: [], stopped: [] },
    ...{ activities: [], triggers: [], path: [] },
  };
  for (const one of advanced) {
    for (const effect of one.effects) sort(wanted, one, effect, writer.nowMs);
    if (one.run.exit?.reason === 'stopped') wanted.stopped.push(one.row.id);
  }
  await activate(tx, writer, wanted.triggers);
  const again = { ending: 'on conflict (key) do nothing' };
  const once = { ending: 'on conflict (id) do nothing' };
  return [
    ...insertQueries(tx, 'journey_effects', wanted.outbox, again),
    ...withdrawQueries(tx, 'key', wanted.cancelled, writer.nowMs),
    ...withdrawQueries(tx, 'run_id', wanted.stopped, writer.nowMs),
    ...insertQueries(tx, 'journey_activities', wanted.activities, once),
    ...pathQueries(tx, wanted.path),
  ];
}

function sort(wanted: Wanted, one: AdvancedRun, effect: JourneyEffect, nowMs: number): void {
  const { row, version } = one;
  switch (effect.type) {
    case 'startConversation':
    case 'sendMessage':
      wanted.outbox.push(outboxRow(one, effect, nowMs));
      break;
    case 'cancelSending':
      wanted.cancelled.push(effect.key);
      break;
    case 'createActivity':
      wanted.activities.push(activityRow(one, effect, nowMs));
      wanted.path.push(carriedOut(one, effect.key, effect.activity, nowMs));
      break;
    case 'activateTrigger':
      wanted.triggers.push({
        businessUnitId: row.business_unit_id,
        occurrence: {
          ...{ id: effect.key, trigger: effect.trigger, kind: 'custom' },
          ...{ contactId: row.contact_id, payload: effect.attributes, occurredAtMs: nowMs },
        },
      });
      wanted.path.push(carriedOut(one, effect.key, 'activateTrigger', nowMs));
      break;
    case 'setTimer':
    case 'cancelTimer':
    case 'readFacts':
    case 'takeNumber':
      break; // of the run's row, or answered before it was written
    default:
      wanted.path.push(
        entryOfRecord(ownerOf(one), effect satisfies JourneyRecord, version.journey),
      );
  }
}

function ownerOf({ row }: AdvancedRun) {
  const { id: run_id, business_unit_id, journey_id, version, contact_id, is_test } = row;
  return { run_id, business_unit_id, journey_id, version, contact_id, is_test };
}

function carriedOut(one: AdvancedRun, key: string, place: string, atMs: number): PathEntry {
  const [visit = '1', stepId = ''] = key
    .slice(one.row.id.length + 1)
    .split(':')
    .reverse();
  const carried: CarriedOut = {
    ...{ kind: 'activity', stepId, visit: Number(visit), place, atMs },
    detail: { id: key },
  };
  return entryOfCarriedOut(ownerOf(one), carried);
}

function outboxRow(
  { row }: AdvancedRun,
  effect: Extract<JourneyEffect, { type: 'startConversation' | 'sendMessage' }>,
  nowMs: number,
): JourneyEffectRow {
  return {
    ...{ key: effect.key, business_unit_id: row.business_unit_id, journey_id: row.journey_id },
    ...{ version: row.version, step_id: effect.stepId },
    ...{ run_id: row.id, contact_id: row.contact_id, is_test: row.is_test },
    ...{ type: effect.type, payload: JSON.stringify(effect) },
    ...{ state: 'due', due_at_ms: nowMs, tries: 0, fault: null, task_id: null },
    ...{ created_at_ms: nowMs, updated_at_ms: nowMs },
  };
}

function activityRow(
  { row, version }: AdvancedRun,
  effect: Extract<JourneyEffect, { type: 'createActivity' }>,
  nowMs: number,
): JourneyActivityRow {
  return {
    ...{ id: effect.key, business_unit_id: row.business_unit_id, journey_id: row.journey_id },
    ...{ run_id: row.id, contact_id: row.contact_id, kind: effect.activity },
    ...{ subject: effect.subject, description: effect.description },
    ...{ assigned_to: effect.assignTo ?? version.owner, due_at_ms: effect.dueAtMs },
    ...{ state: 'open', version: 1, created_at_ms: nowMs, updated_at_ms: nowMs },
  };
}

/** By the trigger's own rules: one that is retired, or whose conditions are not met, is not raised. */
async function activate(
  tx: Tx,
  { ids, nowMs }: EffectsWriter,
  activated: readonly Activated[],
): Promise<void> {
  const units = new Set(activated.map(({ businessUnitId }) => businessUnitId));
  for (const businessUnitId of [...units].sort()) {
    const own = activated.filter((one) => one.businessUnitId === businessUnitId);
    const triggers = await tx
      .selectFrom('triggers')
      .selectAll()
      .where('business_unit_id', '=', businessUnitId)
      .where('name', 'in', [...new Set(own.map(({ occurrence }) => occurrence.trigger))])
      .where('state', '=', 'ready')
      .execute();
    const triggerOf = new Map(triggers.map((trigger) => [trigger.name, trigger]));
    const raised = own.flatMap(({ occurrence }): NewOccurrence[] => {
      const trigger = triggerOf.get(occurrence.trigger);
      if (trigger === undefined) return [];
      if (!meetsConditions(trigger, occurrence.payload, nowMs)) return [];
      return [{ ...occurrence, keptDays: trigger.kept_days }];
    });
    await addOccurrences(tx, { ids, nowMs, businessUnitId, actor: ACTOR }, raised);
  }
}
