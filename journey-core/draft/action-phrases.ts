/** What is to be done: calls, messages, waits, tasks, ends. One verb with everything that belongs to it. */
import { durationText } from '../definition/duration.ts';
import type { Compliance } from '../definition/sending.schema.ts';
import type { AttributeScene, Refused } from './attribute-phrases.ts';
import { TO_BE_CHOSEN } from './connect-assets.ts';
import type { SimpleStep } from './draft-plan.ts';
import { assetNamed, takeName, takeQuoted } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeText } from './take-text.ts';
import { takeShare, type Share } from './share-phrases.ts';
import { takeDuration } from './time-phrases.ts';
import { lasting, takeDateName, takeTiming, type WaitSpec } from './timing-phrases.ts';
import { meantName, nameOf, NUMBER, numberOf } from './words.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
/** A step without its id; `name` is what its id is made of. */
export type NewStep = WithoutId<SimpleStep>;

export type MessageChannel = 'email' | 'sms' | 'push' | 'custom';

export type Action =
  | {
      readonly kind: 'step';
      readonly name: string;
      /** Fields `message` and `engagement` may be empty: the step's id is taken. */
      readonly step: NewStep;
      readonly message?: { readonly channel: MessageChannel; readonly compliance: Compliance };
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'await'; readonly timeoutMs: number | null }
  | { readonly kind: 'awaitTrigger'; readonly trigger: string; readonly timeoutMs: number | null };

export interface ReadAction {
  readonly action: Action;
  /** To be waited for before. */
  readonly before: readonly WaitSpec[];
  /** How often it is tried in all, and how far apart. */
  readonly times: number | null;
  readonly everyMs: number | null;
  /** Whom: a share of people, or a segment that they enter by. */
  readonly share: Share | null;
  readonly segment: string | null;
}

interface Modifiers {
  engagement: string | null;
  message: string | null;
  webhook: string | null;
  about: string | null;
  profile: string | null;
  purpose: string | null;
  topic: string | null;
  sendWithin: string | null;
  quietTime: string | null;
  share: Share | null;
  segment: string | null;
  times: number | null;
  everyMs: number | null;
  before: WaitSpec[];
}

const PERSON =
  '(?:them|him|her|(?:each|every|the|that|this)(?: other)? (?:customer|person|contact|client|patient|member|subscriber|user)s?|' +
  'people|customers|everyone|everybody|those people|these people|all of them|each of them)';

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
      takeActivity(reader, scene) ??
      takeTriggerStep(reader, scene) ??
      takeWait(reader, scene) ??
      takeEnd(reader);
    if (found === null) return null;
    if ('refused' in found) return found;
    const modifiers = found.modifiers ?? noModifiers();
    takeModifiers(reader, scene, found, modifiers, refusal);
    if (refusal.refused !== null) return { refused: refusal.refused };
    const { before, times, everyMs, share, segment } = modifiers;
    const finished = finish(found, modifiers, scene);
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

type Draft =
  | { readonly verb: 'voice' | 'sms' }
  | { readonly verb: 'message'; readonly channel: MessageChannel; readonly word: string }
  | { readonly verb: 'other'; readonly action: Action };
type Found = Draft & { readonly before?: readonly WaitSpec[]; readonly modifiers?: Modifiers };

function noModifiers(): Modifiers {
  return {
    ...{ engagement: null, message: null, webhook: null, about: null, profile: null },
    ...{ purpose: null, topic: null, sendWithin: null, quietTime: null, share: null },
    ...{ segment: null, times: null, everyMs: null, before: [] },
  };
}

/** `them`, `half of them`, `everyone in the segment vip`. */
function takeWhom(reader: PhraseReader, modifiers: Modifiers): boolean {
  const share = takeShare(reader);
  if (share !== null) {
    modifiers.share = share;
    return true;
  }
  const segment = takeSegmentObject(reader);
  if (segment !== null) {
    modifiers.segment = segment;
    return true;
  }
  return reader.take(PERSON) !== null;
}

/** The segment as it was written. */
export function takeSegmentObject(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    const head =
      reader.take(
        '(?:everyone|everybody|anyone|all|(?:all |the |all the |every |each )?(?:members?|people|customers?|contacts?|clients?|patients?|subscribers?))(?: (?:who|that) (?:is|are))? (?:in|of|from|on) (?:the |our )?(?:segment|list|audience)',
      ) ??
      reader.take('the (?:segment|list)|segment') ??
      reader.take(
        '(?:everyone|everybody|(?:all |the |all the )?(?:members|people|customers|contacts|clients|patients|subscribers))(?: (?:who|that) are)? (?:in|of|from) (?=")',
      );
    if (head === null) return null;
    return takeQuoted(reader) ?? takeName(reader);
  });
}

