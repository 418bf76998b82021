/**
 * Header field names: RFC 3261 §7.3.1 makes them case-insensitive, §7.3.3 gives some a compact form.
 * Known names are stored in one canonical spelling so that a look-up is a string comparison.
 */
const COMPACT_FORMS: Readonly<Record<string, string>> = {
  a: 'Accept-Contact', // RFC 3841
  b: 'Referred-By', // RFC 3892
  c: 'Content-Type',
  d: 'Request-Disposition', // RFC 3841
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact', // RFC 3841
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info', // RFC 4474
  o: 'Event', // RFC 6665
  r: 'Refer-To', // RFC 3515
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events', // RFC 6665
  v: 'Via',
  x: 'Session-Expires', // RFC 4028
  y: 'Identity', // RFC 8224
};

const KNOWN_NAMES = [
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Alert-Info', 'Allow'],
  ...['Authentication-Info', 'Authorization', 'Call-Info', 'Content-Disposition'],
  ...['Content-Language', 'CSeq', 'Date', 'Diversion', 'Error-Info', 'Expires', 'Geolocation'],
  ...['History-Info', 'In-Reply-To', 'Info-Package', 'Max-Forwards', 'MIME-Version', 'Min-Expires'],
  ...['Min-SE', 'Organization', 'P-Asserted-Identity', 'P-Charging-Vector', 'P-Early-Media'],
  ...['P-Preferred-Identity', 'Path', 'Priority', 'Privacy', 'Proxy-Authenticate'],
  ...['Proxy-Authorization', 'Proxy-Require', 'RAck', 'Reason', 'Record-Route', 'Recv-Info'],
  ...['Remote-Party-ID', 'Replaces', 'Reply-To', 'Require', 'Resource-Priority', 'Retry-After'],
  ...['Route', 'RSeq', 'Server', 'Service-Route', 'SIP-ETag', 'SIP-If-Match'],
  ...['Subscription-State', 'Timestamp', 'Unsupported', 'User-Agent', 'User-to-User'],
  ...['Warning', 'WWW-Authenticate'],
  ...Object.values(COMPACT_FORMS),
];

const CANONICAL_BY_LOWER_CASE = new Map<string, string>([
  ...KNOWN_NAMES.map((name): [string, string] => [name.toLowerCase(), name]),
  ...Object.entries(COMPACT_FORMS),
]);

// Spellings as they come off the wire; saves the lower-casing of nearly every header field.
const CANONICAL_BY_SPELLING = new Map<string, string>([
  ...KNOWN_NAMES.map((name): [string, string] => [name, name]),
  ...CANONICAL_BY_LOWER_CASE,
  ...Object.entries(COMPACT_FORMS).map(([compact, name]): [string, string] => [
    compact.toUpperCase(),
    name,
  ]),
]);

/** The canonical long name; a name we do not know is kept as it was spelt. */
export function canonicalHeaderName(name: string): string {
  return CANONICAL_BY_SPELLING.get(name) ?? CANONICAL_BY_LOWER_CASE.get(name.toLowerCase()) ?? name;
}

/** The canonical name of a usual spelling; undefined for any other, legal or not. */
export function knownSpelling(name: string): string | undefined {
  return CANONICAL_BY_SPELLING.get(name);
}

/** Whether the canonical spelling of that name is ours rather than the sender's. */
export function isKnownHeaderName(canonicalName: string): boolean {
  return CANONICAL_BY_SPELLING.get(canonicalName) === canonicalName;
}

/**
 * Header fields whose grammar is a comma-separated list (RFC 3261 §7.3.1 and §25.1), where two
 * values on one line mean the same as two lines. Credentials and challenges contain commas of
 * their own and are not among them.
 */
const COMMA_LISTS = new Set([
  ...['Accept', 'Accept-Contact', 'Accept-Encoding', 'Accept-Language', 'Alert-Info', 'Allow'],
  ...['Allow-Events', 'Call-Info', 'Contact', 'Content-Encoding', 'Content-Language'],
  ...['Diversion', 'Error-Info', 'Geolocation', 'History-Info', 'In-Reply-To'],
  ...['P-Asserted-Identity', 'P-Preferred-Identity', 'Path', 'Proxy-Require', 'Reason'],
  ...['Record-Route', 'Recv-Info', 'Reject-Contact', 'Remote-Party-ID', 'Require'],
  ...['Resource-Priority', 'Route', 'Service-Route', 'Supported', 'Unsupported', 'Via', 'Warning'],
]);

/** `name` is canonical. */
export function isCommaList(name: string): boolean {
  return COMMA_LISTS.has(name);
}
