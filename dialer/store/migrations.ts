/** Every migration, in order. */
import type { Migration } from './migration.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { httpInterface } from './migrations/0002-http-interface.ts';
import { representatives } from './migrations/0003-representatives.ts';
import { escalations } from './migrations/0005-escalations.ts';
import { callOrder } from './migrations/0006-call-order.ts';
import { reservationTerms } from './migrations/0007-reservation-terms.ts';
import { edgeRecords } from './migrations/0008-edge-records.ts';
import { consentSegmentsTriggers } from './migrations/0009-consent-segments-triggers.ts';
import { pacingLog } from './migrations/0010-pacing-log.ts';
import { journeys } from './migrations/0011-journeys.ts';
import { transcripts } from './migrations/0012-transcripts.ts';
import { journeyIndexes } from './migrations/0013-journey-indexes.ts';
import { complianceAudit } from './migrations/0014-compliance-audit.ts';
import { trunkClosures } from './migrations/0015-trunk-closures.ts';
import { amdAudits } from './migrations/0016-amd-audits.ts';
import { draftRetention } from './migrations/0017-draft-retention.ts';

export const MIGRATIONS: readonly Migration[] = [
  firstTables,
  httpInterface,
  representatives,
  escalations,
  callOrder,
  reservationTerms,
  edgeRecords,
  consentSegmentsTriggers,
  pacingLog,
  journeys,
  transcripts,
  journeyIndexes,
  complianceAudit,
  trunkClosures,
  amdAudits,
  draftRetention,
];
