/** Every migration, in order. */
import type { Migration } from './migration.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { httpInterface } from './migrations/0002-http-interface.ts';

export const MIGRATIONS: readonly Migration[] = [firstTables, httpInterface];
