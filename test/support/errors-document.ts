/** docs/errors.md from the table itself, so that the document cannot disagree with the code. */
import { PROBLEMS, problemType } from '../../dialer/http/problem-details.ts';

export const ERRORS_DOCUMENT = new URL('../../docs/errors.md', import.meta.url);

/** What whoever gets one can do, or has to know. */
const REMEDIES: Readonly<Record<keyof typeof PROBLEMS, string>> = {
  REQUEST_INVALID: '`errors` names every place: a JSON pointer into the body, or a parameter',
  BODY_UNREADABLE: 'send JSON, UTF-8, as long as its `Content-Length` says',
  PHONE_MISSING: 'give a number of a kind that the engagement dials',
  PHONE_INVALID: 'write E.164 with plus, or give the country of the contact',
  TIME_ZONE_INVALID: 'give an IANA name, such as `America/New_York`',
  WINDOW_INVALID: 'swap its ends',
  ATTRIBUTES_INVALID: 'AI agents: an object of texts ([ai-agents.md](ai-agents.md))',
  ATTRIBUTE_TOO_LONG: 'a value has up to 4,000 characters, a name 850',
  ATTRIBUTES_TOO_MANY: 'up to 100 of them',
  KEY_UNAUTHORIZED: 'send `Authorization: Bearer` with a key that is not revoked and has a role',
  AI_SESSION_UNAUTHORIZED: 'AI agents: use the token of this call',
  KEY_FORBIDDEN: 'use a key of a higher role',
  ROUTE_NOT_FOUND: 'see `/docs` for what there is',
  NOT_FOUND: 'it does not exist in the business unit of the key',
  METHOD_NOT_ALLOWED: '`Allow` names the methods',
  NOT_ACCEPTABLE: 'let `Accept` take what there is',
  ENGAGEMENT_INACTIVE: 'use another engagement: this one is not worked',
  INTAKE_NOT_ALLOWED: 'tasks by request where `intake` is `api`, files where it is `file`',
  NOT_CHANGEABLE: 'make another one',
  IN_USE: 'see `usedBy`: publish versions that do without it, or stop them; or make another one',
  NOT_PACED: 'ask for progressive and predictive engagements only',
  NOTHING_PENDING: 'nothing: its list is done; give it tasks first',
  NO_REPRESENTATIVES: 'put somebody into its queue with its skills, or say `representatives`',
  TASK_FINAL: 'nothing: it is over',
  JOURNEY_NOT_READY: 'correct every place under `errors`: all of them are there',
  JOURNEY_STATE: '`detail` says in which, and what can be done instead',
  JOURNEYS_OFF: 'set `journeys.enabled`; people inside go on from where they are',
  LAST_ADMIN_KEY: 'make another admin key first',
  AI_SESSION_ENDED: 'AI agents: results are taken until 10 s after the end of the call',
  VERSION_CONFLICT: 'read it again, and make the change on what it is now',
  BODY_TOO_LARGE: 'a body has up to 1 MiB',
  FILE_TOO_LARGE: 'a file has up to 10 MB: send it in parts',
  MEDIA_TYPE_UNSUPPORTED: '`application/json`; a file is `text/csv`',
  FILE_NOT_CSV: 'save it as CSV UTF-8, with a name that ends in `.csv`',
  IDEMPOTENCY_KEY_REUSED: 'take a new key for another request',
  PRECONDITION_REQUIRED: 'send `If-Match` with the `ETag` of what was read',
  TOO_MANY_REQUESTS: 'wait for as long as `Retry-After` says',
  TOO_MANY_FORECASTS: 'ask again in a moment',
  TOO_MANY_STREAMS: 'close one first',
  INTERNAL: 'a fault of ours: the log of the service has it',
  STORE_UNAVAILABLE: 'ask again; `/health/ready` tells more',
  FORECAST_TIMEOUT: 'ask for fewer `runs`',
  STARTING: 'ask again: the service starts or stops',
};

export function errorsDocument(): string {
  const rows = Object.entries(PROBLEMS).map(([name, [status, title]]) => {
    const code = name as keyof typeof PROBLEMS;
    return `| ${status} | \`${code}\` | ${title} | ${REMEDIES[code]} |`;
  });
  return `# Errors over HTTP

Generated from \`dialer/http/problem-details.ts\` by \`npm run docs\`; a test fails when this file is
stale, and another provokes every code.

Each is an RFC 9457 problem, \`application/problem+json\`: \`type\` (\`${problemType('NOT_FOUND')}\`),
\`title\`, \`status\`, \`code\`, and mostly \`detail\` about this occurrence. Programs decide by \`code\`;
\`title\` and \`detail\` are for people. A 5xx tells nothing of the inside. No phone number is repeated.

| Status | Code | Title | What to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
