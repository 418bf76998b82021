/** Loss in bursts: the two states of Gilbert and Elliott. */
import type { SeededRandom } from './seeded-random.ts';

/** Mean length of a burst, and what is lost while one lasts: RFC 3611's own figures are of this kind. */
const BURST_FRAMES = 3;
const LOSS_IN_BURST = 0.7;

/** Indexes of the lost frames; their share comes near `lossRatio` in the long run. */
export function lostFrames(
  random: SeededRandom,
  { frames, lossRatio }: { frames: number; lossRatio: number },
): number[] {
  if (lossRatio === 0) return [];
  const shareInBurst = lossRatio / LOSS_IN_BURST;
  const leave = 1 / BURST_FRAMES;
  const enter = (leave * shareInBurst) / (1 - shareInBurst);
  const lost: number[] = [];
  let bursting = random.chance(shareInBurst);
  for (let frame = 0; frame < frames; frame += 1) {
    if (bursting && random.chance(LOSS_IN_BURST)) lost.push(frame);
    bursting = bursting ? !random.chance(leave) : random.chance(enter);
  }
  return lost;
}
