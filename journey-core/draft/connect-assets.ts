/**
 * Gives a journey the assets that it names: those that are known, and placeholders for the others,
 * as its steps need them. What is missing inside a known asset becomes a placeholder there.
 */
import { CONTACT_ATTRIBUTES, type JourneyAssets } from '../definition/assets.schema.ts';
import { OPERATORS_OF, type AttributeType, type Test } from '../definition/condition.schema.ts';
import { testsOf, type Condition } from '../definition/condition.schema.ts';
import type { Journey } from '../definition/journey.schema.ts';
import {
  RESERVED_QUIET_TIMES,
  type Channel,
  type Compliance,
} from '../definition/sending.schema.ts';
import type { Given, Step } from '../definition/step.schemas.ts';
import { CONVERSATION_VARIABLES } from '../validation/value-types.ts';

export type PlaceholderKind =
  | 'trigger'
  | 'segment'
  | 'engagement'
  | 'message'
  | 'webhook'
  | 'complianceProfile'
  | 'quietTime'
  | 'attribute';

/** Something that the journey needs and nobody has yet. */
export interface Placeholder {
  readonly kind: PlaceholderKind;
  /** As the journey names it. */
  readonly name: string;
  /** Of an attribute: whose. `contact`, or the name of the asset. */
  readonly of: string | null;
  /** Of messages and engagements. */
  readonly channel: string | null;
  /** What there is of that kind, by name; at most 20. */
  readonly candidates: readonly string[];
}

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
type Assets = Mutable<JourneyAssets>;
type Named<K extends keyof Assets> = NonNullable<Assets[K]> extends (infer Item)[] ? Item : never;

const CANDIDATES_MAX = 20;

export interface Connected {
  readonly journey: Journey;
  readonly placeholders: readonly Placeholder[];
}

/** Whatever assets the journey itself has are replaced. Its shape must be right. */
export function connectAssets(journey: Journey, known: JourneyAssets = {}): Connected {
  const { assets: own, ...given } = journey;
  const connector = new Connector(known, own ?? {}, given);
  const rest = { ...given, steps: given.steps.map((step) => connector.withTopic(step)) };
  connector.connect(rest);
  const assets = connector.assets();
  return {
    journey: Object.keys(assets).length === 0 ? rest : { ...rest, assets },
    placeholders: connector.placeholders,
  };
}

class Connector {
  readonly placeholders: Placeholder[] = [];
  readonly #known: JourneyAssets;
  /** What the journey brought along: it says what kind of thing a placeholder is. */
  readonly #hints: JourneyAssets;
  readonly #used: Assets = {};
  /** Purposes of which a topic is named somewhere: nothing is sent for them without one. */
  readonly #withTopics: ReadonlySet<string>;

  constructor(known: JourneyAssets, hints: JourneyAssets, { steps }: Journey) {
    this.#known = known;
    this.#hints = hints;
    const all = [...steps, ...(hints.messages ?? [])];
    const named = all.flatMap((one) => ('compliance' in one ? [one.compliance] : []));
    this.#withTopics = new Set(named.flatMap((one) => (one.topic === undefined ? [] : keyOf(one))));
  }

