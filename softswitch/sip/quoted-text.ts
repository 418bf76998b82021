/** Scanning of header values that may hold quoted strings, <URIs> and comments (RFC 3261 §25.1). */

const QUOTE = 34;
const BACKSLASH = 92;
const LESS_THAN = 60;
const GREATER_THAN = 62;

/**
 * Index of the first `stop` (one character) outside quotes and angle brackets, at or after `from`;
 * -1 when there is none. An unbalanced quote runs to the end, as a tolerant reader must assume.
 */
export function indexOutsideQuotes(text: string, stop: string, from = 0): number {
  const first = text.indexOf(stop, from);
  if (first < 0) return -1;
  const stopCode = stop.charCodeAt(0);
  let inQuotes = false;
  let inBrackets = false;
  for (let index = from; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inQuotes) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inQuotes = false;
    } else if (code === stopCode && !inBrackets) return index;
    else if (code === QUOTE) inQuotes = true;
    else if (code === LESS_THAN) inBrackets = true;
    else if (code === GREATER_THAN) inBrackets = false;
  }
  return -1;
}

/** Splits at commas outside quotes and angle brackets; empty elements are dropped. */
export function splitCommaList(value: string): string[] {
  const elements: string[] = [];
  for (let start = 0; start <= value.length;) {
    const comma = indexOutsideQuotes(value, ',', start);
    const element = value.slice(start, comma < 0 ? value.length : comma).trim();
    if (element !== '') elements.push(element);
    if (comma < 0) break;
    start = comma + 1;
  }
  return elements;
}

/** The text inside a quoted-string, escapes resolved; any other text as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}

export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `;name=value;flag` into a map with lower-case names; a flag has the value undefined. */
export function parseParams(text: string): Map<string, string | undefined> {
  const params = new Map<string, string | undefined>();
  for (let start = text.indexOf(';'); start >= 0;) {
    const next = indexOutsideQuotes(text, ';', start + 1);
    const param = text.slice(start + 1, next < 0 ? text.length : next).trim();
    const equals = param.indexOf('=');
    if (equals >= 0) {
      params.set(
        param.slice(0, equals).trim().toLowerCase(),
        unquote(param.slice(equals + 1).trim()),
      );
    } else if (param !== '') params.set(param.toLowerCase(), undefined);
    start = next;
  }
  return params;
}

const TOKEN = /^[A-Za-z0-9.!%*_+`'~-]+$/;
const PLAIN_PARAM_VALUE = /^[A-Za-z0-9.!%*_+`'~:[\]-]+$/; // token or host

/** Writes params as parseParams reads them; a value that is no token or host is quoted. */
export function formatParams(params: ReadonlyMap<string, string | undefined>): string {
  let text = '';
  for (const [name, value] of params) {
    if (value === undefined) text += `;${name}`;
    else text += `;${name}=${PLAIN_PARAM_VALUE.test(value) ? value : quote(value)}`;
  }
  return text;
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
