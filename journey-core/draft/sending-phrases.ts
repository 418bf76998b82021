/** What is said along with a verb of sending: consent, quiet time, until when, and what about. */
import { durationText } from '../definition/duration.ts';
import type { Found, Modifiers } from './action-modifiers.ts';
import { takeAsset } from './asset-phrases.ts';
import type { AttributeScene } from './attribute-phrases.ts';
import { assetNamed, takeName } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDuration } from './time-phrases.ts';

export function takeSendingModifier(
  reader: PhraseReader,
  scene: AttributeScene,
  found: Found,
  modifiers: Modifiers,
): boolean {
  return (
    takeAsset(reader, scene, found, modifiers) ||
    takeComplianceWords(reader, scene, modifiers) ||
    takeQuiet(reader, scene, modifiers) ||
    takeSendWithin(reader, modifiers) ||
    takeAbout(reader, modifiers)
  );
}

function takeComplianceWords(
  reader: PhraseReader,
  { assets }: AttributeScene,
  modifiers: Modifiers,
): boolean {
  const taken = reader.attempt(() => {
    reader.take(',|and');
    const found = reader.take(
      '(?:under|with|using|by|for|on|in)?(?: ?(?:the|our|a))? ?(compliance profile|profile|purpose|topic)(?: of)?',
    );
    if (found === null) return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader, 4);
    if (name === null) return null;
    const kind = found[1] ?? '';
    const profiles = assets.complianceProfiles ?? [];
    const options = { isQuoted };
    if (kind.endsWith('profile')) modifiers.profile = assetNamed(name, profiles, options);
    else if (kind === 'purpose') {
      modifiers.purpose = assetNamed(
        name,
        profiles.flatMap(({ purposes }) => purposes),
        options,
      );
    } else {
      const topics = profiles.flatMap(({ purposes }) =>
        purposes.flatMap((item) => item.topics ?? []),
      );
      modifiers.topic = assetNamed(
        name,
        topics.map((topic) => ({ name: topic })),
        options,
      );
    }
    return true;
  });
  return taken !== null;
}

function takeQuiet(
  reader: PhraseReader,
  { assets }: AttributeScene,
  modifiers: Modifiers,
): boolean {
  const taken = reader.attempt(() => {
    reader.take(',');
    if (
      reader.take(
        '(?:ignoring|regardless of|despite|without) (?:the |any )?quiet (?:times?|hours)',
      ) !== null
    ) {
      modifiers.quietTime = 'none';
      return true;
    }
    if (reader.take('(?:with|in|under|respecting|by)(?: the)? quiet (?:times?|hours)') === null)
      return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader, 4);
    if (name === null) return null;
    modifiers.quietTime = assetNamed(name, assets.quietTimes ?? [], { isQuoted });
    return true;
  });
  return taken !== null;
}

function takeSendWithin(reader: PhraseReader, modifiers: Modifiers): boolean {
  const taken = reader.attempt(() => {
    reader.take(',');
    if (reader.take('within|in the next|during the next|no later than') === null) return null;
    const ms = takeDuration(reader);
    if (ms === null || ms === 0) return null;
    reader.take('from (?:then|now)');
    modifiers.sendWithin = durationText(ms);
    return true;
  });
  return taken !== null;
}

function takeAbout(reader: PhraseReader, modifiers: Modifiers): boolean {
  const taken = reader.attempt(() => {
    if (reader.take('about|regarding|concerning|in order to|to|with|asking') === null) return null;
    reader.take('the|their|an?|our');
    let about = takeName(reader);
    if (about === null || modifiers.about !== null) return null;
    for (let more = takeFurther(reader); more !== null; more = takeFurther(reader)) {
      about = `${about} ${more}`;
    }
    modifiers.about = about;
    while (reader.take('(?:of|for|at|on|with|that|by)(?: (?:the|their|an?))?') !== null) {
      const before = reader.position;
      if (takeName(reader, 4) === null) {
        reader.position = before;
        return null;
      }
    }
    return true;
  });
  return taken !== null;
}

/** `confirm the delivery` goes on behind its article. */
function takeFurther(reader: PhraseReader): string | null {
  return reader.attempt(() =>
    reader.take('the|their|our|an?') === null ? null : takeName(reader),
  );
}
