/** `record`, which takes the channel until it ends, and `record_session`, which runs beside it. */
import { MediaError } from '../../media/media-error.ts';
import { comfortNoise } from '../../media/comfort-noise.ts';
import { openAudioSink, type AudioSink } from '../../media/recording/audio-sink.ts';
import { meanLevel } from '../../media/recording/recording.ts';
import type { AppRun } from '../app-run.ts';
import { splitArguments, toInteger } from '../arguments.ts';
import { bufferBytes, pathOf, setRecordVariables } from '../recordings.ts';
import { recordingVariables } from '../recording-variables.ts';
import { instant, lasting, type Application } from './application.ts';
import { terminates } from './playback.ts';

const FRAMES_PER_SECOND = 50;
const SILENCE_SECONDS_DEFAULT = 3;
/** What FreeSWITCH sends while it records, unless `record_waste_resources` says otherwise. */
const NOISE_DIVISOR_DEFAULT = 1_400;

/**
 * `record <path> [+<limit s>] [<level>] [<silence s>]`: what the far end says, until the limit, so many
 * seconds below the level, a terminating digit, `uuid_break` or the hang-up. Moments in which nothing
 * came from the far end are not in the file. A file that cannot be written costs the call.
 */
export const record: Application = lasting('record', async (run) => {
  const [file, limit, level, silenceSeconds] = splitArguments(run.request.argument);
  const { channel } = run;
  const { variables } = channel;
  if (file === undefined) return;
  variables.set('playback_terminator_used', undefined);
  const path = pathOf(file, variables.get('sound_prefix'));
  const sink = await openOrHangUp(run, path);
  if (sink === undefined) return;
  variables.set('silence_hits_exhausted', 'false');
  channel.events.fire('RECORD_START', { 'Record-File-Path': path });
  const samples = await recordInto(run, sink, {
    limitSeconds: toInteger(limit?.replace('+', '')),
    silenceLevel: toInteger(level),
    silenceFrames: (toInteger(silenceSeconds) || SILENCE_SECONDS_DEFAULT) * FRAMES_PER_SECOND,
  });
  await sink.close();
  setRecordVariables(channel, samples);
  channel.events.fire('RECORD_STOP', { 'Record-File-Path': path });
});

async function openOrHangUp(run: AppRun, path: string): Promise<AudioSink | undefined> {
  const { variables } = run.channel;
  try {
    return await openAudioSink(path, {
      channels: 1,
      append: variables.isTrue('RECORD_APPEND'),
      bufferBytes: bufferBytes(variables.get('enable_file_write_buffering')),
    });
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    run.channel.hangUp('DESTINATION_OUT_OF_ORDER');
    return undefined;
  }
}

interface RecordLimits {
  /** Of the wall clock's whole seconds: 5 ends after 5 to 6 s. 0 = none. */
  readonly limitSeconds: number;
  readonly silenceLevel: number;
  readonly silenceFrames: number;
}

/** Samples written. */
async function recordInto(run: AppRun, sink: AudioSink, limits: RecordLimits): Promise<number> {
  const { media, digits, core, variables } = run.channel;
  const seconds = (): number => Math.floor(core.nowMs() / 1_000);
  const startedAt = seconds();
  let samples = 0;
  let silentFrames = 0;
  await run.wait((done) => {
    sink.onFailed = done;
    const frame = (received: Int16Array, _sent: Int16Array, heard: boolean): void => {
      if (limits.limitSeconds > 0 && seconds() - startedAt > limits.limitSeconds) {
        done();
        return;
      }
      if (!heard) return;
      if (limits.silenceLevel > 0) {
        silentFrames = meanLevel(received) < limits.silenceLevel ? silentFrames + 1 : 0;
        if (silentFrames >= limits.silenceFrames) {
          variables.set('silence_hits_exhausted', 'true');
          done();
          return;
        }
      }
      sink.write(received);
      samples += received.length;
    };
    const divisor = variables.get('record_waste_resources');
    const noise = divisor === undefined ? NOISE_DIVISOR_DEFAULT : toInteger(divisor);
    const sending = noise > 0 ? media.play(comfortNoise(noise), () => undefined) : undefined;
    const ends = terminates(run);
    const listen = (): (() => void)[] => [
      media.taps.add({ frame }),
      digits.listen(() => {
        for (let digit = digits.shift(); digit !== undefined; digit = digits.shift()) {
          if (ends(digit)) done();
        }
      }),
    ];
    let listening = listen();
    const deafen = (): void => {
      for (const stop of listening.splice(0)) stop();
    };
    return {
      cancel: () => {
        deafen();
        sending?.cancel();
      },
      suspend: () => {
        deafen();
        sending?.suspend?.();
      },
      resume: () => {
        sending?.resume?.();
        listening = listen();
      },
    };
  });
  return samples;
}

/** `record_session <path> [+<limit s>] [{name=value,...}]` and the applications that steer it. */
export const recordSession: readonly Application[] = [
  lastingBeside('record_session', async (run) => {
    const [file, ...rest] = run.request.argument.split(' ').filter(Boolean);
    if (file === undefined) return;
    const limit = rest[0]?.startsWith('+') === true ? toInteger(rest.shift()?.slice(1)) : 0;
    await run.channel.recordings.start(file, limit, recordingVariables(rest.join(' ')));
  }),
  lastingBeside('stop_record_session', async (run) => {
    await run.channel.recordings.stop(run.request.argument.trim());
  }),
  instant('record_session_mask', (run) => void set(run, 'masked', true)),
  instant('record_session_unmask', (run) => void set(run, 'masked', false)),
  instant('record_session_pause', (run) => void set(run, 'paused', true)),
  instant('record_session_resume', (run) => void set(run, 'paused', false)),
];

function set(run: AppRun, what: 'masked' | 'paused', on: boolean): boolean {
  return run.channel.recordings.set(run.request.argument.trim(), what, on);
}

/** Takes the moment a file needs to open or close, but not the channel's audio. */
function lastingBeside(name: string, run: Application['run']): Application {
  return { name, takesMedia: false, run };
}
