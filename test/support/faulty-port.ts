/**
 * A telephony port that is as bad as the contract allows: it delivers twice, late, in another order
 * across attempts, and loses replies. What belongs to one attempt keeps its order.
 */
import type { CommandReply } from '../../machines/command-reply.ts';
import type { TelephonyCommand } from '../../machines/telephony-commands.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { subjectOf } from '../../telephony-bus/subject.ts';
import { seededRandom } from './fault-relay.ts';

export interface PortFaults {
  /** Fractions in [0, 1]. */
  readonly repeated: number;
  readonly repliesLost: number;
  /** Each message waits up to this long. ms */
  readonly delayMaxMs: number;
  readonly seed: number;
}

export class FaultyPort implements TelephonyPort {
  readonly #port: TelephonyPort;
  readonly #faults: PortFaults;
  readonly #random: () => number;
  /** The last message of each attempt, each way: the next one waits for it. */
  readonly #lines = new Map<string, Promise<void>>();

  constructor(port: TelephonyPort, faults: PortFaults) {
    this.#port = port;
    this.#faults = faults;
    this.#random = seededRandom(faults.seed);
  }

  send(command: TelephonyCommand): Promise<CommandReply> {
    const { repeated, repliesLost } = this.#faults;
    const copies = this.#random() < repeated ? 2 : 1;
    const isLost = this.#random() < repliesLost;
    return new Promise((resolve, reject) => {
      const line = `to ${subjectOf(command)}`;
      for (let copy = 1; copy <= copies; copy += 1) {
        this.#inLine(line, () => {
          this.#port.send(command).then((reply) => {
            if (!isLost) resolve(reply);
          }, reject);
        });
      }
    });
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    let isWanted = true;
    const unsubscribe = this.#port.subscribe((event) => {
      const copies = this.#random() < this.#faults.repeated ? 2 : 1;
      for (let copy = 1; copy <= copies; copy += 1) {
        this.#inLine(`from ${subjectOf(event) ?? ''}`, () => {
          if (isWanted) listener(event);
        });
      }
    });
    return () => {
      isWanted = false;
      unsubscribe();
    };
  }

  #inLine(line: string, deliver: () => void): void {
    const delayMs = this.#random() * this.#faults.delayMaxMs;
    const before = this.#lines.get(line) ?? Promise.resolve();
    const late = new Promise<void>((resolve) => void setTimeout(resolve, delayMs));
    this.#lines.set(line, before.then(() => late).then(deliver));
  }
}
