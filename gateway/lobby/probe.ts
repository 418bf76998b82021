/** Asking a phone in its dialog whether it is there still (OPTIONS, RFC 5057 §5.1). */
import type { RequestOutcome } from '../sip/sip-link.ts';

/** alive: something answered. gone: nothing did, or it knows no such call. unknown: cannot be asked. */
export type Probe = 'alive' | 'gone' | 'unknown';

type InDialog = (
  method: 'OPTIONS',
  message: { headers: Record<string, string> },
  limitMs: number,
) => Promise<RequestOutcome>;

export async function probeWith(request: InDialog, limitMs: number): Promise<Probe> {
  const outcome = await request('OPTIONS', { headers: {} }, limitMs);
  switch (outcome.kind) {
    case 'response': {
      const { status, source_address: from } = outcome.response;
      // Made up by the stack: nothing answered, or its port is closed.
      if (from === '' && (status === 408 || status === 503)) return 'gone';
      return status === 481 || status === 408 ? 'gone' : 'alive';
    }
    case 'timeout':
      return 'gone';
    case 'refused':
      return outcome.error.code === 'ENODIALOG' ? 'gone' : 'unknown';
    case 'lost':
      return 'unknown';
  }
}
