/**
 * Whether an agent's audio comes, read from the media server's own packet counts: nothing is tapped,
 * recorded or decoded, and it works on any FreeSWITCH, on whatever host.
 *
 * What it can tell and what not: the first packet is the earliest moment at which the agent can have
 * been heard, found with an error of one interval. An agent that sends silence from its 200 on
 * is heard later than that, so the delay read here is a lower bound and is told as such (`packet`).
 * And an agent that goes on sending silence does not look dead from here.
 */
import type { GatewayClock } from '../clock.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';

/** Until the first packet: the error of the delay. Each look is two commands on the event socket. */
const FIRST_INTERVAL_MS = 50;
const INTERVAL_MS = 1_000;

export interface AgentAudioLimits {
  /** Connect → first packet; 0: none. */
  readonly firstAudioTimeoutMs: number;
  /** Between two packets; 0: none. */
  readonly audioTimeoutMs: number;
}

export interface AgentAudioHandlers {
  onFirstPacket(afterConnectMs: number): void;
  /** Once; nothing follows it. */
  onSilent(problem: string): void;
}

export class AgentAudio {
  readonly #endpoint: Pick<MediaEndpoint, 'packetsReceived'>;
  readonly #clock: GatewayClock;
  readonly #limits: AgentAudioLimits;
  readonly #handlers: AgentAudioHandlers;
  #timer: unknown;
  #connectedAtMs = 0;
  #packets = 0;
  /** When the count was last seen to grow; undefined before the first packet. */
  #heardAtMs: number | undefined;
  #stopped = false;

  constructor(
    endpoint: Pick<MediaEndpoint, 'packetsReceived'>,
    clock: GatewayClock,
    limits: AgentAudioLimits,
    handlers: AgentAudioHandlers,
  ) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#limits = limits;
    this.#handlers = handlers;
  }

  start(): void {
    this.#connectedAtMs = this.#clock.now();
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const outcome = await this.#endpoint.packetsReceived();
    if (this.#stopped) return;
    // A media server that cannot say is no dead agent; one that is gone is told by its endpoint.
    if (outcome.kind === 'failed' || outcome.kind === 'gone') return;
    if (outcome.kind === 'done') {
      this.#take(outcome.value);
      const problem = this.#problem();
      if (problem !== undefined) {
        this.stop();
        this.#handlers.onSilent(problem);
        return;
      }
    }
    const intervalMs = this.#heardAtMs === undefined ? FIRST_INTERVAL_MS : INTERVAL_MS;
    this.#timer = this.#clock.setTimeout(() => void this.#look(), intervalMs);
  }

  #take(packets: number): void {
    if (packets <= this.#packets) return;
    const isFirst = this.#heardAtMs === undefined;
    this.#packets = packets;
    this.#heardAtMs = this.#clock.now();
    if (isFirst) this.#handlers.onFirstPacket(Math.max(0, this.#heardAtMs - this.#connectedAtMs));
  }

  #problem(): string | undefined {
    const { firstAudioTimeoutMs, audioTimeoutMs } = this.#limits;
    const limitMs = this.#heardAtMs === undefined ? firstAudioTimeoutMs : audioTimeoutMs;
    const silentMs = this.#clock.now() - (this.#heardAtMs ?? this.#connectedAtMs);
    if (limitMs === 0 || silentMs < limitMs) return undefined;
    return this.#heardAtMs === undefined
      ? `no audio from the agent within ${limitMs} ms`
      : `no RTP from the agent for ${limitMs} ms`;
  }
}