function takeConversation(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    if (
      reader.take(
        '(?:have|let|get|ask) (?:the|an?|our) (?:(?:ai|voice) )?(?:agent|assistant|bot) (?:to )?(?:call|phone|ring)',
      ) !== null ||
      reader.take('(?:call|calls|phone|phones|ring|telephone)(?! (?:it|this|activity))') !== null
    ) {
      if (reader.sees('activity')) return null;
      takeWhom(reader, modifiers);
      reader.take('up(?! to)|by phone');
      return { verb: 'voice', modifiers };
    }
    if (reader.take('(?:give|make|place|start)') !== null) takeWhom(reader, modifiers);
    else reader.take('gets?|receives?');
    if (
      reader.take(
        '(?:an?|another|the|one) (?:(?:phone|voice|automated|first|second|outbound) )?call(?! (?:activity|task))|(?:an? )?voice conversation',
      ) === null
    ) {
      return null;
    }
    reader.attempt(() => (reader.take('to|with') !== null && takeWhom(reader, modifiers)) || null);
    return { verb: 'voice', modifiers };
  });
}

function takeSms(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    reader.take('start|begin|open|have|hold|gets?');
    if (
      reader.take('(?:an? |the )?(?:sms|text(?:[- ]message)?) (?:conversation|chat|dialogue)') ===
      null
    ) {
      return null;
    }
    reader.attempt(() => (reader.take('with') !== null && takeWhom(reader, modifiers)) || null);
    return { verb: 'sms', modifiers };
  });
}

const CHANNEL_WORDS: readonly (readonly [string, MessageChannel])[] = [
  ['e-?mails?|mail|newsletter', 'email'],
  ['sms(?: message)?|text messages?|text', 'sms'],
  ['push(?: notification| message)?', 'push'],
  ['whatsapp(?: message)?|letter|chat message', 'custom'],
];

function takeMessage(reader: PhraseReader, { assets }: AttributeScene): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    const verb = reader.take('(e-?mail|text|whatsapp)(?= )');
    if (verb !== null && takeWhom(reader, modifiers)) {
      const word = verb[1] ?? '';
      const channel = word.startsWith('e') ? 'email' : word === 'text' ? 'sms' : 'custom';
      return { verb: 'message', channel, word, modifiers };
    }
    if (verb !== null) return null;
    if (reader.take('sends?|deliver') !== null) takeWhom(reader, modifiers);
    else reader.take('gets?|receives?|(?:is|are) sent');
    reader.take('an?|the|another|one|our');
    const isQuoted = reader.isAtQuote;
    const early = takeMessageName(reader);
    if (early !== null) modifiers.message = assetNamed(early, assets.messages ?? [], { isQuoted });
    for (const [pattern, channel] of CHANNEL_WORDS) {
      const word = reader.take(`(${pattern})`);
      if (word === null) continue;
      reader.attempt(() => (reader.take('to') !== null && takeWhom(reader, modifiers)) || null);
      return { verb: 'message', channel, word: word[1] ?? '', modifiers };
    }
    return null;
  });
}

