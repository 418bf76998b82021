/** How well a far end was heard, from the media server's own counts of its RTP. */
import type { FsmrfEndpoint } from './fsmrf.port.ts';

export interface CallQuality {
  /** Audio packets received. */
  readonly packets: number;
  /** Of those that were sent: lost, or too flawed to be used; a fraction. */
  readonly lossRatio: number;
  /** Largest deviation of the arrivals. */
  readonly jitterMs: number;
}

/**
 * Asked just before the channel ends, whose counts go with it; both commands leave at once. Undefined
 * when the channel was gone first, or nothing was received. Never rejects; never settles when the
 * channel's socket ends before the answer, so nobody may wait for it.
 */
export async function askQuality(
  endpoint: Pick<FsmrfEndpoint, 'uuid' | 'api'>,
): Promise<CallQuality | undefined> {
  try {
    const { uuid } = endpoint;
    const [, dump] = await Promise.all([
      endpoint.api('uuid_set_media_stats', uuid),
      endpoint.api('uuid_dump', `${uuid} json`),
    ]);
    return qualityIn(JSON.parse(dump.getBody() ?? '') as Readonly<Record<string, unknown>>);
  } catch {
    return undefined; // "-ERR No such channel!" is no JSON
  }
}

/**
 * FreeSWITCH counts each loss and each late packet as a flaw, and tells the share of what came without
 * one; its jitter is a variance, in ms².
 */
function qualityIn(variables: Readonly<Record<string, unknown>>): CallQuality | undefined {
  const number = (name: string): number => Number(variables[`variable_rtp_audio_in_${name}`]);
  const packets = number('media_packet_count');
  const quality = number('quality_percentage');
  const variance = number('jitter_max_variance');
  if (!(packets > 0) || !Number.isFinite(quality) || !Number.isFinite(variance)) return undefined;
  const lossRatio = Math.min(1, Math.max(0, 1 - quality / 100));
  return { packets, lossRatio, jitterMs: Math.sqrt(Math.max(0, variance)) };
}
