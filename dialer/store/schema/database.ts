/**
 * The tables as Kysely sees them, one interface a table. Ids are UUIDv7 text, times epoch ms,
 * booleans 0 or 1, JSON text that no hot query looks into, rates real. The SQL that makes them is in
 * migrations/; a conformance test compares the two on both databases.
 */
import type { AccessTables } from './access-tables.ts';
import type { AuditTables } from './audit-tables.ts';
import type { ConsentTables } from './consent-tables.ts';
import type { ContactTables } from './contact-tables.ts';
import type { EdgeTables } from './edge-tables.ts';
import type { EngagementTables } from './engagement-tables.ts';
import type { JourneyTables } from './journey-tables.ts';
import type { LogTables } from './log-tables.ts';
import type { PacingTables } from './pacing-tables.ts';
import type { RepresentativeTables } from './representative-tables.ts';
import type { SegmentTables } from './segment-tables.ts';
import type { TaskTables } from './task-tables.ts';

export type Database = ContactTables &
  EngagementTables &
  TaskTables &
  LogTables &
  AccessTables &
  RepresentativeTables &
  EdgeTables &
  PacingTables &
  ConsentTables &
  SegmentTables &
  JourneyTables &
  AuditTables;
