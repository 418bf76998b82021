/** The key by which ready tasks of one engagement are started: smaller first, ties by id. */
import type { CallOrder } from '../engagements/engagement-config.schema.ts';

/** Sorts behind every key that a value can give. Ties by id: first in, first out. */
export const FALLBACK_ORDER_KEY = Number.MAX_VALUE;

export type CustomValueKind = 'number' | 'date';

export interface OrderKeyInput {
  readonly callOrder: CallOrder;
  /** End of the window that governs the next start, epoch ms. */
  readonly windowEndMs: number;
  /** Grows with every task made, also within one millisecond. */
  readonly createdSeq: number;
  /** Value for the custom orders, as given. */
  readonly priorityValue: string | null;
  /** What the custom orders of its engagement sort by; null: no value has had a meaning yet. */
  readonly valueKind: CustomValueKind | null;
}

export interface OrderKey {
  readonly orderKey: number;
  /** A custom order found no usable value: the task goes first in, first out behind the others. */
  readonly isFallback: boolean;
}

export function orderKeyOf(input: OrderKeyInput): OrderKey {
  const { callOrder, windowEndMs, createdSeq } = input;
  switch (callOrder) {
    case 'earliestScheduledDate':
      return { orderKey: windowEndMs, isFallback: false };
    case 'firstInFirstOut':
      return { orderKey: createdSeq, isFallback: false };
    case 'lastInFirstOut':
      return { orderKey: -createdSeq, isFallback: false };
    case 'customAscending':
    case 'customDescending': {
      const custom = customValue(input.priorityValue);
      if (custom === undefined || custom.kind !== input.valueKind) {
        return { orderKey: FALLBACK_ORDER_KEY, isFallback: true };
      }
      const { value } = custom;
      return { orderKey: callOrder === 'customAscending' ? value : 0 - value, isFallback: false };
    }
  }
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const MAGNITUDE_MAX = Number.MAX_SAFE_INTEGER;

export interface CustomValue {
  readonly kind: CustomValueKind;
  readonly value: number;
}

/** A number first, else an ISO 8601 date as epoch ms (without a zone: UTC); else no usable value. */
export function customValue(text: string | null): CustomValue | undefined {
  const trimmed = text?.trim() ?? '';
  if (NUMBER.test(trimmed)) {
    const value = Number(trimmed);
    return Math.abs(value) <= MAGNITUDE_MAX ? { kind: 'number', value } : undefined;
  }
  if (!ISO_DATE.test(trimmed)) return undefined;
  const hasTime = trimmed.includes('T');
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(trimmed.slice(10));
  const value = Date.parse(hasTime && !hasZone ? `${trimmed}Z` : trimmed);
  return Number.isNaN(value) ? undefined : { kind: 'date', value };
}

/** Numbers and dates cannot be compared: the first value with a meaning says which it is. */
export function valueKindOf(texts: Iterable<string | null>): CustomValueKind | null {
  for (const text of texts) {
    const custom = customValue(text);
    if (custom !== undefined) return custom.kind;
  }
  return null;
}
