/**
 * Plays files and tone streams into a channel: what `playback`, `read` and `play_and_get_digits`
 * have in common. Lists, time limits, variables and events are those of FreeSWITCH's play_file.
 */
import { isAbsolute, resolve } from 'node:path';
import { PcmSource, type AudioSource } from '../../media/audio-source.ts';
import { isHttpFile } from '../../media/http-file.ts';
import { isStreamUri, openStream } from '../../media/tone-stream.ts';
import type { AppRun, WaitEnd } from '../app-run.ts';
import { toInteger } from '../arguments.ts';
import { CountedSource } from './counted-source.ts';

export type PlayStatus = 'played' | 'break' | 'notFound' | 'timeout' | 'hangup';

/** Asked for each digit received while audio plays; true ends the playing. Absent: digits are kept. */
export type DigitPolicy = (digit: string) => boolean;

interface Opened {
  readonly source: AudioSource;
  readonly lengthSamples: number | undefined;
}

const SAMPLES_PER_MS = 8;
const GAP_MS_DEFAULT = 250;
const FILES_MAX = 128;

export async function playFiles(
  run: AppRun,
  list: string,
  options: { onDigit?: DigitPolicy; startSample?: number } = {},
): Promise<PlayStatus> {
  const { variables } = run.channel;
  const delimiter = variables.get('playback_delimiter')?.charAt(0);
  const files = delimiter === undefined ? [list] : list.split(delimiter).slice(0, FILES_MAX);
  const limit = { samples: timeLimitSamples(run) };
  let status: PlayStatus = 'played';
  for (const [index, file] of files.entries()) {
    if (index > 0) {
      const gap = await pause(run);
      if (gap !== 'played') return gap;
    }
    const startSample = index === 0 ? (options.startSample ?? 0) : 0;
    status = await playOne(run, file.trim(), startSample, limit, options.onDigit);
    if (status === 'break' || status === 'timeout' || status === 'hangup') return status;
  }
  return status;
}

async function playOne(
  run: AppRun,
  file: string,
  startSample: number,
  limit: { samples: number },
  onDigit: DigitPolicy | undefined,
): Promise<PlayStatus> {
  if (/^(?:say|phrase):/i.test(file)) return 'played'; // no speech engine here: nothing is heard
  const opened = await open(run, file, startSample);
  if (opened === undefined) return 'notFound';
  const source = new CountedSource(opened.source, opened.lengthSamples, limit.samples);
  const names = {
    ...(/^tone_stream:/i.test(file) ? { 'Playback-File-Type': 'tone_stream' } : {}),
    'Playback-File-Path': file,
  };
  run.channel.events.fire('PLAYBACK_START', names);
  const { end, byDigit } = await listenAndPlay(run, source, onDigit);
  const broken = end === 'break' || byDigit;
  setPlaybackVariables(run, source, startSample, broken);
  run.channel.events.fire('PLAYBACK_STOP', {
    ...names,
    'Playback-Status': broken ? 'break' : 'done',
  });
  limit.samples -= source.playedSamples;
  if (end === 'hangup') return 'hangup';
  if (broken) return 'break';
  if (!source.limitReached) return 'played';
  return run.channel.variables.isTrue('playback_timeout_as_success') ? 'played' : 'timeout';
}

async function listenAndPlay(
  run: AppRun,
  source: AudioSource,
  onDigit: DigitPolicy | undefined,
): Promise<{ end: WaitEnd; byDigit: boolean }> {
  const { media, digits } = run.channel;
  let byDigit = false;
  const end = await run.wait((done) => {
    const playing = media.play(source, done);
    const listen = (): (() => void) | undefined =>
      onDigit &&
      digits.listen(() => {
        for (let digit = digits.shift(); digit !== undefined; digit = digits.shift()) {
          if (!onDigit(digit)) continue;
          byDigit = true;
          done();
          return;
        }
      });
    let unlisten = listen();
    return {
      cancel: () => {
        unlisten?.();
        playing.cancel();
      },
      suspend: () => {
        unlisten?.();
        playing.suspend?.();
      },
      resume: () => {
        playing.resume?.();
        unlisten = listen();
      },
    };
  });
  return { end, byDigit };
}

async function open(run: AppRun, file: string, startSample: number): Promise<Opened | undefined> {
  if (isStreamUri(file)) {
    try {
      return { source: openStream(file), lengthSamples: silenceSamples(file) };
    } catch {
      return undefined;
    }
  }
  const isUrl = isHttpFile(file);
  if (file === '' || (!isUrl && /^[a-z_]+:\/\//i.test(file))) return undefined;
  const { prompts, nowMs } = run.channel.core;
  const pcm = await (isUrl ? prompts.download(file, nowMs()) : prompts.open(pathOf(run, file)));
  if (pcm === undefined) return undefined;
  return {
    source: new PcmSource(pcm, startSample / SAMPLES_PER_MS),
    lengthSamples: Math.max(0, pcm.length - startSample),
  };
}

/** A `{name=value}` prefix is taken off; relative paths start at `sound_prefix`. */
function pathOf(run: AppRun, file: string): string {
  const bare = file.replace(/^(?:\{[^}]*\}\s*)+/, '');
  const named = /\.[^/.]+$/.test(bare) ? bare : `${bare}.wav`;
  if (isAbsolute(named)) return named;
  return resolve(run.channel.variables.get('sound_prefix') ?? '.', named);
}

/** Length of a `silence_stream://ms`, known before it is played; -1 is endless. */
function silenceSamples(file: string): number | undefined {
  const ms = /^silence_stream:\/\/(-?\d+)/i.exec(file)?.[1];
  if (ms === undefined) return undefined;
  return Number(ms) < 0 ? Infinity : Number(ms) * SAMPLES_PER_MS;
}

function timeLimitSamples(run: AppRun): number {
  const seconds = toInteger(run.channel.variables.get('playback_timeout_sec'));
  return seconds > 1 ? seconds * 1_000 * SAMPLES_PER_MS : Infinity; // FreeSWITCH ignores 1 as well
}

async function pause(run: AppRun): Promise<PlayStatus> {
  const wanted = run.channel.variables.get('playback_sleep_val');
  const gapMs = wanted === undefined ? GAP_MS_DEFAULT : toInteger(wanted);
  const end = gapMs <= 0 ? 'done' : await run.sleep(gapMs);
  return end === 'done' ? 'played' : end;
}

/**
 * `playback_last_offset_pos` is how far the listener got. The others count what was read, which
 * FreeSWITCH does in blocks: after a break they are ahead of what was heard (measured: 2048 ms after
 * 300 ms), and a client that needs the truth must use the offset, here as there.
 */
function setPlaybackVariables(
  run: AppRun,
  source: CountedSource,
  startSample: number,
  broken: boolean,
): void {
  const { variables } = run.channel;
  const read = broken ? source.readAheadSamples() : source.playedSamples;
  variables.set('playback_last_offset_pos', String(startSample + source.playedSamples));
  variables.set('playback_seconds', String(Math.floor(read / (1_000 * SAMPLES_PER_MS))));
  variables.set('playback_ms', String(Math.floor(read / SAMPLES_PER_MS)));
  variables.set('playback_samples', String(read));
}
