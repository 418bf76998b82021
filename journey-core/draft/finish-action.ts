/** From what was said to the step: the assets that are meant, and whose consent is asked. */
import type { Compliance } from '../definition/sending.schema.ts';
import type { Found, Modifiers } from './action-modifiers.ts';
import type { AttributeScene } from './attribute-phrases.ts';
import { TO_BE_CHOSEN } from './connect-assets.ts';
import { meantAsset } from './named-things.ts';
import type { Action, MessageChannel } from './read-action.ts';
import { nameOf } from './words.ts';

export function finishAction(found: Found, modifiers: Modifiers, scene: AttributeScene): Action {
  if (found.verb === 'other') return found.action;
  const { assets } = scene;
  const sending = {
    ...(modifiers.sendWithin === null ? {} : { sendWithin: modifiers.sendWithin }),
    ...(modifiers.quietTime === null ? {} : { quietTime: modifiers.quietTime }),
  };
  const channel = found.verb === 'message' ? found.channel : found.verb;
  const compliance = complianceOf(modifiers, scene, channel);
  if (found.verb === 'message') {
    const known = (assets.messages ?? []).filter((item) => item.channel === found.channel);
    const hooks = assets.webhooks ?? [];
    const hook = modifiers.webhook ?? (hooks.length === 1 ? hooks[0]?.name : undefined);
    return {
      ...{ kind: 'step', name: NAMES[found.channel] },
      step: {
        ...{ type: 'message', message: namedOrAbout(modifiers.message, modifiers.about, known) },
        webhook: hook ?? `${found.channel}Provider`,
        ...sending,
      },
      message: { channel: found.channel, compliance },
    };
  }
  const engagements = (assets.engagements ?? []).filter((item) => item.channel === found.verb);
  const engagement = namedOrAbout(modifiers.engagement, modifiers.about, engagements);
  if (found.verb === 'voice') {
    return {
      kind: 'step',
      name: 'call',
      step: { type: 'voice', engagement, compliance, ...sending },
    };
  }
  return {
    ...{ kind: 'step', name: 'text' },
    step: { type: 'sms', engagement, message: modifiers.message ?? '', ...sending },
    message: { channel: 'sms', compliance },
  };
}

const NAMES: Readonly<Record<MessageChannel, string>> = {
  ...{ email: 'email', sms: 'text', push: 'push', custom: 'message' },
};

/** What was named; else what the words after `about` and `to` mean. Empty: nothing was said. */
function namedOrAbout(
  named: string | null,
  about: string | null,
  known: readonly { readonly name: string }[],
): string {
  if (named !== null) return named;
  if (about === null) return '';
  return meantAsset(about, known) ?? nameOf(about, '');
}

/** Of a known profile the purpose that was named, or its only one; nobody else's consent is guessed. */
function complianceOf(
  { profile, purpose, topic }: Modifiers,
  { assets }: AttributeScene,
  channel: 'voice' | 'sms' | MessageChannel,
): Compliance {
  const profiles = (assets.complianceProfiles ?? []).filter((item) =>
    item.channels.includes(channel),
  );
  const holding = profiles.filter(({ purposes }) => purposes.some(({ name }) => name === purpose));
  const known =
    profiles.find(({ name }) => name === profile) ??
    (profile === null && holding.length === 1 ? holding[0] : undefined);
  if (known === undefined) {
    const isElsewhere = (assets.complianceProfiles ?? []).some(({ name }) => name === profile);
    return {
      profile: profile === null || isElsewhere ? TO_BE_CHOSEN.profile : profile,
      purpose: purpose ?? TO_BE_CHOSEN.purpose,
      ...(topic === null ? {} : { topic }),
    };
  }
  const usable = known.purposes.filter(({ type }) => type !== 'tracking');
  const chosen =
    usable.find(({ name }) => name === purpose) ??
    (purpose === null && usable.length === 1 ? usable[0] : undefined);
  const topics = chosen?.topics ?? [];
  const isFitting = topics.length === 0 ? topic === null : topics.includes(topic ?? '');
  if (chosen === undefined || !isFitting) return TO_BE_CHOSEN;
  return { profile: known.name, purpose: chosen.name, ...(topic === null ? {} : { topic }) };
}
