/** Clock text of the protocol: UTC time of day with microseconds, `22:37:34.701410`. */
import { performance } from 'node:perf_hooks';

let lastSecond = -1;
let lastText = '';

export function stackTime(): string {
  const nowUs = Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  const second = Math.floor(nowUs / 1_000_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1_000).toISOString().slice(11, 19);
  }
  return `${lastText}.${String(nowUs % 1_000_000).padStart(6, '0')}`;
}
