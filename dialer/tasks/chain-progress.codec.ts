/** JSON columns of a task, both ways. What does not read back is a broken invariant, not an input. */
import assert from 'node:assert/strict';
import type { ChainProgress } from './chain-walk.ts';
import type { TaskWindows } from './task-windows.ts';

export function readProgress(json: string): ChainProgress {
  const value = JSON.parse(json) as ChainProgress;
  assert(Number.isInteger(value.loop) && value.loop >= 1, `no progress of a chain: ${json}`);
  return value;
}

export function readWindows(json: string): TaskWindows {
  const value = JSON.parse(json) as TaskWindows;
  assert(Array.isArray(value.request), `no windows of a task: ${json}`);
  return value;
}

export function readContactIds(json: string): readonly string[] {
  const value = JSON.parse(json) as readonly string[];
  assert(value.length > 0, `no contacts of a task: ${json}`);
  return value;
}
