/**
 * The Reason header (RFC 3326): why a request was rejected or a dialog ended, in the words of
 * another protocol. A response may carry Q.850 causes (RFC 6432), several values of one protocol
 * (RFC 9366), in one header or in many, and gateways write it with every degree of care.
 */

export interface ReasonValue {
  /** `SIP`, `Q.850` or a token as received: these two are brought to the case shown here. */
  readonly protocol: string;
  /** Decimal `cause` parameter; null when absent or not a number. */
  readonly cause: number | null;
  /** `text` parameter, unquoted; null when absent. */
  readonly text: string | null;
  /** All other parameters, names in lower case, values unquoted; '' for a flag. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Reads the values of one or more Reason headers, in order. Never throws: what has no protocol
 * token is left out, and of a repeated parameter the first counts. Cost: one pass, O(length).
 */
export function parseReasonHeaders(headers: readonly string[]): ReasonValue[] {
  return headers
    .flatMap((header) => splitOutsideQuotes(header, ','))
    .map(parseReasonValue)
    .filter((value) => value !== undefined);
}

/** The Q.850 causes among them, in order; a cause outside 0..127 is no cause and is left out. */
export function q850CausesOf(
  values: readonly ReasonValue[],
): { cause: number; text: string | null }[] {
  return values.flatMap(({ protocol, cause, text }) =>
    protocol === 'Q.850' && cause !== null && cause <= 127 ? [{ cause, text }] : [],
  );
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/; // RFC 3261 §25.1

function parseReasonValue(value: string): ReasonValue | undefined {
  const [first = '', ...rest] = splitOutsideQuotes(value, ';');
  const protocol = first.trim();
  if (!TOKEN.test(protocol)) return undefined;
  const params = new Map<string, string>();
  for (const param of rest) {
    const equals = param.indexOf('=');
    const name = (equals < 0 ? param : param.slice(0, equals)).trim().toLowerCase();
    if (!TOKEN.test(name) || params.has(name)) continue;
    params.set(name, equals < 0 ? '' : unquoted(param.slice(equals + 1).trim()));
  }
  const cause = params.get('cause') ?? '';
  const text = params.get('text') ?? null;
  params.delete('cause');
  params.delete('text');
  return {
    protocol: canonicalProtocol(protocol),
    cause: /^\d{1,9}$/.test(cause) ? Number(cause) : null,
    text,
    params: Object.fromEntries(params),
  };
}

function canonicalProtocol(protocol: string): string {
  const upper = protocol.toUpperCase();
  if (upper === 'SIP') return 'SIP';
  return upper === 'Q.850' || upper === 'Q850' ? 'Q.850' : protocol;
}

/** A quoted string that is never closed runs to the end of the header. */
function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  const inner = value.length > 1 && value.endsWith('"') ? value.slice(1, -1) : value.slice(1);
  return inner.replace(/\\(.)/g, '$1');
}
