/** What each leg of the `legs` benchmark says, and what its far end and the bench say to each other. */

export const FRAME_MS = 20;
/** A person, told from a machine by a short greeting and the silence behind it. */
export const GREETING_FROM_MS = 400;
export const GREETING_MS = 900;
/** From here on one key a second, 1 to 8 in turn, each as a tone in the audio. */
const KEYS_FROM_MS = 6_000;
export const FRAMES_BEFORE_KEYS = KEYS_FROM_MS / FRAME_MS;
export const FRAMES_PER_KEY = 1_000 / FRAME_MS;
export const KEY_MS = 100;

export function keyOf(index: number): number {
  return (index % 8) + 1;
}

/** End of the key's tone, ms since the leg's first frame. */
export function keyEndMs(index: number): number {
  return KEYS_FROM_MS + index * 1_000 + KEY_MS;
}

export interface FarEndLeg {
  readonly number: string;
  /** First frame, epoch ms. */
  readonly startedAtMs: number;
  /** Packets of the switch since `begin`, and by their sequence numbers. */
  readonly received: number;
  readonly lost: number;
  /** Interarrival jitter, RFC 3550. */
  readonly jitterMs: number;
}

export interface FarEndReport {
  /** User and system, since `begin`. */
  readonly cpuMs: number;
  /** How late each of its own ticks was. */
  readonly lateMs: readonly number[];
  readonly legs: readonly FarEndLeg[];
}

/** RTP header and 20 ms of G.711. */
export const HEADER_BYTES = 12;
export const PACKET_BYTES = HEADER_BYTES + 160;

/** What the floor's thread is told: it answers with the ports of its legs. */
export interface FloorLegs {
  readonly host: string;
  readonly farEndPort: number;
  readonly legs: number;
}

export type ToFarEnd =
  | { readonly type: 'begin' | 'report' }
  /** Legs that nobody calls: packets go to these ports from now on. */
  | { readonly type: 'speak'; readonly ports: readonly number[] };
export type FromFarEnd =
  | { readonly type: 'ready'; readonly port: number; readonly rtpPort: number }
  | { readonly type: 'report'; readonly report: FarEndReport };
