/** Every migration, in order. */
import type { Migration } from './migration.ts';
import { firstTables } from './migrations/0001-first-tables.ts';

export const MIGRATIONS: readonly Migration[] = [firstTables];
