/**
 * What a log may show of a value: telephone numbers masked, secrets not at all. Applied to whole log
 * entries, so that nobody has to remember it where something is logged.
 */
import { maskNumber } from './masked-number.ts';

export const REDACTED = '[redacted]';

/** Names under which secrets travel, in our objects and in HTTP and SIP headers. */
const SECRET_KEY =
  /(?:password|secret|token|authorization|api[-_]?key|credential|cookie)(?:hash)?$|^key$/i;

/** Names under which numbers travel that need not look like one: national, short, extensions. */
const NUMBER_KEY = /^(?:destination|callerId|number|numbers|mobile|phone|msisdn|to|from)$/i;

const LONGEST = 8_192;
const DEEPEST = 8;
const ITEMS_MAX = 200;

/** Order matters: a URI's user part is masked as a whole before digits in it are looked at. */
const RULES: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  // user:password@ of a URL
  [
    /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi,
    (_all, before = '') => `${before}${REDACTED}@`,
  ],
  [/\b(bearer|basic|digest)\s+[\w+/=.~-]{8,}/gi, (_all, scheme = '') => `${scheme} ${REDACTED}`],
  [
    /\b(password|secret|token|api[-_]?key)(\s*[=:]\s*"?)[^\s;,"&]+/gi,
    (_all, name = '', sign = '') => `${name}${sign}${REDACTED}`,
  ],
  [
    /\b((?:sips?|tel):)\+?[\d*#().-]{3,}/gi,
    (all, scheme = '') => {
      return `${scheme}${maskNumber(all.slice(scheme.length))}`;
    },
  ],
  [/\+\d(?:[ ().-]{0,2}\d){5,14}(?!\d)/g, (all) => maskNumber(all.replaceAll(/[^+\d]/g, ''))],
  // Without a plus: as long as a number of any country with its code, and no part of an id.
  [/(?<![\w.:+-])\d{9,15}(?![\w:-]|\.\d)/g, (all) => maskNumber(all)],
];

/** A text without its numbers and secrets. */
export function redactText(text: string): string {
  let shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  for (const [pattern, replace] of RULES) shown = shown.replaceAll(pattern, replace);
  return shown;
}

/** A copy of a value as it may be logged: objects and lists to some depth, errors with their cause. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') {
    return typeof value === 'bigint' ? String(value) : value;
  }
  if (depth >= DEEPEST) return '…';
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) {
    return value.slice(0, ITEMS_MAX).map((item) => redact(item, depth + 1));
  }
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof Map) return redact(Object.fromEntries(value), depth);
  if (value instanceof Set) return redact([...value], depth);
  return redactEntries(value, depth);
}

function redactEntries(value: object, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).slice(0, ITEMS_MAX)) {
    shown[redactText(key)] = redactNamed(key, item, depth);
  }
  return shown;
}

function redactNamed(key: string, item: unknown, depth: number): unknown {
  if (item === null || item === undefined || item === '') return item;
  if (SECRET_KEY.test(key) && typeof item !== 'boolean') return REDACTED;
  if (NUMBER_KEY.test(key)) {
    if (typeof item === 'string' && /^[+\d*#]/.test(item)) return maskNumber(item);
    if (typeof item === 'number') return maskNumber(String(item));
  }
  return redact(item, depth + 1);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: redactText(message),
    stack: redactText(stack ?? ''),
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
    // `code`, `context` and the like of our own errors.
    ...redactEntries(error, depth),
  };
}
