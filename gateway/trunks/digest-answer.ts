/** Digest credentials of a trunk, in the form srf asks for them. srf answers one challenge, by MD5. */
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { DigestAnswer } from '../sip/srf.port.ts';

/** Undefined for a trunk without credentials: its challenge is then the final response. */
export function digestAnswer(trunk: TrunkConfig): DigestAnswer | undefined {
  const { username, password, authRealm } = trunk;
  if (username === undefined || password === undefined) return undefined;
  return (_request, challenge, done) => {
    const header = challenge.status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const realm = /realm\s*=\s*"([^"]*)"/i.exec(challenge.get(header) ?? '')?.[1];
    // Credentials go to nobody but the realm they belong to (RFC 3261 §22.3).
    if (authRealm !== undefined && realm !== authRealm) done(new Error('another realm'));
    else done(null, username, password);
  };
}
