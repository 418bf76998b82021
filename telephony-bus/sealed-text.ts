/**
 * What only one reader may read, closed for everybody who reads Redis: what somebody entered at the dial-in
 * number, and the password hashes of phones (docs/adr/0006-sealed-credentials.md). The reader makes a pair of
 * keys for each text and keeps the private one in its memory: X25519 (RFC 7748), HKDF-SHA-256 (RFC 5869),
 * AES-256-GCM.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { Type, type Static } from 'typebox';

const base64 = (maxLength: number) => Type.String({ pattern: '^[A-Za-z0-9+/=]+$', maxLength });

/** Good for one text, and for a short time. */
export const SealingKey = Type.Object({
  keyId: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  publicKey: base64(128),
});
export type SealingKey = Static<typeof SealingKey>;

export const SealedText = Type.Object({
  keyId: SealingKey.properties.keyId,
  /** Of the sender, made for this text alone. */
  publicKey: base64(128),
  nonce: base64(32),
  /** With its tag of 16 bytes. */
  ciphertext: base64(2_048),
});
export type SealedText = Static<typeof SealedText>;

const CIPHER = 'aes-256-gcm';
const INFO = 'ringfence sealed text 1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Every text fills it: how long a PIN is, or whether there is an account, shows nowhere. */
const PADDED_BYTES = 1_024;
const LENGTH_BYTES = 2;
/** The bus gives up after `commandTimeoutMs`, which is seconds. */
const KEPT_MS = 60_000;
const KEPT_MAX = 1_000;

/** `about` is sent in the clear beside it: the text opens with nothing else. Throws when it is too long. */
export function sealed(text: string, { keyId, publicKey }: SealingKey, about: string): SealedText {
  const own = generateKeyPairSync('x25519');
  const ownPublic = own.publicKey.export({ type: 'spki', format: 'der' });
  const key = keyOf(own.privateKey, Buffer.from(publicKey, 'base64'), [ownPublic, publicKey]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(`${keyId} ${about}`));
  const bytes = [cipher.update(padded(text)), cipher.final(), cipher.getAuthTag()];
  return {
    keyId,
    publicKey: ownPublic.toString('base64'),
    nonce: nonce.toString('base64'),
    ciphertext: Buffer.concat(bytes).toString('base64'),
  };
}

interface Kept {
  readonly privateKey: KeyObject;
  readonly publicKey: string;
  readonly untilMs: number;
}

export class OneTimeKeys {
  readonly #nowMs: () => number;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  make(): SealingKey {
    this.#forgetOld();
    const { publicKey: key, privateKey } = generateKeyPairSync('x25519');
    const keyId = randomUUID();
    const publicKey = key.export({ type: 'spki', format: 'der' }).toString('base64');
    this.#kept.set(keyId, { privateKey, publicKey, untilMs: this.#nowMs() + KEPT_MS });
    return { keyId, publicKey };
  }

  /** Once. Undefined: the key is not one of ours, or was used, or the text is not about that. */
  open(text: SealedText, about: string): string | undefined {
    const kept = this.#kept.get(text.keyId);
    this.#kept.delete(text.keyId);
    if (kept === undefined || kept.untilMs < this.#nowMs()) return undefined;
    try {
      const theirs = Buffer.from(text.publicKey, 'base64');
      const key = keyOf(kept.privateKey, theirs, [theirs, kept.publicKey]);
      const bytes = Buffer.from(text.ciphertext, 'base64');
      const nonce = Buffer.from(text.nonce, 'base64');
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(`${text.keyId} ${about}`));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = [decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()];
      return unpadded(Buffer.concat(plain));
    } catch {
      return undefined; // no key of this kind, or not what was sealed
    }
  }

  #forgetOld(): void {
    const nowMs = this.#nowMs();
    for (const [keyId, { untilMs }] of this.#kept) {
      if (untilMs >= nowMs && this.#kept.size < KEPT_MAX) return;
      this.#kept.delete(keyId);
    }
  }
}

/** Of the sender's pair and the receiver's: both public keys are part of what the key is made of. */
function keyOf(
  privateKey: KeyObject,
  theirs: Buffer,
  [sender, receiver]: readonly [Buffer, string],
): Buffer {
  const publicKey = createPublicKey({ key: theirs, type: 'spki', format: 'der' });
  const secret = diffieHellman({ privateKey, publicKey });
  const salt = Buffer.concat([sender, Buffer.from(receiver, 'base64')]);
  return Buffer.from(hkdfSync('sha256', secret, salt, INFO, 32));
}

function padded(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > PADDED_BYTES - LENGTH_BYTES) throw new RangeError('too long to be sealed');
  const filled = Buffer.alloc(PADDED_BYTES);
  filled.writeUInt16BE(bytes.length);
  bytes.copy(filled, LENGTH_BYTES);
  return filled;
}

function unpadded(bytes: Buffer): string | undefined {
  if (bytes.length !== PADDED_BYTES) return undefined;
  const length = bytes.readUInt16BE();
  if (length > PADDED_BYTES - LENGTH_BYTES) return undefined;
  return bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length).toString('utf8');
}
