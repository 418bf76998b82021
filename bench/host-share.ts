/** How much of the machine was left over while something ran (Linux: proc(5), /proc/stat). */
import { readFileSync } from 'node:fs';

export interface HostTicks {
  readonly all: number;
  /** Idle, or waiting for a disk. */
  readonly idle: number;
  /** A virtual machine wanted to run and another one did. */
  readonly stolen: number;
}

export function hostTicks(stat = readFileSync('/proc/stat', 'utf8')): HostTicks {
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, stolen = 0] = (
    /^cpu +(.*)$/m.exec(stat)?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return {
    all: user + nice + system + idle + ioWait + irq + softIrq + stolen,
    idle: idle + ioWait,
    stolen,
  };
}

/** Below this share of idle time, or above this share of stolen time, a machine is the limit itself. */
const IDLE_MIN = 0.2;
const STOLEN_MAX = 0.1;

/** True: what ran between the two did not get what it asked for. */
export function wasStarved(before: HostTicks, after: HostTicks): boolean {
  const all = Math.max(1, after.all - before.all);
  const idle = (after.idle - before.idle) / all;
  return idle < IDLE_MIN || (after.stolen - before.stolen) / all > STOLEN_MAX;
}
