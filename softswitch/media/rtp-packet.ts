/** RTP packets (RFC 3550 §5.1), read and written in place: nothing is allocated per packet. */
export const RTP_HEADER_BYTES = 12;
const RTP_VERSION = 2;

/** Fields of the packet read last. One per receiver, filled again by every `readRtpPacket`. */
export interface RtpFields {
  marker: boolean;
  payloadType: number;
  sequence: number;
  /** Unsigned 32 bits. */
  timestamp: number;
  /** Unsigned 32 bits. */
  ssrc: number;
  payloadOffset: number;
  payloadLength: number;
}

export function emptyRtpFields(): RtpFields {
  return {
    marker: false,
    payloadType: 0,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadOffset: 0,
    payloadLength: 0,
  };
}

/**
 * Reads the header into `fields`; false when the datagram cannot be RTP: too short for its CSRC
 * list, header extension or padding, another version, or RTCP that came to the wrong port (packet
 * types 200-204 look like marker + payload type 72-76, RFC 5761 §4).
 */
export function readRtpPacket(bytes: Uint8Array, fields: RtpFields): boolean {
  if (bytes.length < RTP_HEADER_BYTES) return false;
  const first = bytes[0] as number;
  if (first >> 6 !== RTP_VERSION) return false;
  const second = bytes[1] as number;
  const payloadType = second & 0x7f;
  if (payloadType >= 72 && payloadType <= 76) return false;

  let offset = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (offset + 4 > bytes.length) return false;
    offset += 4 + uint16At(bytes, offset + 2) * 4;
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const padding = bytes[end - 1] as number;
    if (padding === 0) return false;
    end -= padding;
  }
  if (offset > end) return false;

  fields.marker = (second & 0x80) !== 0;
  fields.payloadType = payloadType;
  fields.sequence = uint16At(bytes, 2);
  fields.timestamp = uint32At(bytes, 4);
  fields.ssrc = uint32At(bytes, 8);
  fields.payloadOffset = offset;
  fields.payloadLength = end - offset;
  return true;
}

/** Writes the 12 bytes of a header without CSRC, extension or padding. */
export function writeRtpHeader(
  bytes: Uint8Array,
  marker: boolean,
  payloadType: number,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  bytes[0] = RTP_VERSION << 6;
  bytes[1] = (marker ? 0x80 : 0) | payloadType;
  bytes[2] = (sequence >> 8) & 0xff;
  bytes[3] = sequence & 0xff;
  putUint32(bytes, 4, timestamp);
  putUint32(bytes, 8, ssrc);
}

export function uint16At(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
}

export function uint32At(bytes: Uint8Array, offset: number): number {
  return ((uint16At(bytes, offset) << 16) | uint16At(bytes, offset + 2)) >>> 0;
}

export function putUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = (value >>> 24) & 0xff;
  bytes[offset + 1] = (value >>> 16) & 0xff;
  bytes[offset + 2] = (value >>> 8) & 0xff;
  bytes[offset + 3] = value & 0xff;
}