/** A name before its kind: `the "Delivery moved" e-mail`, `a welcome e-mail`. */
function takeMessageName(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    const kinds = CHANNEL_WORDS.map(([pattern]) => pattern).join('|');
    const quoted = takeQuoted(reader);
    if (quoted !== null) return reader.sees(kinds) ? quoted : null;
    reader.skipSpace();
    const start = reader.position;
    for (let words = 1; words <= 3; words += 1) {
      if (reader.sees(kinds) || reader.take('[\\p{L}][\\p{L}\\p{N}-]*') === null) return null;
      if (reader.sees(kinds)) return reader.written(start);
    }
    return null;
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

function other(action: Action, before: readonly WaitSpec[] = []): Found {
  return { verb: 'other', action, before };
}

const OUTCOME_WORD =
  '(?:(?:the|an?|their|what came of it)?(?: ?(?:call|delivery))?(?: ?(?:outcome|result|answer|reply|response))|what comes of it)';
const LIMIT = '(?:for )?(?:up to|at most|no longer than|within|for|a maximum of)';

function takeWait(reader: PhraseReader, scene: AttributeScene): Found | Refused | null {
  return reader.attempt((): Found | Refused | null => {
    if (reader.take('waits?|pause|hold on') === null) return null;
    const first = reader.attempt(() => {
      if (reader.take('up to|at most') === null) return null;
      const ms = takeDuration(reader);
      return ms !== null && reader.take(`(?:for|until)`) !== null ? ms : null;
    });
    if (reader.take(`(?:for |until )?${OUTCOME_WORD}(?: of the call| is known| comes)?`) !== null) {
      return other({ kind: 'await', timeoutMs: first ?? takeLimit(reader) });
    }
    const trigger = takeAwaitedTrigger(reader, scene);
    if (trigger !== null) {
      return other({ kind: 'awaitTrigger', trigger, timeoutMs: first ?? takeLimit(reader) });
    }
    if (first !== null) return null;
    if (reader.take('until|till') !== null) {
      const at = takeTiming(reader, scene) ?? dateOf(reader, scene);
      return at === null || 'refused' in at ? at : other({ kind: 'nothing' }, [at]);
    }
    reader.take('(?:for )?(?:another )?(?:at least )?');
    reader.take('for');
    const ms = takeDuration(reader);
    if (ms === null || ms === 0) return null;
    reader.take('more|longer');
    const spec = lasting(ms);
    return 'refused' in spec ? spec : other({ kind: 'nothing' }, [spec]);
  });
}

function dateOf(reader: PhraseReader, scene: AttributeScene): WaitSpec | Refused | null {
  const date = takeDateName(reader, scene);
  return date === null || 'refused' in date ? date : { untilAttribute: date };
}

function takeAwaitedTrigger(reader: PhraseReader, { assets }: AttributeScene): string | null {
  return reader.attempt(() => {
    if (reader.take('(?:for|until) (?:the )?(?:trigger|event)') === null) return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    if (name === null) return null;
    reader.take('happens|comes|is raised|fires');
    return assetNamed(name, assets.triggers ?? [], { isQuoted, fallback: 'trigger' });
  });
}

function takeLimit(reader: PhraseReader): number | null {
  return reader.attempt(() => {
    reader.take(',');
    return reader.take(LIMIT) === null ? null : takeDuration(reader);
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

function takeRetry(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const found =
      reader.take(
        `(?:call|phone|ring|try|try calling|dial)(?: ${PERSON})?(?: to (?:call|reach)(?: ${PERSON})?)? (?:again|once more|back)`,
      ) ?? reader.take(`(?:retry|try (?:once|one) more(?: time)?|repeat (?:the call|it|this))`);
    return found === null ? null : other({ kind: 'retry' });
  });
}

function takeActivity(reader: PhraseReader, scene: AttributeScene): Found | null {
  return takeTask(reader, scene) ?? takeColleague(reader, scene);
}

const TASK_END =
  ', |,$|and then|then|due|within \\d|if|unless|otherwise|and (?=(?:send|call|wait|stop|end|e-?mail|text|create))';

function takeTask(reader: PhraseReader, scene: AttributeScene): Found | null {
  return reader.attempt((): Found | null => {
    const head = reader.take(
      '(?:create|add|open|make|assign|raise|give|plan|set up)(?: (?:them|somebody|someone))? (?:an? |the )?(?:(phone call)(?: activity| task)?|task|ticket|to-?do|activity)',
    );
    if (head === null) return null;
    const activity = head[1] === undefined ? ('task' as const) : ('phoneCall' as const);
    let assignTo = takeAssignee(reader);
    reader.take(':|called|named|titled|to|with the subject|saying');
    const subject =
      takeQuoted(reader) ??
      takeText(reader, `${TASK_END}|for (?:the )?(?:queue|team|representative)|assigned to`);
    assignTo ??= takeAssignee(reader);
    return other(activityStep(activity, subject, assignTo, takeDue(reader, scene)));
  });
}

function takeColleague(reader: PhraseReader, scene: AttributeScene): Found | null {
  return reader.attempt((): Found | null => {
    const head = reader.take('(?:ask|tell|have|let|get)');
    if (head === null) return null;
    const anybody = reader.take(
      '(?:somebody|someone|a (?:person|colleague|representative|rep|human|member of staff))(?: (?:of|from|in)(?: the)?)?',
    );
    const from = /(?:of|from|in)(?: +the)? *$/.test(anybody?.[0] ?? '');
    const named = anybody === null || from ? takeAssigneeName(reader) : null;
    if (anybody === null && named === null) return null;
    reader.take('to');
    const call = reader.take(`(?:call|phone|ring)(?: ${PERSON})?(?: back)?`);
    const subject = takeText(reader, TASK_END);
    if (call === null && subject === '') return null;
    const about = call === null ? subject : `Call back${subject === '' ? '' : ` ${subject}`}`;
    return other(
      activityStep(call === null ? 'task' : 'phoneCall', about, named, takeDue(reader, scene)),
    );
  });
}

function activityStep(
  activity: 'task' | 'phoneCall',
  subject: string,
  assignTo: string | null,
  dueIn: string | null,
): Action {
  const asked = subject === '' ? (activity === 'task' ? 'Look into it' : 'Call back') : subject;
  const upper = `${asked.charAt(0).toUpperCase()}${asked.slice(1)}`.slice(0, 200);
  return {
    ...{ kind: 'step', name: activity === 'task' ? 'task' : 'phoneCall' },
    step: {
      ...{ type: 'activity', activity, subject: upper },
      ...(assignTo === null ? {} : { assignTo }),
      ...(dueIn === null ? {} : { dueIn }),
    },
  };
}

function takeAssignee(reader: PhraseReader): string | null {
  return reader.attempt(() =>
    reader.take('for|to (?=the (?:queue|team))|assigned to') === null
      ? null
      : takeAssigneeName(reader),
  );
}

function takeAssigneeName(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    reader.take('(?:(?:the|our) )?(?:queue|team|representative)|the|our');
    const name = takeQuoted(reader) ?? takeName(reader, 2);
    reader.take('queue|team');
    if (name === null || /^(?:them|it|this)$/i.test(name)) return null;
    return name.replace(/ (?:queue|team)$/i, '');
  });
}