  withTopic(step: Step): Step {
    return step.type === 'voice' ? { ...step, compliance: this.#chosen(step.compliance) } : step;
  }

  /** With a topic that is to be chosen, where its purpose has some and it names none. */
  #chosen(compliance: Compliance): Compliance {
    const { profile, topic } = compliance;
    const isKnown = this.#known.complianceProfiles?.some(({ name }) => name === profile) === true;
    if (isKnown || topic !== undefined || !this.#withTopics.has(keyOf(compliance)))
      return compliance;
    return { ...compliance, topic: TOPIC_TO_BE_CHOSEN };
  }

  assets(): JourneyAssets {
    const { frequencyCap } = this.#known;
    return { ...this.#used, ...(frequencyCap === undefined ? {} : { frequencyCap }) };
  }

  connect(journey: Journey): void {
    const { entry, exits, goal, steps } = journey;
    if (entry.kind === 'trigger') this.#trigger(entry.trigger, 'business');
    else this.#segment(entry.segment, 'dynamic');
    if (entry.exclude !== undefined) this.#segment(entry.exclude, 'dynamic');
    for (const rule of exits?.on ?? []) {
      if ('segment' in rule) this.#segment(rule.segment, 'dynamic');
      else this.#trigger(rule.trigger, 'business');
    }
    if (goal !== undefined) this.#trigger(goal.trigger, 'business');
    for (const step of steps) this.#step(step);
    if (entry.kind === 'trigger') this.#conditions(journey, entry.conditions, entry.trigger);
    for (const rule of [...(exits?.on ?? []), ...(goal === undefined ? [] : [goal])]) {
      if ('trigger' in rule) this.#conditions(journey, rule.conditions, rule.trigger);
    }
    for (const step of steps) this.#values(journey, step);
  }

  #step(step: Step): void {
    switch (step.type) {
      case 'voice':
        this.#engagement(step.engagement, 'voice');
        this.#compliance(step.compliance, 'voice');
        return this.#quietTime(step.quietTime);
      case 'sms':
        this.#engagement(step.engagement, 'sms');
        this.#message(step.message, 'sms');
        return this.#quietTime(step.quietTime);
      case 'message':
        this.#message(step.message, channelOf(step.to));
        this.#named('webhooks', 'webhook', { name: step.webhook }, null);
        return this.#quietTime(step.quietTime);
      case 'activateTrigger':
        return this.#trigger(step.trigger, 'custom');
      case 'waitFor':
        for (const on of step.on) {
          if ('trigger' in on) this.#trigger(on.trigger, 'business');
          if ('segment' in on) this.#segment(on.segment, 'dynamic');
        }
        return;
      default:
        return;
    }
  }

  /** What the step asks of attributes. */
  #values(journey: Journey, step: Step): void {
    switch (step.type) {
      case 'branch':
        for (const { when } of step.branches) this.#conditions(journey, when, null);
        return;
      case 'waitFor':
        for (const on of step.on) {
          if ('trigger' in on) this.#conditions(journey, on.conditions, on.trigger);
        }
        return;
      case 'wait': {
        const date = step.untilAttribute;
        if (date !== undefined) this.#attribute(journey, date, 'dateTime', null);
        return;
      }
      case 'voice':
      case 'sms':
      case 'message':
        return this.#given(journey, step.inputs);
      case 'activateTrigger':
        this.#given(journey, step.attributes);
        for (const name of Object.keys(step.attributes ?? {})) {
          this.#carried('triggers', step.trigger, 'attributes', name, 'text');
        }
        return;
      default:
        return;
    }
  }

