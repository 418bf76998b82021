/** SDP of one audio stream: reading (RFC 8866). */
import type { MediaDirection } from './rtp-session.ts';

export interface SdpFormat {
  readonly payloadType: number;
  /** Upper case: PCMU, PCMA, TELEPHONE-EVENT. Static types are named without an rtpmap. */
  readonly encoding: string;
  readonly clockRateHz: number;
  readonly fmtp?: string;
}

export interface SdpMedia {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** The m-line's formats as written, for echoing a rejected stream. */
  readonly formatList: readonly string[];
  readonly formats: readonly SdpFormat[];
  readonly address: string | undefined;
  readonly rtcpPort?: number;
  readonly ptimeMs?: number;
  readonly direction: MediaDirection;
}

export interface SdpSession {
  readonly origin: { user: string; sessionId: string; version: string; address: string };
  readonly sessionName: string;
  readonly media: readonly SdpMedia[];
}

/** Throws `INVALID_SDP` with the line at fault. */
export function parseSdp(text: string): SdpSession {
  throw new Error(text);
}
