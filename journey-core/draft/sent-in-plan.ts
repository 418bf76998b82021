/** What was sent in a block of the plan, and what a block is about. */
import { targetKindOf, type Block, type Sending, type TargetKind } from './draft-plan.ts';

/** The last thing sent that is of one of these kinds; of either kind where both will do. */
export function ofKinds(block: Block, kinds: readonly TargetKind[]): Sending | null {
  if (kinds.length > 1) return lastSending(block, null);
  return lastSending(block, kinds[0] ?? null);
}

/** The last thing that was sent in a block, branches included. */
export function lastSending(block: Block, kind: TargetKind | null): Sending | null {
  for (const item of [...block.items].reverse()) {
    if (item.kind === 'step') {
      const { step } = item;
      if (step.type !== 'voice' && step.type !== 'sms' && step.type !== 'message') continue;
      if (kind === null || targetKindOf(step) === kind) return step;
    }
    if (item.kind !== 'chain' && item.kind !== 'split') continue;
    const blocks = [
      ...item.arms.map((arm) => arm.block),
      ...(item.otherwise === null ? [] : [item.otherwise]),
    ];
    for (const inner of blocks.reverse()) {
      const found = lastSending(inner, kind);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The conversation that the nearest branch around is about. */
export function conversationAround(block: Block): Sending | null {
  for (let at: Block | null = block; at !== null; at = at.parent?.home ?? null) {
    const { parent } = at;
    if (parent?.kind !== 'chain' || parent.target === null || !parent.isFirst) continue;
    if (targetKindOf(parent.target) === 'conversation') return parent.target;
  }
  return null;
}
