/**
 * The far end of a media leg, independent of the switch's own RTP code: it counts and decodes what
 * arrives, sends tones and digits, and tells which tone it hears. PCMU only; UDP on the loopback.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface ReceivedPacket {
  /** When it came, by performance.now(). */
  readonly atMs: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

export interface ReceivedDigit {
  readonly digit: string;
  /** In samples of 8 kHz, from the last packet of the event. */
  readonly durationSamples: number;
  /** How often the end of the event was sent (RFC 4733 §2.5.1.4 asks for three). */
  endPackets: number;
}

export interface RtpCipher {
  protect: (packet: Buffer) => Buffer;
  unprotect: (packet: Buffer) => Buffer | undefined;
}

export const EVENT_PAYLOAD_TYPE = 101;
const FRAME_SAMPLES = 160;
const FRAME_MS = 20;
const SAMPLE_RATE_HZ = 8_000;
/** µ-law zero. */
const SILENCE_CODE = 0xff;
const DIGITS = '0123456789*#ABCD';
/** Far longer than anything takes: reached only when a test would otherwise hang. */
const WAIT_MAX_MS = 15_000;

export class RtpFarEnd {
  readonly packets: ReceivedPacket[] = [];
  readonly digits: ReceivedDigit[] = [];
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  readonly #ssrc = 0x52_46_45_00 + Math.floor(Math.random() * 256);
  #remote: { address: string; port: number } | undefined;
  #sequence = 100;
  #timestamp = 8_000;
  #speaking: NodeJS.Timeout | undefined;
  #lastEventTimestamp: number | undefined;
  #cipher: RtpCipher | undefined;
  #echoFactor: number | undefined;

