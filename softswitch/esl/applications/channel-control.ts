/** Applications that act at once on the channel: variables, hang-up, digits, mutes. */
import type { AppRun } from '../app-run.ts';
import { splitArguments, toInteger } from '../arguments.ts';
import { isTrue } from '../channel-variables.ts';
import { causeNamed } from '../hangup-cause.ts';
import { instant, lasting, type Application } from './application.ts';

export const channelControl: readonly Application[] = [
  instant('answer', (run) => {
    if (run.channel.answeredAtMs === undefined) run.channel.answered();
  }),
  instant('pre_answer', () => undefined), // answered before any application runs
  instant('park', () => undefined), // already parked: FreeSWITCH refuses a second park inside one
  instant('set', (run) => setVariable(run, run.request.argument)),
  instant('multiset', (run) => {
    const { argument } = run.request;
    const list = argument.startsWith('^^') ? argument.slice(3) : argument;
    for (const entry of list.split(argument.startsWith('^^') ? argument.charAt(2) : ' ')) {
      setVariable(run, entry);
    }
  }),
  instant('export', exportVariable),
  instant('unset', (run) => run.channel.variables.set(run.request.argument.trim(), undefined)),
  instant('multiunset', (run) => {
    for (const name of splitArguments(run.request.argument))
      run.channel.variables.set(name, undefined);
  }),
  instant('hangup', (run) => {
    const { argument } = run.request;
    run.channel.hangUp(argument === '' ? 'NORMAL_CLEARING' : causeNamed(argument));
  }),
  instant('send_dtmf', (run) => void run.channel.media.sendDigits(run.request.argument)),
  instant('flush_dtmf', (run) => run.channel.digits.clear()),
  instant('set_mute', (run) => {
    const [direction, value] = splitArguments(run.request.argument);
    if (direction !== 'read' && direction !== 'write') return;
    run.channel.media.mute(direction, isTrue(value));
  }),
  instant('sched_hangup', (run) => {
    const [when = '', cause] = splitArguments(run.request.argument);
    run.channel.core.scheduler.hangUp(run.channel, when, cause);
  }),
  // No speech engine and no language module is loaded: as in FreeSWITCH then, nothing is heard.
  instant('say', () => undefined),
  instant('speak', () => undefined),
  instant('phrase', () => undefined),
  {
    ...lasting('sleep', async (run) => {
      await run.sleep(Math.max(0, toInteger(run.request.argument)));
    }),
    leavesMediaAlone: true,
  },
];

/** `name=value`; the value is expanded once more, as FreeSWITCH does; an empty one unsets. */
function setVariable(run: AppRun, assignment: string): void {
  const [, name, value] = /^\s*([^=,]+)[=,]?([\s\S]*)$/.exec(assignment) ?? [];
  if (name === undefined) return;
  run.channel.variables.set(name, run.channel.variables.expand(value ?? ''));
}

/** As `set`, and the name is remembered for legs to come (`nolocal:` = only for those). */
function exportVariable(run: AppRun): void {
  const [, prefix, name, value] =
    /^\s*(nolocal:|_nolocal_)?([^=]+)=?([\s\S]*)$/.exec(run.request.argument) ?? [];
  if (name === undefined) return;
  const { variables } = run.channel;
  variables.set(prefix === undefined ? name : `${prefix}${name}`, value);
  const exported = new Set((variables.get('export_vars') ?? '').split(',').filter(Boolean));
  variables.set('export_vars', [...exported.add(name)].join(','));
}
