/** When reports are sent, and what is learnt from those received (RFC 3550 §6.2, §6.4). */
import { randomBytes } from 'node:crypto';
import { SAMPLES_PER_MS } from './audio-format.ts';
import { middleNtp, readRtcpPacket, writeRtcpReport } from './rtcp-report.ts';
import type { RtpReceiver } from './rtp-receiver.ts';
import type { RtpSender } from './rtp-sender.ts';

/** Tmin. Two parties never come near 5 % of the bandwidth, so the minimum is the interval. */
const INTERVAL_MS = 5_000;
const COMPACT_UNITS_PER_MS = 65.536;

export interface RtcpClock {
  /** Monotonic, ms. */
  nowMs(): number;
  /** Wall clock for NTP time, epoch ms. */
  epochMs(): number;
  /** In [0, 1): spreads reports of many legs. */
  random(): number;
}

export class RtcpExchange {
  /** From the last report about us; undefined before there was one. */
  roundTripMs: number | undefined;
  /** Packets of ours that the far end says it lost. */
  remoteLost: number | undefined;
  reportsReceived = 0;
  malformed = 0;
  readonly #clock: RtcpClock;
  readonly #sender: RtpSender;
  readonly #receiver: RtpReceiver;
  readonly #cname = randomBytes(12).toString('base64'); // per session and meaningless: RFC 7022 §4.2
  #dueAtMs = 0;
  #packetsAtLastReport = 0;
  #reportedOnce = false;
  #lastSenderReport = 0;
  #lastSenderReportAtMs = 0;
  #sampleAtMs = 0;

  constructor(clock: RtcpClock, sender: RtpSender, receiver: RtpReceiver) {
    this.#clock = clock;
    this.#sender = sender;
    this.#receiver = receiver;
  }

  /** The leg got its far end: the first report comes after half an interval (§6.2). */
  start(): void {
    this.#dueAtMs = this.#clock.nowMs() + (INTERVAL_MS / 2) * (0.5 + this.#clock.random());
  }

  /** The report to send now, if one is due. Called once per tick, after RTP time moved on. */
  poll(nowMs: number): Buffer | undefined {
    this.#sampleAtMs = nowMs;
    if (nowMs < this.#dueAtMs) return undefined;
    this.#dueAtMs = nowMs + INTERVAL_MS * (0.5 + this.#clock.random());
    this.#reportedOnce = true;
    return this.#report(nowMs, false);
  }

  /** BYE, for who has sent anything at all (§6.3.7). */
  farewell(): Buffer | undefined {
    if (this.#sender.packets === 0 && !this.#reportedOnce) return undefined;
    return this.#report(this.#clock.nowMs(), true);
  }

  take(bytes: Uint8Array): void {
    const reading = readRtcpPacket(bytes, this.#sender.ssrc);
    if (reading === undefined) {
      this.malformed += 1;
      return;
    }
    this.reportsReceived += 1;
    if (reading.senderReport !== undefined) {
      this.#lastSenderReport = reading.senderReport;
      this.#lastSenderReportAtMs = this.#clock.nowMs();
    }
    if (reading.about === undefined) return;
    this.remoteLost = reading.about.lost;
    if (reading.about.lastSenderReport === 0) return;
    const { lastSenderReport, delaySinceLastSenderReport } = reading.about;
    const units = middleNtp(this.#clock.epochMs()) - lastSenderReport - delaySinceLastSenderReport;
    // Clocks of whole units: a round trip below one unit may come out negative.
    this.roundTripMs = Math.max(0, (units | 0) / COMPACT_UNITS_PER_MS);
  }

  #report(nowMs: number, bye: boolean): Buffer {
    const sender = this.#sender;
    const hasSent = sender.packets > this.#packetsAtLastReport;
    this.#packetsAtLastReport = sender.packets;
    const sinceTickSamples = Math.round((nowMs - this.#sampleAtMs) * SAMPLES_PER_MS);
    return writeRtcpReport({
      ssrc: sender.ssrc,
      cname: this.#cname,
      sender: hasSent
        ? {
            atMs: this.#clock.epochMs(),
            rtpTimestamp: (sender.timestamp + sinceTickSamples) >>> 0,
            packets: sender.packets >>> 0,
            octets: sender.octets >>> 0,
          }
        : undefined,
      reception: this.#reception(nowMs),
      bye,
    });
  }

  #reception(nowMs: number) {
    const { ssrc, sequence, jitter } = this.#receiver;
    if (ssrc === undefined) return undefined;
    const delayMs = nowMs - this.#lastSenderReportAtMs;
    return {
      ssrc,
      fractionLost: sequence.takeFractionLost(),
      lost: sequence.lost,
      extendedHighest: sequence.extendedHighest,
      jitterSamples: jitter.jitterSamples,
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport:
        this.#lastSenderReport === 0 ? 0 : Math.round(delayMs * COMPACT_UNITS_PER_MS) >>> 0,
    };
  }
}
