/** What holds for the whole journey: its name, clock, exits, goal, re-entry, quiet time and cap. */
import { durationText } from '../definition/duration.ts';
import { isTimeZone } from '../definition/instant.ts';
import { isRefused, type AttributeScene } from './attribute-phrases.ts';
import { takeCondition } from './condition-phrases.ts';
import type { DraftFrame } from './draft-frame.ts';
import { takeEventPhrase, triggerNamed, type Taken } from './entry-phrases.ts';
import { assetNamed, takeName, takeQuoted } from './named-things.ts';
import { takeHours } from './hours-phrases.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDuration } from './time-phrases.ts';
import { numberOf } from './words.ts';

export function takeSetting(reader: PhraseReader, frame: DraftFrame, scene: AttributeScene): Taken {
  return (
    takeJourneyName(reader, frame) ??
    takeZone(reader, frame) ??
    takeExit(reader, frame, scene) ??
    takeGoal(reader, frame, scene) ??
    takeReentry(reader, frame) ??
    takeCap(reader, frame) ??
    takeHours(reader, frame) ??
    takeQuietTime(reader, frame, scene) ??
    takeCancelling(reader, frame)
  );
}

function takeJourneyName(reader: PhraseReader, frame: DraftFrame): Taken {
  return reader.attempt((): Taken => {
    const head = reader.take(
      '(?:name|call|title) (?:it|the journey|this journey|this)(?= *")|(?:the )?(?:journey(?: is called|\'s name is)?|name|title)(?: is)?:?(?= *")',
    );
    const name = head === null ? null : takeQuoted(reader);
    if (name === null) return null;
    frame.name = name;
    return { means: `name: ${name}` };
  });
}

function takeZone(reader: PhraseReader, frame: DraftFrame): Taken {
  return reader.attempt((): Taken => {
    if (reader.take('(?:use |in |with )?(?:the )?time ?zone(?: is| of)?:?') === null) return null;
    reader.skipSpace();
    const start = reader.position;
    if (reader.take('[a-z]+(?:[/_+-][a-z0-9]+)*') === null) return null;
    const zone = reader.written(start);
    if (!isTimeZone(zone))
      return { refused: `'${zone}' is no IANA time zone such as Europe/Madrid` };
    frame.timeZone = zone;
    return { means: `time zone ${zone}` };
  });
}

const LEAVE =
  '(?:stop|end(?: the journey)?|exit|leave(?: the journey)?|(?:they|people) (?:leave|exit)(?: the journey)?|(?:take|remove) them(?: out| from the journey)*|quit|the journey ends|it ends|cancel(?: the journey)?)(?: for them| everything| at once| immediately| the journey)*';
const AS_SOON_AS =
  '(?:,? ?(?:if|when|whenever|as soon as|once|in case|should)(?: ever| at any time)?)';

/** `stop if they cancel`, `leave when they join the segment vip`. */
function takeExit(reader: PhraseReader, frame: DraftFrame, scene: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    if (reader.take(`(?:always )?${LEAVE}${AS_SOON_AS}`) === null) return null;
    const outcome = reader.attempt(() => {
      const condition = takeCondition(reader, { ...scene, engagement: null });
      const atoms = condition === null || isRefused(condition) ? [] : condition.when.flat();
      return atoms.some(({ kind }) => kind !== 'person') || null;
    });
    return outcome === null ? takeExitReason(reader, frame, scene) : null;
  });
}

/** The trigger or the segment that ends a run; null where it is an outcome, and so a branch. */
export function takeExitReason(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
): Taken {
  return reader.attempt((): Taken => {
    const rules: string[] = [];
    do {
      const segment = takeJoined(reader, scene);
      if (segment !== null) {
        frame.exits.push({ segment });
        rules.push(`joining ${segment}`);
        continue;
      }
      reader.take('(?:the )?trigger');
      const isQuoted = reader.isAtQuote;
      const phrase = takeEventPhrase(reader);
      const trigger = phrase === null ? null : triggerNamed(phrase, scene, isQuoted);
      if (trigger === null) return null;
      reader.take('(?:happens|fires|is raised|comes|occurs)');
      frame.exits.push({ trigger });
      rules.push(trigger);
    } while (reader.take('or(?: if| when)?') !== null);
    reader.take(',? ?(?:at any time|wherever they are|at any step|whenever that is)');
    return { means: `exit on ${rules.join(', ')}` };
  });
}

function takeJoined(reader: PhraseReader, { assets }: AttributeScene): string | null {
  return reader.attempt(() => {
    reader.take('they|somebody|someone|the (?:customer|person|contact)');
    const head =
      reader.take(
        '(?:joins?|enters?|are added to|is added to|become members of|becomes a member of|are in|is in) (?:the |our )?(?:segment|list)',
      ) ?? reader.take('(?:joins?|enters?) (?=")');
    if (head === null) return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    return name === null ? null : assetNamed(name, assets.segments ?? [], { isQuoted });
  });
}

