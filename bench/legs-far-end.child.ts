/**
 * The far end of the `legs` benchmark, in a process of its own: answers every call, sends each a greeting
 * and then a key's tone a second, every 20 ms, and counts what the switch sends it. One socket for all
 * legs: whose packet it is, the switch's port says.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mulaw, PCMU_PAYLOAD_TYPE } from '../softswitch/media/g711.ts';
import type { IncomingCall } from '../softswitch/sip/incoming-call.ts';
import { SipStack } from '../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../softswitch/sip/user-agent.ts';
import { realTimerWheel } from '../softswitch/timers/timer-wheel.ts';
import { speech } from '../test/support/synthetic-speech.ts';
import {
  FRAME_MS,
  FRAMES_BEFORE_KEYS,
  FRAMES_PER_KEY,
  GREETING_FROM_MS,
  GREETING_MS,
  HEADER_BYTES,
  keyOf,
  KEY_MS,
  type FarEndReport,
  type FromFarEnd,
  type ToFarEnd,
} from './legs-plan.ts';

const HOST = '127.0.0.1';
const RATE = 8_000;
const FRAME_SAMPLES = (RATE * FRAME_MS) / 1_000;

const REST_MS = 2;
/** Of one socket, before libuv looks at anything else: there may be more. */
const READ_AT_ONCE = 32;
const never = new Int32Array(new SharedArrayBuffer(4));

/** ITU-T Q.23, in the order of the keys 1 to 8. */
const KEY_HZ = [
  [697, 1_209],
  [697, 1_336],
  [697, 1_477],
  [770, 1_209],
  [770, 1_336],
  [770, 1_477],
  [852, 1_209],
  [852, 1_336],
] as const;

class Leg {
  readonly number: string;
  readonly startedAtMs = Date.now();
  readonly #port: number;
  readonly #packet = Buffer.alloc(HEADER_BYTES + FRAME_SAMPLES);
  #frame = 0;
  /** What came from the switch since `begin`. */
  received = 0;
  lost = 0;
  jitterMs = 0;
  #lastSequence: number | undefined;
  #lastTransitMs = 0;

  constructor(number: string, port: number, ssrc: number) {
    this.number = number;
    this.#port = port;
    this.#packet[0] = 0x80;
    this.#packet[1] = PCMU_PAYLOAD_TYPE;
    this.#packet.writeUInt32BE(ssrc, 8);
  }

  begin(): void {
    this.received = this.lost = this.jitterMs = 0;
    this.#lastSequence = undefined;
  }

