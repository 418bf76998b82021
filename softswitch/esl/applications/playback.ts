/** `playback` and `endless_playback`. */
import type { AppRun } from '../app-run.ts';
import { toInteger } from '../arguments.ts';
import { lasting, type Application } from './application.ts';
import { playFiles, type PlayStatus } from './play-files.ts';

const RESPONSES: Readonly<Record<PlayStatus, string>> = {
  played: 'FILE PLAYED',
  break: 'FILE PLAYED',
  notFound: 'FILE NOT FOUND',
  timeout: 'PLAYBACK ERROR',
  hangup: 'PLAYBACK ERROR',
};

/** `playback <file>[@@<sample>]`, or a list parted by `playback_delimiter`. */
export const playback: Application = lasting('playback', async (run) => {
  const [files, startSample] = splitOffset(run.request.argument);
  run.channel.variables.set('playback_terminator_used', undefined);
  const status = await playFiles(run, files, { startSample, onDigit: terminates(run) });
  run.respond(RESPONSES[status]);
});

/** Again and again until something ends it; a file that cannot be played ends it too. */
export const endlessPlayback: Application = lasting('endless_playback', async (run) => {
  for (;;) {
    const status = await playFiles(run, run.request.argument);
    if (status !== 'played') return;
  }
});

/** Digits that end a playback: `playback_terminators`, by default the star; `any`, `none`. */
export function terminates(run: AppRun): (digit: string) => boolean {
  const { variables } = run.channel;
  const wanted = variables.get('playback_terminators') ?? '*';
  const lower = wanted.toLowerCase();
  const terminators = lower === 'any' ? '1234567890*#' : lower === 'none' ? '' : wanted;
  return (digit) => {
    if (!terminators.includes(digit)) return false;
    variables.set('playback_terminator_used', digit);
    return true;
  };
}

function splitOffset(argument: string): [files: string, startSample: number] {
  const at = argument.indexOf('@@');
  return at === -1
    ? [argument, 0]
    : [argument.slice(0, at), Math.max(0, toInteger(argument.slice(at + 2)))];
}
