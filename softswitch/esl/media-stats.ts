/** RTP counters under the variable names of `uuid_set_media_stats`. */
import type { RtpStats } from '../media/rtp-stats.ts';

export function mediaStatsVariables({ sent, received }: RtpStats): [name: string, value: string][] {
  const variance = received.jitterMs * received.jitterMs;
  const quality =
    received.packets === 0 ? 100 : lossFreeShare(received.packets, received.lost) * 100;
  const values: Record<string, number> = {
    in_raw_bytes: received.octets,
    in_media_bytes: received.octets,
    in_packet_count: received.packets,
    in_media_packet_count: received.packets,
    in_skip_packet_count: received.lost,
    in_jitter_packet_count: received.reordered,
    in_dtmf_packet_count: received.dtmfEvents,
    in_flush_packet_count: received.late,
    in_jitter_max_variance: variance,
    in_quality_percentage: quality,
    out_raw_bytes: sent.octets,
    out_media_bytes: sent.octets,
    out_packet_count: sent.packets,
    out_media_packet_count: sent.packets,
    out_dtmf_packet_count: sent.dtmfEvents,
  };
  return Object.entries(values).map(([name, value]) => [
    `rtp_audio_${name}`,
    Number.isInteger(value) ? String(value) : value.toFixed(2),
  ]);
}

function lossFreeShare(received: number, lost: number): number {
  return received / (received + lost);
}
