/** What is used for sending: the engagement, webhook or message that a name means. */
import type { Found, Modifiers } from './action-modifiers.ts';
import type { AttributeScene } from './attribute-phrases.ts';
import { assetNamed, meantAsset, takeName, takeQuoted } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';

export function takeAsset(
  reader: PhraseReader,
  { assets }: AttributeScene,
  found: Found,
  modifiers: Modifiers,
): boolean {
  const taken = reader.attempt(() => {
    reader.take(',');
    const explicit = reader.take(
      '(?:with|using|by|from|through|via|in|by means of)?(?: ?(?:the|our|an?))? ?(engagement|webhook|message|template|e-?mail provider|first message)',
    );
    if (explicit !== null) {
      const isQuoted = reader.isAtQuote;
      const name = takeName(reader);
      if (name === null) return null;
      const kind = explicit[1] ?? '';
      if (kind === 'engagement') {
        modifiers.engagement = assetNamed(name, assets.engagements ?? [], { isQuoted });
      } else if (kind === 'webhook' || kind.endsWith('provider')) {
        modifiers.webhook = assetNamed(name, assets.webhooks ?? [], { isQuoted });
      } else modifiers.message = assetNamed(name, assets.messages ?? [], { isQuoted });
      return true;
    }
    if (reader.take('with|using|by|through|via|called|named|titled') === null) {
      const quoted = found.verb === 'message' ? takeQuoted(reader) : null;
      if (quoted === null) return null;
      modifiers.message = assetNamed(quoted, assets.messages ?? [], { isQuoted: true });
      return true;
    }
    reader.take('the|our');
    const isQuoted = reader.isAtQuote;
    const written = takeName(reader);
    if (written === null) return null;
    return nameForVerb({ written, isQuoted }, assets, found, modifiers);
  });
  return taken !== null;
}

/** `with "Confirm delivery"`, `with the confirmDelivery engagement`, `with welcome call` where there is one. */
function nameForVerb(
  { written, isQuoted }: { readonly written: string; readonly isQuoted: boolean },
  assets: AttributeScene['assets'],
  found: Found,
  modifiers: Modifiers,
): true | null {
  const bare = written.replace(/ (?:engagement|webhook|message|template)$/i, '');
  const isNamed = isQuoted || bare !== written;
  if (found.verb === 'message') {
    const webhook = meantAsset(bare, assets.webhooks);
    if (webhook !== undefined || /webhook$/i.test(written)) {
      modifiers.webhook = webhook ?? assetNamed(bare, []);
      return true;
    }
    const known = meantAsset(bare, assets.messages);
    if (known === undefined && !isNamed) return null;
    modifiers.message = known ?? assetNamed(bare, [], { isQuoted });
    return true;
  }
  const known = meantAsset(bare, assets.engagements);
  if (known === undefined && !isNamed) return null;
  modifiers.engagement = known ?? assetNamed(bare, [], { isQuoted });
  return true;
}
