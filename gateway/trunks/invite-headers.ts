/** The headers of an INVITE that the switch does not fill in by itself. */
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';

export const ATTEMPT_HEADER = 'X-Ringfence-Attempt';

export type InviteHeaders =
  | { readonly ok: true; readonly headers: Record<string, string> }
  | { readonly ok: false; readonly problem: string };

/** The host `localhost` is replaced by the switch with its own address and port. */
const OUR_HOST = 'localhost';
const CALLER_ID = /^[+]?[0-9A-Za-z._-]{1,64}$/;
/** RFC 3261 §25.1 token; only such as cannot change where the request goes or who it is from. */
const HEADER_NAME = /^(?:X-[A-Za-z0-9-]{1,60}|User-to-User|Subject|Call-Info|Alert-Info|Privacy)$/i;
const HEADER_VALUE = /^[\x20-\x7e]{0,512}$/;
/** RFC 3323 §4.1.1.3: who withholds the number says so in From, for those who read only that. */
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';
const MIN_SE_SECONDS = 90; // RFC 4028 §5

export function inviteHeaders(dial: AttemptDial, trunk: TrunkConfig): InviteHeaders {
  const callerId = dial.callerId === '' ? trunk.callerId : dial.callerId;
  if (!CALLER_ID.test(callerId)) return { ok: false, problem: 'callerId is no user part' };
  const uri = `<sip:${callerId}@${trunk.domain ?? OUR_HOST}>`;
  const named = dial.callerName === undefined ? uri : `${quoted(dial.callerName)} ${uri}`;
  const headers: Record<string, string> = {
    From: trunk.hidesCallerId ? ANONYMOUS : named,
    ...identityOf(named, uri, trunk),
    ...sessionOf(trunk),
    'User-Agent': 'Ringfence',
  };
  for (const [name, value] of Object.entries(dial.headers ?? {})) {
    if (!HEADER_NAME.test(name)) return { ok: false, problem: `header ${name} is not allowed` };
    if (!HEADER_VALUE.test(value)) return { ok: false, problem: `header ${name}: bad value` };
    headers[name] = value;
  }
  if (!trunk.stripAttemptHeaders) {
    headers[ATTEMPT_HEADER] = `${dial.attemptId};fence=${dial.fence}`;
  }
  return { ok: true, headers };
}

/** Which of our numbers it is, for trunks that trust us, whatever From shows (RFC 3325). */
function identityOf(
  named: string,
  uri: string,
  { identityHeaders, hidesCallerId }: TrunkConfig,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of identityHeaders) {
    if (name === 'Remote-Party-ID') {
      const privacy = hidesCallerId ? 'full' : 'off';
      headers[name] = `${named};party=calling;privacy=${privacy};screen=yes`;
    } else headers[name] = uri;
  }
  if (hidesCallerId) headers['Privacy'] = 'id';
  return headers;
}

/** The switch runs the timer that is agreed upon (RFC 4028 §7.1); no refresher: the far end chooses. */
function sessionOf({ sessionSeconds }: TrunkConfig): Record<string, string> {
  if (sessionSeconds === 0) return {};
  return {
    Supported: 'timer',
    'Session-Expires': String(sessionSeconds),
    'Min-SE': String(MIN_SE_SECONDS),
  };
}

/** RFC 3261 §25.1 quoted-string, without what could end the header. */
function quoted(displayName: string): string {
  const safe = displayName
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/["\\]/g, '\\$&')
    .slice(0, 128);
  return `"${safe}"`;
}
