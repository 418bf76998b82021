/** RTCP sender and receiver reports with SDES and BYE (RFC 3550 §6), written and read. */
import { putUint32, uint16At, uint32At } from './rtp-packet.ts';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const CNAME_ITEM = 1;
const REPORT_BLOCK_BYTES = 24;
/** Seconds from the NTP era (1900) to the Unix epoch. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;
const CUMULATIVE_LOST_MAX = 0x7fffff;

export interface SenderInfo {
  /** Wall clock, epoch ms, and the RTP time of the same instant. */
  readonly atMs: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

export interface ReceptionReport {
  readonly ssrc: number;
  /** Of 256. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly extendedHighest: number;
  readonly jitterSamples: number;
  /** Middle 32 bits of the last sender report's NTP time; 0 = none was received. */
  readonly lastSenderReport: number;
  /** Time since that report, in 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export interface RtcpReport {
  readonly ssrc: number;
  readonly cname: string;
  /** Present when we have sent RTP since the last report: the packet is then an SR, else an RR. */
  readonly sender: SenderInfo | undefined;
  readonly reception: ReceptionReport | undefined;
  readonly bye: boolean;
}

/** A compound packet: SR or RR, SDES with the CNAME, and BYE when leaving (§6.1). */
export function writeRtcpReport(report: RtcpReport): Buffer {
  const parts = [reportPacket(report), cnamePacket(report.ssrc, report.cname)];
  if (report.bye) {
    const bye = Buffer.alloc(8);
    writeRtcpHeader(bye, 1, BYE);
    putUint32(bye, 4, report.ssrc);
    parts.push(bye);
  }
  return Buffer.concat(parts);
}

function reportPacket({ ssrc, sender, reception }: RtcpReport): Buffer {
  const head = sender === undefined ? 8 : 28;
  const packet = Buffer.alloc(head + (reception === undefined ? 0 : REPORT_BLOCK_BYTES));
  writeRtcpHeader(
    packet,
    reception === undefined ? 0 : 1,
    sender === undefined ? RECEIVER_REPORT : SENDER_REPORT,
  );
  putUint32(packet, 4, ssrc);
  if (sender !== undefined) {
    putUint32(packet, 8, Math.floor(sender.atMs / 1_000) + NTP_EPOCH_OFFSET_S);
    putUint32(packet, 12, Math.floor(((sender.atMs % 1_000) / 1_000) * 2 ** 32));
    putUint32(packet, 16, sender.rtpTimestamp);
    putUint32(packet, 20, sender.packets);
    putUint32(packet, 24, sender.octets);
  }
  if (reception !== undefined) {
    putUint32(packet, head, reception.ssrc);
    const lost = Math.min(reception.lost, CUMULATIVE_LOST_MAX);
    putUint32(packet, head + 4, (reception.fractionLost << 24) | lost);
    putUint32(packet, head + 8, reception.extendedHighest);
    putUint32(packet, head + 12, Math.round(reception.jitterSamples));
    putUint32(packet, head + 16, reception.lastSenderReport);
    putUint32(packet, head + 20, reception.delaySinceLastSenderReport);
  }
  return packet;
}

function cnamePacket(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  // The item list ends with at least one zero octet and is padded to 32 bits (§6.5).
  const packet = Buffer.alloc(Math.ceil((8 + 2 + name.length + 1) / 4) * 4);
  writeRtcpHeader(packet, 1, SOURCE_DESCRIPTION);
  putUint32(packet, 4, ssrc);
  packet[8] = CNAME_ITEM;
  packet[9] = name.length;
  name.copy(packet, 10);
  return packet;
}

function writeRtcpHeader(packet: Buffer, count: number, packetType: number): void {
  packet[0] = 0x80 | count;
  packet[1] = packetType;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
}

/** What a compound packet from the far end tells. */
export interface RtcpReading {
  ssrc: number;
  /** Middle 32 bits of its NTP time, to be echoed; undefined when there is no sender report. */
  senderReport: number | undefined;
  /** The block about `ownSsrc`, when there is one. */
  about: ReceptionReport | undefined;
  bye: boolean;
}

/** Reads a compound packet; undefined when it breaks the rules of RFC 3550 A.2. */
export function readRtcpPacket(bytes: Uint8Array, ownSsrc: number): RtcpReading | undefined {
  const reading: RtcpReading = { ssrc: 0, senderReport: undefined, about: undefined, bye: false };
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 8 > bytes.length || (bytes[offset] as number) >> 6 !== 2) return undefined;
    const packetType = bytes[offset + 1] as number;
    const end = offset + (uint16At(bytes, offset + 2) + 1) * 4;
    if (end > bytes.length) return undefined;
    if (offset === 0 && packetType !== SENDER_REPORT && packetType !== RECEIVER_REPORT) {
      return undefined;
    }
    if (packetType === SENDER_REPORT || packetType === RECEIVER_REPORT) {
      if (!readReport(bytes, offset, end, ownSsrc, reading)) return undefined;
    } else if (packetType === BYE) reading.bye = true;
    offset = end;
  }
  return offset === 0 ? undefined : reading;
}

function readReport(
  bytes: Uint8Array,
  offset: number,
  end: number,
  ownSsrc: number,
  into: RtcpReading,
): boolean {
  const count = (bytes[offset] as number) & 0x1f;
  const isSenderReport = bytes[offset + 1] === SENDER_REPORT;
  let at = offset + (isSenderReport ? 28 : 8);
  if (at + count * REPORT_BLOCK_BYTES > end) return false;
  into.ssrc = uint32At(bytes, offset + 4);
  if (isSenderReport) {
    into.senderReport = ((uint16At(bytes, offset + 10) << 16) | uint16At(bytes, offset + 12)) >>> 0;
  }
  for (let block = 0; block < count; block += 1, at += REPORT_BLOCK_BYTES) {
    if (uint32At(bytes, at) !== ownSsrc) continue;
    const loss = uint32At(bytes, at + 4);
    into.about = {
      ssrc: ownSsrc,
      fractionLost: loss >>> 24,
      lost: (loss << 8) >> 8, // 24 bits, signed
      extendedHighest: uint32At(bytes, at + 8),
      jitterSamples: uint32At(bytes, at + 12),
      lastSenderReport: uint32At(bytes, at + 16),
      delaySinceLastSenderReport: uint32At(bytes, at + 20),
    };
  }
  return true;
}

/** The middle 32 bits of an NTP timestamp: 16 of seconds, 16 of fraction (§4). */
export function middleNtp(atMs: number): number {
  const seconds = Math.floor(atMs / 1_000) + NTP_EPOCH_OFFSET_S;
  const fraction = Math.floor(((atMs % 1_000) / 1_000) * 65_536);
  return (((seconds & 0xffff) << 16) | fraction) >>> 0;
}