function takeDue(reader: PhraseReader, _scene: AttributeScene): string | null {
  return reader.attempt(() => {
    reader.take(',');
    if (reader.take('(?:which is |that is )?due (?:in|within|after)|within') === null) return null;
    const ms = takeDuration(reader);
    return ms === null ? null : durationText(ms);
  });
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

function takeTimes(reader: PhraseReader, modifiers: Modifiers): boolean {
  const done = reader.attempt(() => {
    reader.take(',');
    const word = reader.take(
      '(?:(?:for )?(?:up to|at most|no more than|a maximum of|maximum) )?(once|twice|thrice)(?: more)?',
    );
    if (word !== null) {
      modifiers.times = ['once', 'twice', 'thrice'].indexOf(word[1] ?? '') + 1;
      return true;
    }
    const times = reader.take(
      `(?:(?:for )?(?:up to|at most|no more than|a maximum of|maximum) )?(${NUMBER})(?: more| further| additional)? times(?: (?:in all|in total|more))?`,
    );
    if (times !== null) {
      modifiers.times = numberOf(times[1] ?? '') ?? null;
      return true;
    }
    if (
      reader.take(
        'until (?:they|somebody|someone|the customer) (?:answers?|picks? up|is reached|are reached)',
      ) !== null
    ) {
      modifiers.times ??= UNTIL_REACHED_TIMES;
      return true;
    }
    reader.take('and');
    const unit = reader.take('every (hour|day|week)(?! on)');
    if (unit !== null) {
      modifiers.everyMs = EVERY_MS[unit[1] ?? ''] ?? null;
      return true;
    }
    const isEvery = reader.take('every') !== null;
    const ms = takeDuration(reader);
    if (ms === null || ms === 0 || (!isEvery && reader.take('apart') === null)) return null;
    modifiers.everyMs = ms;
    return true;
  });
  return done !== null;
}

const EVERY_MS: Readonly<Record<string, number>> = {
  ...{ hour: 3_600_000, day: 86_400_000, week: 604_800_000 },
};

/** `until they answer` without a number. */
const UNTIL_REACHED_TIMES = 3;

function takeSendingModifier(
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

function takeAsset(
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
    const webhook = meantName(
      bare,
      (assets.webhooks ?? []).map(({ name }) => name),
    );
    if (webhook !== undefined || /webhook$/i.test(written)) {
      modifiers.webhook = webhook ?? assetNamed(bare, []);
      return true;
    }
    const known = meantName(
      bare,
      (assets.messages ?? []).map(({ name }) => name),
    );
    if (known === undefined && !isNamed) return null;
    modifiers.message = known ?? assetNamed(bare, [], { isQuoted });
    return true;
  }
  const known = meantName(
    bare,
    (assets.engagements ?? []).map(({ name }) => name),
  );
  if (known === undefined && !isNamed) return null;
  modifiers.engagement = known ?? assetNamed(bare, [], { isQuoted });
  return true;
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

function finish(found: Found, modifiers: Modifiers, scene: AttributeScene): Action {
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
  const meant = meantName(
    about,
    known.map(({ name }) => name),
  );
  return meant ?? nameOf(about, '');
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