  #given(journey: Journey, given: Readonly<Record<string, Given>> = {}): void {
    for (const source of Object.values(given)) {
      if ('from' in source) this.#attribute(journey, source, 'text', null);
    }
  }

  #conditions(journey: Journey, condition: Condition | undefined, trigger: string | null): void {
    if (condition === undefined) return;
    for (const { test } of testsOf(condition, '')) {
      if ('segment' in test) this.#segment(test.segment, 'dynamic');
      else {
        const type = typeOf(test);
        this.#attribute(journey, test, type, trigger);
        if (test.valueFrom !== undefined) this.#attribute(journey, test.valueFrom, type, trigger);
      }
    }
  }

  /** `trigger`: the one that is judged there. */
  #attribute(
    journey: Journey,
    { from, attribute }: { readonly from: string; readonly attribute: string },
    type: AttributeType,
    trigger: string | null,
  ): void {
    if (from === 'contact') return this.#contactAttribute(attribute, type);
    const { entry, steps } = journey;
    if (from === 'entry') {
      if (entry.kind !== 'trigger') return;
      return this.#carried('triggers', entry.trigger, 'attributes', attribute, type);
    }
    if (from === 'trigger') {
      if (trigger === null) return;
      return this.#carried('triggers', trigger, 'attributes', attribute, type);
    }
    const step = steps.find(({ id }) => id === from);
    if (step?.type === 'waitFor') {
      const [first] = step.on.filter((on) => 'trigger' in on);
      if (first === undefined) return;
      return this.#carried('triggers', first.trigger, 'attributes', attribute, type);
    }
    if (step?.type !== 'voice' && step?.type !== 'sms') return;
    if (CONVERSATION_VARIABLES.has(attribute)) return;
    this.#carried('engagements', step.engagement, 'resultAttributes', attribute, type);
  }

  #contactAttribute(name: string, type: AttributeType): void {
    if (CONTACT_ATTRIBUTES.includes(name)) return;
    const used = (this.#used.contactAttributes ??= []);
    if (used.some((item) => item.name === name)) return;
    const known = this.#known.contactAttributes?.find((item) => item.name === name);
    used.push(structuredClone(known) ?? { name, type, state: 'toBeConnected' });
    const names = [...CONTACT_ATTRIBUTES, ...(this.#known.contactAttributes ?? []).map(nameOf)];
    if (known === undefined) this.#missing('attribute', name, 'contact', null, names);
  }

  /** An attribute of a trigger or of what an engagement's calls bring back. */
  #carried(
    key: 'triggers' | 'engagements',
    owner: string,
    list: 'attributes' | 'resultAttributes',
    name: string,
    type: AttributeType,
  ): void {
    const asset = this.#used[key]?.find((item) => item.name === owner);
    if (asset === undefined) return;
    const holder = asset as {
      -readonly [K in typeof list]?: { name: string; type: AttributeType }[];
    };
    const attributes = (holder[list] ??= []);
    if (attributes.some((item) => item.name === name)) return;
    const isReady = (asset.state ?? 'ready') === 'ready';
    const names = attributes.map(nameOf);
    attributes.push({ name, type, ...(isReady ? { state: 'toBeConnected' as const } : {}) });
    if (isReady) this.#missing('attribute', name, owner, null, names);
  }

  #trigger(name: string, kind: 'business' | 'custom'): void {
    const hinted = this.#hints.triggers?.find((item) => item.name === name)?.kind ?? kind;
    this.#named('triggers', 'trigger', { name, kind: kind === 'custom' ? kind : hinted }, null);
  }

  #segment(name: string, kind: 'dynamic'): void {
    const hinted = this.#hints.segments?.find((item) => item.name === name)?.kind ?? kind;
    this.#named('segments', 'segment', { name, kind: hinted }, null);
  }

  #engagement(name: string, channel: 'voice' | 'sms'): void {
    this.#named('engagements', 'engagement', { name, channel }, channel);
  }

  #message(name: string, channel: Named<'messages'>['channel']): void {
    const hint = this.#hints.messages?.find((item) => item.name === name);
    const known = this.#known.messages?.find((item) => item.name === name);
    const compliance = known?.compliance ?? this.#chosen(hint?.compliance ?? TO_BE_CHOSEN);
    const used = hint?.channel ?? channel;
    this.#named(
      'messages',
      'message',
      { name, channel: used, compliance: { ...compliance } },
      used,
    );
    this.#compliance(compliance, known?.channel ?? used);
  }

  #compliance({ profile: name, purpose, topic }: Compliance, channel: Channel): void {
    const fresh = { name, channels: [channel], purposes: [newPurpose(purpose, topic)] };
    this.#named('complianceProfiles', 'complianceProfile', fresh, channel);
    const profile = this.#used.complianceProfiles?.find((item) => item.name === name);
    if (profile === undefined) return;
    // A known profile has the purposes that it has: what it lacks is a fault, nothing is invented.
    if (profile.state !== 'toBeConnected') return;
    if (!profile.channels.includes(channel)) profile.channels.push(channel);
    const held = profile.purposes.find((item) => item.name === purpose);
    if (held === undefined) profile.purposes.push(newPurpose(purpose, topic));
    else if (topic !== undefined) held.topics = [...new Set([...(held.topics ?? []), topic])];
  }

  #quietTime(name: string | undefined): void {
    if (name === undefined || (RESERVED_QUIET_TIMES as readonly string[]).includes(name)) return;
    const hinted = this.#hints.quietTimes?.find((item) => item.name === name);
    const { quiet = [], timeZone } = hinted ?? {};
    const fresh = { name, ...(timeZone === undefined ? {} : { timeZone }), quiet };
    this.#named('quietTimes', 'quietTime', fresh, null);
  }

  /** Takes the known asset over, or makes a placeholder of what is given. */
  #named<K extends Listed>(
    key: K,
    kind: PlaceholderKind,
    fresh: Named<K>,
    channel: string | null,
  ): void {
    const { name } = fresh as NamedAsset;
    const used = (this.#used[key] ??= []) as NamedAsset[];
    const known = (this.#known[key] ?? []) as readonly NamedAsset[];
    if (used.some((item) => item.name === name)) return;
    const found = known.find((item) => item.name === name);
    used.push(structuredClone(found) ?? { ...(fresh as NamedAsset), state: 'toBeConnected' });
    if (found === undefined) {
      const fitting = known.filter((item) => isFor(item, channel)).map(nameOf);
      this.#missing(kind, name, null, channel, fitting);
    } else if (key === 'complianceProfiles') {
      this.#quietTime((found as NamedAsset & { quietTime?: string }).quietTime);
    }
  }

  #missing(
    kind: PlaceholderKind,
    name: string,
    of: string | null,
    channel: string | null,
    candidates: readonly string[],
  ): void {
    this.placeholders.push({
      ...{ kind, name, of, channel },
      candidates: candidates.slice(0, CANDIDATES_MAX),
    });
  }
}

