/** May this contact point be used for this purpose and topic? (spec G.6, A.17) */
import type { ComplianceProfile, Enforcement } from '../definition/assets.schema.ts';
import type { PurposeType } from '../definition/quiet-time.schema.ts';
import type { Channel, Compliance } from '../definition/sending.schema.ts';

export type ConsentStatus = 'optedIn' | 'optedOut' | 'notSet';

/** What a person said of one contact point. Deactivated records count like all others. */
export interface ConsentRecord {
  readonly id: string;
  readonly contactPointId: string;
  readonly channel: Channel;
  readonly kind: 'purpose' | 'topic';
  /** Name of the purpose; profiles that share it share its records. */
  readonly purpose: string;
  /** Null for a purpose. */
  readonly topic: string | null;
  readonly status: ConsentStatus;
  readonly modifiedAtMs: number;
}

/** One cell of the table of nine. */
export function isConsentEnough(enforcement: Enforcement, status: ConsentStatus): boolean {
  switch (enforcement) {
    case 'restrictive':
      return status === 'optedIn';
    case 'nonRestrictive':
      return status !== 'optedOut';
    case 'disabled':
      return true;
  }
}

/** Where a purpose says nothing (spec A.17). Errs towards asking for consent. */
export function defaultEnforcement(type: PurposeType, channel: Channel): Enforcement {
  if (type === 'transactional') return 'disabled';
  return channel === 'email' ? 'nonRestrictive' : 'restrictive';
}

export interface ConsentCell {
  readonly of: 'purpose' | 'topic';
  readonly name: string;
  readonly enforcement: Enforcement;
  readonly status: ConsentStatus;
  /** The record that decided; null when there is none. */
  readonly recordId: string | null;
  readonly passes: boolean;
}

export type ConsentReason =
  | 'passes'
  | 'opted_out'
  | 'no_opt_in' // nothing is recorded, and the purpose wants an opt-in
  | 'unknown_purpose'; // the profile has no such purpose: blocked

export interface ConsentDecision {
  readonly passes: boolean;
  readonly reason: ConsentReason;
  /** The purpose, then the topic if there is one: both must pass. */
  readonly cells: readonly ConsentCell[];
}

export interface ConsentQuestion {
  readonly profile: ComplianceProfile | undefined;
  readonly compliance: Compliance;
  readonly channel: Channel;
  readonly contactPointId: string;
  readonly records: readonly ConsentRecord[];
}

/** Asked right before sending. A deactivated profile is enforced like any other. */
export function decideConsent(question: ConsentQuestion): ConsentDecision {
  const { profile, compliance, channel } = question;
  const purpose = profile?.purposes.find(({ name }) => name === compliance.purpose);
  if (purpose === undefined) return { passes: false, reason: 'unknown_purpose', cells: [] };
  const enforcement = purpose.enforcement ?? defaultEnforcement(purpose.type, channel);
  const { topic } = compliance;
  const cells = [
    cellOf(question, enforcement, null),
    ...(topic === undefined ? [] : [cellOf(question, enforcement, topic)]),
  ];
  const failed = cells.find(({ passes }) => !passes);
  if (failed === undefined) return { passes: true, reason: 'passes', cells };
  const reason = failed.status === 'optedOut' ? 'opted_out' : 'no_opt_in';
  return { passes: false, reason, cells };
}

/** A topic inherits the enforcement of its purpose. */
function cellOf(
  { compliance, channel, contactPointId, records }: ConsentQuestion,
  enforcement: Enforcement,
  topic: string | null,
): ConsentCell {
  const kind = topic === null ? 'purpose' : 'topic';
  const record = latest(
    records.filter(
      (item) =>
        item.contactPointId === contactPointId &&
        item.channel === channel &&
        item.kind === kind &&
        item.purpose === compliance.purpose &&
        item.topic === topic,
    ),
  );
  const status = record?.status ?? 'notSet';
  return {
    of: kind,
    name: topic ?? compliance.purpose,
    enforcement,
    status,
    recordId: record?.id ?? null,
    passes: isConsentEnough(enforcement, status),
  };
}

/** The newest; of two of one moment the one that says no. */
function latest(records: readonly ConsentRecord[]): ConsentRecord | undefined {
  return records.reduce<ConsentRecord | undefined>((best, record) => {
    if (best === undefined || record.modifiedAtMs > best.modifiedAtMs) return record;
    const isTie = record.modifiedAtMs === best.modifiedAtMs;
    return isTie && record.status === 'optedOut' ? record : best;
  }, undefined);
}
