/** What the parts of a definition have in common: names, durations, dates. */
import { Type } from 'typebox';
import { DURATION_PATTERN } from './duration.ts';
import { INSTANT_PATTERN } from './instant.ts';

export const closed = { additionalProperties: false } as const;

/** The name of an asset, as its owner wrote it. */
export const assetName = (what: string, examples: readonly string[] = []) =>
  Type.String({ minLength: 1, maxLength: 100, description: what, examples });

export const STEP_ID_PATTERN = '^[a-z][A-Za-z0-9_-]{0,63}$';

/** Words that a condition's `from` uses for something else than a step. */
export const RESERVED_STEP_IDS = ['contact', 'entry', 'trigger'] as const;

export const stepId = (what: string) =>
  Type.String({ pattern: STEP_ID_PATTERN, description: what, examples: ['confirmByPhone'] });

export const duration = (what: string, examples: readonly string[] = ['1d12h']) =>
  Type.String({
    format: 'duration-text',
    pattern: DURATION_PATTERN,
    description: `${what} Weeks, days of 24 hours, hours, minutes, seconds.`,
    examples,
  });

export const instant = (what: string, examples: readonly string[] = ['2026-12-24T09:00']) =>
  Type.String({
    format: 'instant-text',
    pattern: INSTANT_PATTERN,
    description: `${what} ISO 8601; without an offset it is meant in the journey’s time zone.`,
    examples,
  });

export const timeZone = (what: string) =>
  Type.String({
    format: 'time-zone',
    description: `${what} An IANA name.`,
    examples: ['Europe/Amsterdam'],
  });
