/** What is to be done: calls, messages, waits, tasks, ends. One verb with everything that belongs to it. */
import { noModifiers, other, type Found, type Modifiers } from './action-modifiers.ts';
import { takeActivity } from './activity-phrases.ts';
import type { AttributeScene, Refused } from './attribute-phrases.ts';
import { takeConversation, takeRetry, takeSms } from './conversation-phrases.ts';
import { finishAction } from './finish-action.ts';
import { takeMessage } from './message-phrases.ts';
import { assetNamed, takeName } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import type { ReadAction } from './read-action.ts';
import { takeTimes } from './repetition-phrases.ts';
import { takeSendingModifier } from './sending-phrases.ts';
import { takeTiming } from './timing-phrases.ts';
import { takeWait } from './wait-phrases.ts';

/** Null: no action begins here. Refused: one does, and cannot be done. */
export function takeAction(
  reader: PhraseReader,
  scene: AttributeScene,
): ReadAction | Refused | null {
  return reader.attempt((): ReadAction | Refused | null => {
    const refusal = { refused: null as string | null };
    const found =
      takeRetry(reader) ??
      takeConversation(reader) ??
      takeSms(reader) ??
      takeMessage(reader, scene) ??
      takeActivity(reader) ??
      takeTriggerStep(reader, scene) ??
      takeWait(reader, scene) ??
      takeEnd(reader);
    if (found === null) return null;
    if ('refused' in found) return found;
    const modifiers = found.modifiers ?? noModifiers();
    takeModifiers(reader, scene, found, modifiers, refusal);
    if (refusal.refused !== null) return { refused: refusal.refused };
    const { before, times, everyMs, share, segment } = modifiers;
    const finished = finishAction(found, modifiers, scene);
    return {
      action: finished,
      before: [...(found.before ?? []), ...before],
      times,
      everyMs,
      share,
      segment,
    };
  });
}

function takeTriggerStep(reader: PhraseReader, { assets }: AttributeScene): Found | null {
  return reader.attempt((): Found | null => {
    if (
      reader.take('(?:activate|raise|fire|set off) (?:the |a )?(?:custom )?(?:trigger|event)') ===
      null
    ) {
      return null;
    }
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    if (name === null) return null;
    const custom = (assets.triggers ?? []).filter(({ kind }) => kind === 'custom');
    const trigger = assetNamed(name, custom, { isQuoted, fallback: 'trigger' });
    return other({ kind: 'step', name: 'raise', step: { type: 'activateTrigger', trigger } });
  });
}

function takeEnd(reader: PhraseReader): Found | null {
  if (
    reader.take(
      '(?:stop|end|finish|exit|leave|quit|close)(?: (?:here|there|the journey|this journey|the run|everything|immediately|at once|for them|it))*(?= *(?:$|[,.:!?]|and|then|if|when|unless|as soon as|once|otherwise|whenever))',
    ) !== null ||
    reader.take(
      "(?:that|this)(?: is|'s) (?:it|all|the end)|(?:they are|we are|they're|we're) done|(?:nothing|no) (?:more|else)|" +
        '(?:take|remove) them out(?: of the journey)?|remove them(?: from the journey)?|(?:they|people) leave(?: the journey)?',
    ) !== null
  ) {
    return other({ kind: 'end' });
  }
  return reader.take(
    'do nothing|nothing(?! (?:is|was|happens|comes))|continue|carry on|go on|leave them alone|(?:are|is) left alone',
  ) === null
    ? null
    : other({ kind: 'nothing' });
}

function takeModifiers(
  reader: PhraseReader,
  scene: AttributeScene,
  found: Found,
  modifiers: Modifiers,
  refusal: { refused: string | null },
): void {
  const isSending = found.verb !== 'other';
  const mayRetry =
    found.verb === 'voice' || (found.verb === 'other' && found.action.kind === 'retry');
  while (refusal.refused === null) {
    const taken = reader.attempt(() => {
      const before = reader.position;
      if (isSending && takeSendingModifier(reader, scene, found, modifiers)) return true;
      if (mayRetry && takeTimes(reader, modifiers)) return true;
      if (isSending || mayRetry) {
        const comma = reader.take(',');
        const timing = takeTiming(reader, scene);
        // A comma and a date may begin what comes next.
        if (timing !== null && (comma === null || (mayRetry && !isSending))) {
          if ('refused' in timing) refusal.refused = timing.refused;
          else modifiers.before.push(timing);
          return true;
        }
      }
      reader.position = before;
      return null;
    });
    if (taken === null) return;
  }
}
