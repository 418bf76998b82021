/** What a leg counts, in one plain object. */
import { SAMPLES_PER_MS } from './audio-format.ts';
import type { DtmfSender } from './dtmf-sender.ts';
import type { RtcpExchange } from './rtcp-exchange.ts';
import type { RtpReceiver } from './rtp-receiver.ts';
import type { RtpSender } from './rtp-sender.ts';

export interface RtpStats {
  readonly sent: {
    readonly packets: number;
    /** Payload octets, headers not counted. */
    readonly octets: number;
    readonly dtmfEvents: number;
    /** Packets of ours that the far end reports lost (RTCP). */
    readonly lostRemotely: number | undefined;
  };
  readonly received: {
    /** Accepted, without duplicates. */
    readonly packets: number;
    readonly octets: number;
    /** Never came (RFC 3550 A.3), over all SSRCs. */
    readonly lost: number;
    /** Came after their time. */
    readonly late: number;
    readonly duplicate: number;
    readonly reordered: number;
    readonly concealedFrames: number;
    /** Interarrival jitter (RFC 3550 §6.4.1). */
    readonly jitterMs: number;
    readonly ssrcChanges: number;
    /** Packets from another address than the SDP's, or before there was one. */
    readonly fromStranger: number;
    /** Packets while our direction is sendonly or inactive. */
    readonly unwanted: number;
    /** SRTP that failed its authentication or came twice, and RTP where SRTP was agreed. */
    readonly notAuthentic: number;
    readonly malformed: number;
    readonly unknownPayload: number;
    readonly dtmfEvents: number;
  };
  readonly jitterBufferMs: number;
  /** Since the last packet from the far end; since the remote was set, when there was none. */
  readonly idleMs: number;
  readonly roundTripMs: number | undefined;
  readonly socketErrors: number;
}

export function rtpStats(
  sender: RtpSender,
  receiver: RtpReceiver,
  dtmf: DtmfSender,
  rtcp: RtcpExchange,
  session: {
    fromStranger: number;
    unwanted: number;
    notAuthentic: number;
    socketErrors: number;
    idleMs: number;
  },
): RtpStats {
  const { counters, jitter } = receiver;
  return {
    sent: {
      packets: sender.packets,
      octets: sender.octets,
      dtmfEvents: dtmf.eventCount,
      lostRemotely: rtcp.remoteLost,
    },
    received: {
      ...counters,
      lost: receiver.lost,
      late: jitter.counters.late,
      concealedFrames: jitter.counters.concealedFrames,
      jitterMs: jitter.jitterSamples / SAMPLES_PER_MS,
      fromStranger: session.fromStranger,
      unwanted: session.unwanted,
      notAuthentic: session.notAuthentic,
      dtmfEvents: receiver.dtmf.digitCount,
    },
    jitterBufferMs: jitter.levelMs,
    idleMs: session.idleMs,
    roundTripMs: rtcp.roundTripMs,
    socketErrors: session.socketErrors,
  };
}
