import { headerOf, type SipMessage } from './message.ts';

const SDP_TYPE = /^application\/sdp\b/i;

/** The message's SDP; a body without a type counts when it looks like one. */
export function sdpOf(message: SipMessage): string | undefined {
  if (message.body.length === 0) return undefined;
  const type = headerOf(message, 'Content-Type');
  const text = message.body.toString('utf8');
  if (type === undefined) return text.startsWith('v=0') ? text : undefined;
  return SDP_TYPE.test(type) ? text : undefined;
}

/** Whether a body is one this user agent has no use for: 415 (RFC 3261 §8.2.3). */
export function hasForeignBody(message: SipMessage): boolean {
  if (message.body.length === 0) return false;
  const encoding = headerOf(message, 'Content-Encoding')?.toLowerCase() ?? 'identity';
  const isOptional = /handling\s*=\s*optional/i.test(
    headerOf(message, 'Content-Disposition') ?? '',
  );
  return !isOptional && (encoding !== 'identity' || sdpOf(message) === undefined);
}
