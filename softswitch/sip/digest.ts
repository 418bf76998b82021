/** Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): MD5 and SHA-256, qop=auth. */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

export interface DigestCredentials {
  username: string;
  password: string;
  /** Answer only challenges of this realm. */
  realm?: string;
}

/** How a UAS demands credentials. */
export interface DigestChallenge {
  realm: string;
  /** Password of a user, or undefined when there is no such user. */
  passwordOf(username: string): string | undefined;
  /** One challenge header per algorithm, in this order. Default MD5. */
  algorithms?: readonly DigestAlgorithm[];
  /** Default true; false gives the RFC 2069 form without qop. */
  qop?: boolean;
  /** 401 (default, WWW-Authenticate) or 407 (Proxy-Authenticate). */
  statusCode?: 401 | 407;
  /** A nonce older than this is answered stale=true. Default 300 000. */
  nonceLifeMs?: number;
}