  /** All that is due by now: a late tick sends more than one. */
  send(atMs: number): void {
    const due = Math.floor((atMs - this.startedAtMs) / FRAME_MS);
    for (; this.#frame < due; this.#frame += 1) {
      this.#packet.writeUInt16BE(this.#frame & 0xffff, 2);
      this.#packet.writeUInt32BE((this.#frame * FRAME_SAMPLES) >>> 0, 4);
      frameOf(this.#frame).copy(this.#packet, HEADER_BYTES);
      // A copy: it leaves in a later turn of the loop.
      socket.send(Buffer.from(this.#packet), this.#port, HOST);
    }
  }

  /** RFC 3550 §6.4.1 and appendix A.8. */
  receive(packet: Buffer, atMs: number): void {
    const sequence = packet.readUInt16BE(2);
    const transitMs = atMs - packet.readUInt32BE(4) / (RATE / 1_000);
    if (this.#lastSequence !== undefined) {
      const step = (sequence - this.#lastSequence) & 0xffff;
      if (step > 1 && step < 1_000) this.lost += step - 1;
      this.jitterMs += (Math.abs(transitMs - this.#lastTransitMs) - this.jitterMs) / 16;
    }
    this.#lastSequence = sequence;
    this.#lastTransitMs = transitMs;
    this.received += 1;
  }
}

const SILENT = Buffer.alloc(FRAME_SAMPLES, 0xff);
const GREETING = encoded(speech(GREETING_MS, { seed: 7, pitchHz: 140 }));
const KEYS = KEY_HZ.map(([low, high]) => encoded(toneOf(low, high)));

function frameOf(index: number): Buffer {
  const greeting = index - GREETING_FROM_MS / FRAME_MS;
  if (greeting >= 0 && greeting < GREETING.length) return GREETING[greeting] ?? SILENT;
  const keys = index - FRAMES_BEFORE_KEYS;
  if (keys < 0) return SILENT;
  const within = keys % FRAMES_PER_KEY;
  return KEYS[keyOf(Math.floor(keys / FRAMES_PER_KEY)) - 1]?.[within] ?? SILENT;
}

function toneOf(low: number, high: number): Int16Array {
  const sample = (_: unknown, n: number): number =>
    6_000 * (Math.sin((2 * Math.PI * low * n) / RATE) + Math.sin((2 * Math.PI * high * n) / RATE));
  return Int16Array.from({ length: (RATE * KEY_MS) / 1_000 }, sample);
}

function encoded(pcm: Int16Array): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES) {
    const frame = Buffer.alloc(FRAME_SAMPLES);
    mulaw.encode(pcm.subarray(at, at + FRAME_SAMPLES), frame, 0);
    frames.push(frame);
  }
  return frames;
}

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
const legs = new Map<number, Leg>();
let cpu = process.cpuUsage();
const lateMs: number[] = [];

function sdp(): string {
  const lines = ['v=0', `o=- 1 1 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0'];
  const audio = [`m=audio ${socket.address().port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', ''];
  return [...lines, ...audio].join('\r\n');
}

function answer(call: IncomingCall): void {
  const port = Number(/^m=audio (\d+)/m.exec(call.request.body.toString('utf8'))?.[1]);
  const number = /^sip:([^@]+)@/.exec(call.request.uri)?.[1] ?? '';
  const leg = new Leg(number, port, legs.size + 1);
  legs.set(port, leg);
  call.onReinvite = () => sdp();
  call.onEnded = () => legs.delete(port);
  call.answer({ sdp: sdp() });
}

function report(): FarEndReport {
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuMs: (user + system) / 1_000,
    lateMs: [...lateMs],
    legs: [...legs.values()].map(({ number, startedAtMs, received, lost, jitterMs }) => {
      return { number, startedAtMs, received, lost, jitterMs };
    }),
  };
}

/**
 * What has come is read, and then nothing for a moment: a far end on another host would be woken at its
 * own cost, not at the sender's.
 */
let readSinceRest = 0;
function rest(): void {
  readSinceRest += 1;
  if (readSinceRest > 1) return;
  setImmediate(() => {
    const isAllRead = readSinceRest < READ_AT_ONCE;
    readSinceRest = 0;
    if (isAllRead) Atomics.wait(never, 0, 0, REST_MS);
  });
}

const say = (message: FromFarEnd): unknown => process.send?.(message);

process.on('message', (message: ToFarEnd) => {
  if (message.type === 'speak') {
    for (const port of message.ports) legs.set(port, new Leg('', port, legs.size + 1));
    return;
  }
  if (message.type === 'report') {
    say({ type: 'report', report: report() });
    return;
  }
  for (const leg of legs.values()) leg.begin();
  lateMs.length = 0;
  cpu = process.cpuUsage();
});
process.on('disconnect', () => process.exit(0));

socket.bind(0, HOST);
await once(socket, 'listening');
socket.on('message', (packet, { port }) => {
  rest();
  legs.get(port)?.receive(packet, performance.now());
});
const timers = realTimerWheel();
const listen = [{ protocol: 'udp', host: HOST, port: 0 }] as const;
const stack = await SipStack.open({ timers, listen });
new UserAgent(stack, { timers, contactUser: 'far' }).onInvite = answer;
let dueAtMs = Date.now();
setInterval(() => {
  const atMs = Date.now();
  lateMs.push(Math.max(0, atMs - dueAtMs));
  dueAtMs = atMs + FRAME_MS / 2;
  for (const leg of legs.values()) leg.send(atMs);
}, FRAME_MS / 2);
say({ type: 'ready', port: stack.listening[0]?.port ?? 0, rtpPort: socket.address().port });
