/** DTMF in a SIP INFO, for trunks without RFC 4733: application/dtmf-relay and application/dtmf. */
import type { ReceivedDigit } from '../media/media-endpoint.ts';
import type { SipRequest } from '../sip/srf.port.ts';

const DEFAULT_DURATION_MS = 250;

export function digitOfInfo(info: Pick<SipRequest, 'get' | 'body'>): ReceivedDigit | undefined {
  const type = (info.get('Content-Type') ?? '').toLowerCase();
  const body = info.body ?? '';
  const relay = type.startsWith('application/dtmf-relay');
  if (!relay && !type.startsWith('application/dtmf')) return undefined;
  const signal = relay ? /^\s*Signal\s*=\s*(\S)/im.exec(body)?.[1] : body.trim();
  const digit = signal?.toUpperCase() ?? '';
  if (!/^[0-9*#A-D]$/.test(digit)) return undefined;
  const duration = relay ? /^\s*Duration\s*=\s*(\d{1,6})/im.exec(body)?.[1] : undefined;
  return { digit, durationMs: Number(duration ?? DEFAULT_DURATION_MS), source: 'info' };
}
