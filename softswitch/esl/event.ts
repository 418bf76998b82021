/**
 * Events of the switch, and the three encodings FreeSWITCH gives them on an event socket. An event
 * is encoded once per format however many sockets want it.
 */

export type EventFormat = 'plain' | 'json' | 'xml';

export interface EslEvent {
  readonly name: string;
  /** Event-Subclass, on CUSTOM events only. */
  readonly subclass?: string;
  /** Insertion order is the order on the wire. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const encodedForms = new WeakMap<EslEvent, Partial<Record<EventFormat, string>>>();

export function encodeEvent(event: EslEvent, format: EventFormat): string {
  let forms = encodedForms.get(event);
  if (forms === undefined) encodedForms.set(event, (forms = {}));
  return (forms[format] ??= ENCODERS[format](event));
}

/** Headers as `name: value` lines; FreeSWITCH writes `_undef_` for a value that is empty. */
export function headerLines(
  headers: Readonly<Record<string, string>>,
  encode: (value: string) => string = urlEncode,
): string {
  let text = '';
  for (const name in headers) text += `${name}: ${encode(headers[name] ?? '') || '_undef_'}\n`;
  return text;
}

const UNSAFE = /[\r\n #%&+:;<=>?@[\\\]^`{|}"]|[^\x20-\x7e]/;

/**
 * FreeSWITCH's URL encoding of header values: its unsafe characters, controls and the UTF-8 bytes of
 * everything beyond ASCII become %XX. A percent sign is always encoded, so that decoding gives back
 * exactly the value (FreeSWITCH leaves one that looks encoded already, and the value changes).
 */
export function urlEncode(value: string): string {
  if (!UNSAFE.test(value)) return value;
  const wellFormed = value.replace(/[\ud800-\udfff]/gu, '\ufffd'); // encodeURI throws on half a pair
  return encodeURI(wellFormed).replace(/[#&+:;=?@]/g, percent);
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

const ENCODERS: Readonly<Record<EventFormat, (event: EslEvent) => string>> = {
  plain: (event) => {
    const lines = headerLines(event.headers);
    if (event.body === undefined) return `${lines}\n`;
    return `${lines}Content-Length: ${Buffer.byteLength(event.body)}\n\n${event.body}`;
  },
  json: (event) =>
    JSON.stringify(
      event.body === undefined
        ? event.headers
        : {
            ...event.headers,
            'Content-Length': String(Buffer.byteLength(event.body)),
            _body: event.body,
          },
    ),
  xml: (event) => {
    let headers = '';
    for (const name in event.headers) {
      headers += `    <${name}>${urlEncode(event.headers[name] ?? '')}</${name}>\n`;
    }
    const body = event.body === undefined ? '' : xmlBody(event.body);
    return `<event>\n  <headers>\n${headers}  </headers>\n${body}</event>\n`;
  },
};

function xmlBody(body: string): string {
  const escaped = body.replace(/[&<>]/g, (char) => XML_ESCAPES[char] ?? char);
  return `  <Content-Length>${Buffer.byteLength(body)}</Content-Length>\n  <body>${escaped}</body>\n`;
}

const XML_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
