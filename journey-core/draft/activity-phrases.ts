/** Work for people: tasks and calls by a colleague, for whom, and until when. */
import { durationText } from '../definition/duration.ts';
import { other, type Found } from './action-modifiers.ts';
import { takeName, takeQuoted } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import type { Action } from './read-action.ts';
import { takeText } from './take-text.ts';
import { takeDuration } from './time-phrases.ts';
import { PERSON } from './whom-phrases.ts';

export function takeActivity(reader: PhraseReader): Found | null {
  return takeTask(reader) ?? takeColleague(reader);
}

const TASK_END =
  ', |,$|and then|then|due|within \\d|if|unless|otherwise|and (?=(?:send|call|wait|stop|end|e-?mail|text|create))';

function takeTask(reader: PhraseReader): Found | null {
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
    return other(activityStep(activity, subject, assignTo, takeDue(reader)));
  });
}

function takeColleague(reader: PhraseReader): Found | null {
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
    return other(activityStep(call === null ? 'task' : 'phoneCall', about, named, takeDue(reader)));
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

function takeDue(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    reader.take(',');
    if (reader.take('(?:which is |that is )?due (?:in|within|after)|within') === null) return null;
    const ms = takeDuration(reader);
    return ms === null ? null : durationText(ms);
  });
}
