import {
  formatParams,
  indexOutsideQuotes,
  isToken,
  parseParams,
  quote,
  unquote,
} from './quoted-text.ts';

/** Value of From, To, Contact, Route, Record-Route and their kin (RFC 3261 §20.10, §25.1). */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName: string | undefined;
  readonly uri: string;
  /** Header parameters (tag, expires, q ...), not those of the URI. */
  readonly params: ReadonlyMap<string, string | undefined>;
}

/** One value, not a list. Undefined when it cannot be read: unbalanced quote or bracket, empty URI. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim();
  const open = indexOutsideQuotes(text, '<');
  if (open < 0) return parseAddrSpec(text);
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const name = text.slice(0, open).trim();
  if (name.includes('"') && !/^"(?:[^"\\]|\\.)*"$/s.test(name)) return undefined;
  const uri = text.slice(open + 1, close).trim();
  const rest = text.slice(close + 1).trim();
  if (!isPlausibleUri(uri) || (rest !== '' && !rest.startsWith(';'))) return undefined;
  return {
    displayName: name === '' ? undefined : unquote(name),
    uri,
    params: parseParams(rest),
  };
}

const USUAL_FORM = /^[^"<>;,]*<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+>(?:;[^"<>]*)?$/;

/** Whether `parseNameAddr` could read it; quick for the usual form. */
export function isNameAddr(value: string): boolean {
  return USUAL_FORM.test(value) || parseNameAddr(value) !== undefined;
}

/** Without brackets every parameter is the header's, and '?' is not allowed (§20.10). */
function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(';');
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  if (!isPlausibleUri(uri) || uri.includes('?') || uri.includes(',')) return undefined;
  const params = parseParams(semicolon < 0 ? '' : text.slice(semicolon));
  return { displayName: undefined, uri, params };
}

const ANY_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/;

function isPlausibleUri(uri: string): boolean {
  return ANY_URI.test(uri);
}

export function formatNameAddr(
  uri: string,
  options: { displayName?: string; params?: ReadonlyMap<string, string | undefined> } = {},
): string {
  const { displayName, params } = options;
  const suffix = params === undefined ? '' : formatParams(params);
  if (displayName === undefined || displayName === '') return `<${uri}>${suffix}`;
  const isPlain = displayName.split(' ').every((word) => isToken(word));
  return `${isPlain ? displayName : quote(displayName)} <${uri}>${suffix}`;
}

const TAG = /;\s*tag\s*=\s*([^\s;,"<>]+)/i;

/** The tag parameter of a From or To value; cheaper than parsing the whole of it. */
export function tagOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const close = value.lastIndexOf('>'); // without brackets, parameters are the header's
  return TAG.exec(close < 0 ? value : value.slice(close))?.[1];
}

export function withTag(value: string, tag: string): string {
  return tagOf(value) === undefined ? `${value};tag=${tag}` : value;
}

/** From or To without its header parameters, ready to get a tag. */
export function withoutParams(value: string): string {
  const close = value.lastIndexOf('>');
  if (close >= 0) return value.slice(0, close + 1);
  const semicolon = value.indexOf(';');
  return semicolon < 0 ? value : value.slice(0, semicolon);
}
