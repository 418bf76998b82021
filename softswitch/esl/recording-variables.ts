/** `{name=value,name=value}`: variables for one recording, URL-encoded as FreeSWITCH takes them. */

const VARIABLES_MAX = 64;

/** Names in lower case, since FreeSWITCH compares them so. Anything else than a pair is passed over. */
export function recordingVariables(text: string | undefined): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const inner = /^\{([^}]*)\}/.exec(decoded(text ?? '').trim())?.[1] ?? '';
  for (const pair of inner.split(',').slice(0, VARIABLES_MAX)) {
    const equals = pair.indexOf('=');
    if (equals > 0) {
      variables.set(pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim());
    }
  }
  return variables;
}

/** FreeSWITCH leaves a percent sign that begins no escape as it is. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
