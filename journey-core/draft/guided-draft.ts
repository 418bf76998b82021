/** Guided mode: questions whose answers make a text of documented sentences, and so a draft. */

export interface GuidedQuestion {
  readonly id: GuidedQuestionId;
  readonly question: string;
  /** Null: any words. */
  readonly choices: readonly string[] | null;
  readonly isRequired: boolean;
  /** An answer as it may be. */
  readonly example: string;
}

export type GuidedQuestionId =
  | 'entryKind'
  | 'entry'
  | 'rhythm'
  | 'exclude'
  | 'wait'
  | 'first'
  | 'about'
  | 'onAnswered'
  | 'onNotReached'
  | 'retries'
  | 'exit'
  | 'goal';
export type GuidedAnswers = Readonly<Partial<Record<GuidedQuestionId, string>>>;

const THEN = ['nothing', 'email', 'sms', 'call', 'task'];

export const GUIDED_QUESTIONS: readonly GuidedQuestion[] = [
  choice('entryKind', 'What lets people in?', ['segment', 'trigger'], 'segment', true),
  words('entry', 'Which segment, or which trigger?', 'delivery tomorrow', true),
  choice('rhythm', 'A segment: how often?', ['once', 'ongoing', 'daily', 'weekly'], 'daily'),
  words('exclude', 'Members of which segment never enter?', 'staff'),
  words('wait', 'How long is waited before something is done?', '2 hours'),
  choice('first', 'What is done first?', ['call', 'email', 'sms'], 'call', true),
  words('about', 'What is it about?', 'the delivery'),
  choice('onAnswered', 'When somebody answers, or opens the message?', THEN, 'nothing'),
  choice('onNotReached', 'When nobody is reached, or it is not opened?', THEN, 'sms'),
  choice('retries', 'How often is a call tried again?', ['0', '1', '2', '3'], '1'),
  words('exit', 'What ends the journey wherever somebody is?', 'the delivery is cancelled'),
  words('goal', 'What should people do in the end?', 'confirm the delivery'),
];

function choice(
  id: GuidedQuestionId,
  question: string,
  choices: readonly string[],
  example: string,
  isRequired = false,
): GuidedQuestion {
  return { id, question, choices, isRequired, example };
}

function words(
  id: GuidedQuestionId,
  question: string,
  example: string,
  isRequired = false,
): GuidedQuestion {
  return { id, question, choices: null, isRequired, example };
}

export interface GuidedFault {
  readonly id: string;
  readonly problem: string;
}

export const GUIDED_ANSWER_MAX = 100;

export function guidedFaults(answers: Readonly<Record<string, string>>): readonly GuidedFault[] {
  const asked = new Map<string, GuidedQuestion>(GUIDED_QUESTIONS.map((one) => [one.id, one]));
  const strays = Object.keys(answers).filter((id) => !asked.has(id));
  return [
    ...strays.map((id) => ({ id, problem: 'is no question' })),
    ...GUIDED_QUESTIONS.flatMap(({ id, choices, isRequired }): GuidedFault[] => {
      const answer = answers[id]?.trim() ?? '';
      if (answer === '') return isRequired ? [{ id, problem: 'is not answered' }] : [];
      if (answer.length > GUIDED_ANSWER_MAX) return [{ id, problem: 'is too long' }];
      if (choices === null || choices.includes(answer)) return [];
      return [{ id, problem: `is one of ${choices.join(', ')}` }];
    }),
  ];
}

const RHYTHMS: Readonly<Record<string, string>> = {
  ...{ once: ', once', ongoing: '', daily: ', daily', weekly: ', weekly' },
};
const ACTIONS: Readonly<Record<string, string>> = {
  ...{ nothing: 'do nothing', email: 'send an e-mail', sms: 'send an SMS', call: 'call them' },
  task: 'create a task',
};

/** The sentences that the answers stand for; the answers must have no faults. */
export function guidedText(answers: GuidedAnswers): string {
  const of = (id: GuidedQuestionId): string => (answers[id] ?? '').replace(/["\s]+/g, ' ').trim();
  const about = of('about') === '' ? '' : ` about ${of('about')}`;
  const rhythm = of('rhythm');
  const isCall = of('first') === 'call';
  const retries = Number(of('retries'));
  const entry =
    of('entryKind') === 'trigger'
      ? `Whenever the trigger "${of('entry')}" happens`
      : rhythm === 'ongoing'
        ? `When somebody joins the segment "${of('entry')}"`
        : `For members of the segment "${of('entry')}"${RHYTHMS[rhythm] ?? ''}`;
  const wait = of('wait') === '' ? '' : `, wait ${of('wait')}`;
  const first = `${entry}${wait}${wait === '' ? ',' : ' and'} ${ACTIONS[of('first')] ?? ''}${about}.`;
  const answered = of('onAnswered');
  const missed = of('onNotReached');
  const yes = isCall ? 'they answer' : 'they open it';
  const no = isCall ? 'they do not answer' : 'they do not open it';
  const again =
    isCall && retries > 0 ? `wait 2 hours and call again, at most ${retries} times` : '';
  const followUp = (action: string): string =>
    action === 'task' ? 'create a task' : (ACTIONS[action] ?? '');
  return [
    first,
    ...(answered === '' ? [] : [`If ${yes}, ${followUp(answered)}.`]),
    ...(again === '' ? [] : [`If ${no}, ${again}.`]),
    ...(missed === '' ? [] : [`If ${no}, ${followUp(missed)}.`]),
    ...(of('exclude') === '' ? [] : [`Leave out members of the segment "${of('exclude')}".`]),
    ...(of('exit') === '' ? [] : [`Stop if ${of('exit')}.`]),
    ...(of('goal') === '' ? [] : [`The goal is that 50% ${of('goal')}.`]),
  ].join(' ');
}