  static async open(host = '127.0.0.1'): Promise<RtpFarEnd> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(0, host);
    await once(socket, 'listening');
    return new RtpFarEnd(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.host = address;
    this.port = port;
    socket.on('message', (bytes) => this.#received(bytes));
  }

  /** What this end offers or answers with. */
  sdp(direction = 'sendrecv', address = this.host): string {
    return [
      ...['v=0', `o=far 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0'],
      `m=audio ${this.port} RTP/AVP 0 ${EVENT_PAYLOAD_TYPE}`,
      ...['a=rtpmap:0 PCMU/8000', `a=rtpmap:${EVENT_PAYLOAD_TYPE} telephone-event/8000`],
      ...[`a=fmtp:${EVENT_PAYLOAD_TYPE} 0-15`, `a=${direction}`, ''],
    ].join('\r\n');
  }

  /** Sends to the switch's SDP from now on. */
  aim(sdp: string): void {
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
    if (address === undefined || port === undefined) throw new Error(`no audio in ${sdp}`);
    this.#remote = { address, port: Number(port) };
  }

  /** From now on every packet goes through these; what `unprotect` refuses is not heard. */
  secure(cipher: RtpCipher): void {
    this.#cipher = cipher;
  }

  /** Says a tone, frame by frame in real time, until told otherwise. */
  speak(frequencyHz: number): void {
    this.hush();
    let sample = 0;
    this.#speaking = setInterval(() => {
      const payload = Buffer.alloc(FRAME_SAMPLES);
      for (let i = 0; i < FRAME_SAMPLES; i += 1, sample += 1) {
        const level = Math.sin((2 * Math.PI * frequencyHz * sample) / SAMPLE_RATE_HZ);
        payload[i] = muLaw(Math.round(10_000 * level));
      }
      this.#send(0, false, this.#timestamp, payload);
      this.#timestamp += FRAME_SAMPLES;
    }, FRAME_MS);
  }

  /**
   * Says something in real time, and is silent for ever after, as a telephone is. Resolves with the
   * moment (performance.now()) at which the last of it was sent.
   */
  say(pcm: Int16Array): Promise<number> {
    this.hush();
    const startedAtMs = performance.now();
    let frame = 0;
    return new Promise((resolve) => {
      this.#speaking = setInterval(() => {
        // A late timer makes up for it: 50 frames a second, whatever the host does.
        const dueFrames = Math.floor((performance.now() - startedAtMs) / FRAME_MS) + 1;
        for (; frame < dueFrames; frame += 1) {
          const payload = Buffer.alloc(FRAME_SAMPLES, SILENCE_CODE);
          const part = pcm.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
          part.forEach((sample, i) => (payload[i] = muLaw(sample)));
          this.#send(0, false, this.#timestamp, payload);
          this.#timestamp += FRAME_SAMPLES;
          if ((frame + 1) * FRAME_SAMPLES >= pcm.length) resolve(performance.now());
        }
      }, FRAME_MS / 2);
    });
  }

  /** Sends back whatever it hears, as a bad line does, `dB` quieter. */
  echo(dB: number): void {
    this.#echoFactor = 10 ** (-dB / 20);
  }

  /** All that was received as audio, and when each frame of it came. */
  get heardAudio(): { readonly pcm: Int16Array; readonly frameAtMs: readonly number[] } {
    const frames = this.packets.filter(({ payloadType }) => payloadType === 0);
    return {
      pcm: Int16Array.from(frames.flatMap(({ payload }) => [...payload].map(linear))),
      frameAtMs: frames.map(({ atMs }) => atMs),
    };
  }

  hush(): void {
    clearInterval(this.#speaking);
    this.#speaking = undefined;
  }

  /** One RFC 4733 event: packets of growing duration, the end three times. No pacing is needed. */
  press(digit: string, durationMs = 100): void {
    const event = DIGITS.indexOf(digit);
    const timestamp = this.#timestamp;
    const packet = (samples: number, isEnd: boolean): Buffer =>
      Buffer.from([event, (isEnd ? 0x80 : 0) | 10, samples >> 8, samples & 0xff]);
    for (let ms = FRAME_MS; ms < durationMs; ms += FRAME_MS) {
      this.#send(EVENT_PAYLOAD_TYPE, ms === FRAME_MS, timestamp, packet(ms * 8, false));
    }
    for (let time = 0; time < 3; time += 1) {
      this.#send(EVENT_PAYLOAD_TYPE, false, timestamp, packet(durationMs * 8, true));
    }
    this.#timestamp += durationMs * 8 + FRAME_SAMPLES;
  }

  /** Audio packets received so far. */
  get audioPackets(): number {
    return this.packets.filter(({ payloadType }) => payloadType === 0).length;
  }

  forget(): void {
    this.packets.length = 0;
    this.digits.length = 0;
  }

  /** Resolves as soon as the last 100 ms received are mostly that tone. */
  hears(frequencyHz: number): Promise<void> {
    return this.until(
      () => shareOfTone(this.#lastAudio(5), frequencyHz) > 0.8,
      `${frequencyHz} Hz`,
    );
  }

  /** Resolves as soon as the last 100 ms received are mostly those two, both of them. */
  hears2(oneHz: number, otherHz: number): Promise<void> {
    const shares = (): number[] =>
      [oneHz, otherHz].map((hz) => shareOfTone(this.#lastAudio(5), hz));
    return this.until(() => shares().every((share) => share > 0.2), `${oneHz} and ${otherHz} Hz`);
  }

  /** Whether any 100 ms of what was received hold that tone. */
  heard(frequencyHz: number): boolean {
    const audio = this.#lastAudio(this.packets.length);
    for (let at = 0; at + 800 <= audio.length; at += 400) {
      if (shareOfTone(audio.subarray(at, at + 800), frequencyHz) > 0.8) return true;
    }
    return false;
  }

  /** Loudest sample of the last `frames` frames. */
  level(frames: number): number {
    return this.#lastAudio(frames).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }

  /** Resolves when `condition` holds after some packet; rejects long after it should have. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`waited in vain for ${what}; ${this.packets.length} packets came`));
      }, WAIT_MAX_MS);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  close(): void {
    this.hush();
    this.#socket.close();
  }

  #lastAudio(frames: number): Int16Array {
    const audio = this.packets.filter(({ payloadType }) => payloadType === 0).slice(-frames);
    return Int16Array.from(audio.flatMap(({ payload }) => [...payload].map(linear)));
  }

  #send(payloadType: number, marker: boolean, timestamp: number, payload: Buffer): void {
    if (this.#remote === undefined) throw new Error('aim first');
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = payloadType | (marker ? 0x80 : 0);
    header.writeUInt16BE(this.#sequence & 0xffff, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    this.#sequence += 1;
    const packet = Buffer.concat([header, payload]);
    const sent = this.#cipher?.protect(packet) ?? packet;
    this.#socket.send(sent, this.#remote.port, this.#remote.address);
  }

  #received(datagram: Buffer): void {
    const bytes = this.#cipher === undefined ? datagram : this.#cipher.unprotect(datagram);
    if (bytes === undefined) return;
    if (bytes.length < 12 || bytes[0] !== 0x80) return;
    const packet: ReceivedPacket = {
      atMs: performance.now(),
      payloadType: bytes.readUInt8(1) & 0x7f,
      marker: (bytes.readUInt8(1) & 0x80) !== 0,
      sequence: bytes.readUInt16BE(2),
      timestamp: bytes.readUInt32BE(4),
      ssrc: bytes.readUInt32BE(8),
      payload: bytes.subarray(12),
    };
    this.packets.push(packet);
    if (packet.payloadType === EVENT_PAYLOAD_TYPE) this.#receivedEvent(packet);
    else if (this.#echoFactor !== undefined) this.#sendBack(packet.payload, this.#echoFactor);
    for (const check of [...this.#waiting]) check();
  }

  #sendBack(payload: Buffer, factor: number): void {
    this.hush();
    const quieter = Buffer.from(
      [...payload].map((code) => muLaw(Math.round(linear(code) * factor))),
    );
    this.#send(0, false, this.#timestamp, quieter);
    this.#timestamp += FRAME_SAMPLES;
  }

  #receivedEvent({ payload, timestamp }: ReceivedPacket): void {
    if ((payload.readUInt8(1) & 0x80) === 0) return;
    const last = this.digits.at(-1);
    if (last !== undefined && this.#lastEventTimestamp === timestamp) {
      last.endPackets += 1;
      return;
    }
    this.#lastEventTimestamp = timestamp;
    const digit = DIGITS[payload.readUInt8(0)] ?? '?';
    this.digits.push({ digit, durationSamples: payload.readUInt16BE(2), endPackets: 1 });
  }
}

/** Share of the energy that lies at one frequency (Goertzel), in [0, 1]; 0 for silence. */
export function shareOfTone(audio: Int16Array, frequencyHz: number): number {
  const energy = audio.reduce((sum, sample) => sum + sample * sample, 0);
  if (energy < audio.length * 100 || audio.length < 400) return 0;
  const omega = (2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ;
  let [previous, before] = [0, 0];
  for (const sample of audio) {
    [before, previous] = [previous, sample + 2 * Math.cos(omega) * previous - before];
  }
  const power = previous ** 2 + before ** 2 - 2 * Math.cos(omega) * previous * before;
  return (2 * power) / (audio.length * energy);
}

/** G.711 µ-law, written out from the recommendation rather than taken from the code under test. */
function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(32_635, Math.abs(sample)) + 132;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function linear(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = (((code & 0x0f) << 3) + 132) << ((code >> 4) & 7);
  return (code & 0x80) === 0 ? magnitude - 132 : 132 - magnitude;
}