/** `the goal is that 60% pay the invoice`, `goal: orderPlaced, 5%`. */
function takeGoal(reader: PhraseReader, frame: DraftFrame, scene: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    if (
      reader.take(
        '(?:the |our )?(?:goal|aim|target)(?: of (?:the|this) journey)?(?: is| are)?:?(?: that| for)?|we want|(?:it|this) succeeds when',
      ) === null
    ) {
      return null;
    }
    const first = takePercent(reader);
    reader.take('to|that they');
    reader.take('(?:the )?trigger');
    const isQuoted = reader.isAtQuote;
    const phrase = takeEventPhrase(reader);
    if (phrase === null) return null;
    const trimmed = phrase.replace(/ (?:for|by|from)$/i, '');
    const trigger = triggerNamed(trimmed, scene, isQuoted);
    if (trigger === null) return null;
    reader.take(',');
    reader.take('for|by|from|at least');
    const percent = first ?? takePercent(reader) ?? GOAL_PERCENT;
    if (percent < 1 || percent > 100) return { refused: 'a goal is for 1 to 100 % of the people' };
    frame.goal = { trigger, targetPercent: percent };
    return { means: `goal: ${trigger} for ${percent} %` };
  });
}

/** Where a text wants something and does not say of how many. */
export const GOAL_PERCENT = 50;

function takePercent(reader: PhraseReader): number | null {
  return reader.attempt(() => {
    const found = reader.take(
      '(?:at least )?(\\d{1,3}(?:\\.\\d{1,2})?) ?(?:percent|%)(?: of (?:them|the people|people|all|those|the customers|customers))?',
    );
    const half = found === null ? reader.take('half(?: of (?:them|the people|all))?') : null;
    if (half !== null) return 50;
    return found === null ? null : (numberOf(found[1] ?? '') ?? null);
  });
}

function takeReentry(reader: PhraseReader, frame: DraftFrame): Taken {
  return reader.attempt((): Taken => {
    const people = '(?:people|they|everyone|a person|customers|somebody|the same person) ';
    if (
      reader.take(
        `(?:${people})?(?:enter|may enter|can enter) (?:only once|just once|one time only)|(?:only once|once) per (?:person|customer)|` +
          `(?:${people})?(?:never|may not|cannot|can not) (?:re-?enter|enter (?:again|twice))|no re-?entry`,
      ) !== null
    ) {
      frame.reentry = { allow: 'never' };
      return { means: 'entering again: never' };
    }
    if (
      reader.take(
        `(?:${people})?(?:may|can) (?:re-?enter|enter again|come in again|come back)(?: the journey)?|allow (?:re-?entry|people to (?:re-?enter|enter again))|re-?entry(?: is allowed)?`,
      ) === null
    ) {
      return null;
    }
    const delay = reader.attempt(() =>
      reader.take('after|once|no sooner than') === null ? null : takeDuration(reader),
    );
    reader.take('later');
    reader.take('at any time|any time|always|whenever');
    frame.reentry =
      delay === null ? { allow: 'always' } : { allow: 'afterDelay', delay: durationText(delay) };
    return {
      means: `entering again: ${delay === null ? 'always' : `after ${durationText(delay)}`}`,
    };
  });
}

function takeCap(reader: PhraseReader, frame: DraftFrame): Taken {
  const head = reader.take(
    '(ignore|bypass|skip|respect|keep to|obey|apply) (?:the |any )?frequency caps?',
  );
  if (head === null) return null;
  frame.bypassesCap = ['ignore', 'bypass', 'skip'].includes(head[1] ?? '');
  return { means: `frequency cap: ${frame.bypassesCap ? 'bypass' : 'apply'}` };
}

function takeQuietTime(reader: PhraseReader, frame: DraftFrame, { assets }: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    if (reader.take('(?:ignore|disregard|skip) (?:the |any )?quiet (?:times?|hours)') !== null) {
      if (frame.quietHours.length > 0) return { refused: HOURS_SAID };
      frame.quietTime = 'none';
      return { means: 'quiet time: none' };
    }
    const head = reader.take(
      '(?:use|respect|keep to|observe|apply|with|mind)(?: the)? quiet (?:times?|hours)',
    );
    if (head === null) return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader, 4);
    if (frame.quietHours.length > 0) return { refused: HOURS_SAID };
    frame.quietTime =
      name === null ? 'inherit' : assetNamed(name, assets.quietTimes ?? [], { isQuoted });
    return { means: `quiet time: ${frame.quietTime}` };
  });
}

const HOURS_SAID = 'the text has said hours before: one or the other';

function takeCancelling(reader: PhraseReader, frame: DraftFrame): Taken {
  const head = reader.take(
    "(?:do not|don't) (?:cancel|withdraw) (?:calls|conversations)(?: (?:that|which) (?:were|have been|are) (?:already )?(?:asked for|requested))?(?: when they leave)?",
  );
  if (head === null) return null;
  frame.cancelsConversations = false;
  return { means: 'exits leave calls that were asked for' };
}