interface NamedAsset {
  readonly name: string;
  readonly state?: 'toBeConnected';
}

type Listed =
  | 'triggers'
  | 'segments'
  | 'engagements'
  | 'messages'
  | 'webhooks'
  | 'complianceProfiles'
  | 'quietTimes';

/** Who may be contacted for what is for people to say: a draft never chooses it. */
export const TO_BE_CHOSEN: Compliance = { profile: 'profileToChoose', purpose: 'purposeToChoose' };

const TOPIC_TO_BE_CHOSEN = 'topicToChoose';

function keyOf({ profile, purpose }: Compliance): string {
  return JSON.stringify([profile, purpose]);
}

function newPurpose(name: string, topic: string | undefined) {
  // Commercial is the stricter of the two.
  return { name, type: 'commercial' as const, ...(topic === undefined ? {} : { topics: [topic] }) };
}

function isFor(item: object, channel: string | null): boolean {
  if (channel === null) return true;
  if ('channel' in item) return item.channel === channel;
  return 'channels' in item && (item.channels as readonly string[]).includes(channel);
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function channelOf(to: string | undefined): 'sms' | 'email' | 'push' | 'custom' {
  if (to === 'push' || to === 'custom') return to;
  return to === 'mobile' || to === 'home' || to === 'business' ? 'sms' : 'email';
}

/** The type of value that an operator is for; text where it is for several. */
function typeOf({ operator, value }: Exclude<Test, { readonly segment: string }>): AttributeType {
  if (operator === 'isEmpty' || operator === 'hasValue') return 'text';
  const types = ['text', 'number', 'boolean', 'dateTime'] as const;
  const found = types.find((type) => (OPERATORS_OF[type] as readonly string[]).includes(operator));
  return found ?? (typeof value === 'number' ? 'number' : 'text');
}
