/** `read` and `play_and_get_digits`: a prompt, then digits into a variable. */
import type { AppRun } from '../app-run.ts';
import { splitArguments, toInteger } from '../arguments.ts';
import { lasting, type Application } from './application.ts';
import { playFiles } from './play-files.ts';

interface ReadPlan {
  readonly min: number;
  readonly max: number;
  readonly promptFile: string | undefined;
  readonly variable: string | undefined;
  readonly timeoutMs: number;
  readonly terminators: string;
  readonly digitTimeoutMs: number;
}

type ReadStatus = 'success' | 'timeout' | 'tooSmall' | 'failure';
type ReadOutcome = { readonly digits: string; readonly status: ReadStatus };

/** FreeSWITCH's buffer. */
const DIGITS_MAX = 127;
const TIMEOUT_MS_MIN = 1_000;

/** `read <min> <max> <file> <variable> <timeout ms> <terminators> [digit timeout ms]` */
export const read: Application = lasting('read', async (run) => {
  const [min, max, promptFile, variable, timeout, terminators, digitTimeout] = splitArguments(
    run.request.argument,
  );
  await readDigits(run, {
    ...lengths(min, max),
    promptFile,
    variable,
    timeoutMs: Math.max(TIMEOUT_MS_MIN, toInteger(timeout)),
    terminators: terminators ?? '#',
    digitTimeoutMs: toInteger(digitTimeout),
  });
});

/**
 * `play_and_get_digits <min> <max> <tries> <timeout ms> <terminators> <file> <invalid file> <variable>
 * <regexp> [digit timeout ms]`. Digits that do not match go to `<variable>_invalid`, and the next try.
 */
export const playAndGetDigits: Application = lasting('play_and_get_digits', async (run) => {
  const words = splitArguments(run.request.argument);
  const [min, max, tries, timeout, terminators, promptFile, invalidFile] = words;
  const [variable, regexp, digitTimeout] = words.slice(7);
  const { variables } = run.channel;
  const plan: ReadPlan = {
    ...lengths(min, max),
    promptFile,
    variable,
    timeoutMs: Math.max(TIMEOUT_MS_MIN, toInteger(timeout)),
    terminators: terminators === undefined || terminators === '' ? '#' : terminators,
    digitTimeoutMs: toInteger(digitTimeout),
  };
  if (variable !== undefined) variables.set(`${variable}_invalid`, undefined);
  for (let left = toInteger(tries); left > 0 && !run.isOver(); left -= 1) {
    const { digits, status } = await readDigits(run, plan);
    const enough = status === 'success' || (status === 'timeout' && digits.length >= plan.min);
    const terminated = variables.get('read_terminator_used') !== undefined;
    if (plan.min === 0 && digits === '' && terminated) return;
    if (enough && digits !== '') {
      if (matches(digits, regexp)) return;
      if (variable !== undefined) {
        variables.set(variable, undefined);
        variables.set(`${variable}_invalid`, digits);
      }
    }
    if (run.isOver()) return;
    if (invalidFile !== undefined) await playFiles(run, invalidFile);
  }
});

function lengths(min: string | undefined, max: string | undefined): { min: number; max: number } {
  const least = Math.max(0, toInteger(min));
  return { min: least, max: Math.min(DIGITS_MAX, Math.max(least, toInteger(max))) };
}

async function readDigits(run: AppRun, plan: ReadPlan): Promise<ReadOutcome> {
  const { variables } = run.channel;
  variables.set('read_result', undefined);
  if (plan.variable !== undefined) variables.set(plan.variable, undefined);
  let digits = '';
  if (plan.promptFile !== undefined && plan.promptFile.toLowerCase() !== 'silence') {
    const status = await playFiles(run, plan.promptFile, {
      onDigit: (digit) => {
        digits = digit;
        return true;
      },
    });
    if (status !== 'played' && status !== 'break') return { digits, status: 'failure' };
  }
  const collected =
    digits.length < plan.max
      ? await collect(run, plan, digits)
      : { digits, terminator: undefined, status: 'success' as const };
  return conclude(run, plan, collected);
}

interface Collected extends ReadOutcome {
  readonly terminator: string | undefined;
}

async function collect(run: AppRun, plan: ReadPlan, first: string): Promise<Collected> {
  const betweenMs = plan.digitTimeoutMs === 0 ? plan.timeoutMs : plan.digitTimeoutMs;
  if (first !== '' && plan.terminators.includes(first)) {
    return { digits: '', terminator: first, status: 'success' };
  }
  let digits = first;
  for (;;) {
    const digit = await nextDigit(run, digits === '' ? plan.timeoutMs : betweenMs);
    if (digit === undefined) {
      return { digits, terminator: undefined, status: run.isOver() ? 'failure' : 'timeout' };
    }
    if (plan.terminators.includes(digit)) return { digits, terminator: digit, status: 'success' };
    digits += digit;
    if (digits.length >= plan.max) return { digits, terminator: undefined, status: 'success' };
  }
}

/** The next digit, or undefined after `timeoutMs` or when the channel goes. */
async function nextDigit(run: AppRun, timeoutMs: number): Promise<string | undefined> {
  const { digits, core } = run.channel;
  if (digits.isEmpty) {
    await run.wait(
      (done) => {
        const timer = core.timers.schedule(timeoutMs, done);
        let unlisten = digits.listen(done);
        return {
          cancel: () => {
            timer.cancel();
            unlisten();
          },
          suspend: () => unlisten(),
          resume: () => (unlisten = digits.listen(done)),
        };
      },
      { breakable: false },
    );
  }
  return digits.shift();
}

/** Sets what clients read afterwards: the digits, the terminator, and how it went. */
function conclude(run: AppRun, plan: ReadPlan, collected: Collected): ReadOutcome {
  const { variables } = run.channel;
  const { terminator } = collected;
  let { digits } = collected;
  if (terminator !== undefined) variables.set('read_terminator_used', terminator);
  const missing = terminator === undefined && plan.terminators.startsWith('=');
  const tooSmall = digits.length < plan.min || missing;
  const status: ReadStatus = tooSmall ? 'tooSmall' : collected.status;
  variables.set('read_result', status === 'tooSmall' ? 'failure' : status);
  if (plan.max === 1 && digits.length === 1 && plan.terminators.includes(digits)) digits = '';
  if (plan.variable !== undefined && digits !== '') variables.set(plan.variable, digits);
  return { digits, status };
}

function matches(digits: string, regexp: string | undefined): boolean {
  if (regexp === undefined || regexp === '') return true;
  try {
    return new RegExp(regexp).test(digits);
  } catch {
    return false;
  }
}
