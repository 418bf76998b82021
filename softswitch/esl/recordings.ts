/**
 * The recordings of one channel (`uuid_record`, `record_session`): by file name, any number at a time,
 * beside whatever the channel does. Variables, events and causes are those of FreeSWITCH 1.10.
 */
import { isAbsolute, resolve } from 'node:path';
import { isHttpFile } from '../media/http-file.ts';
import { openAudioSink, type AudioSink } from '../media/recording/audio-sink.ts';
import {
  Recording,
  type CompletionCause,
  type RecordingOptions,
} from '../media/recording/recording.ts';
import { MediaError } from '../media/media-error.ts';
import { SAMPLE_RATE_HZ, SAMPLES_PER_MS } from '../media/audio-format.ts';
import { toInteger } from './arguments.ts';
import type { Channel } from './channel.ts';
import { isTrue } from './channel-variables.ts';

/** What `{name=value,...}` behind a command sets for this one recording. */
export type RecordingVariables = ReadonlyMap<string, string>;

/** FreeSWITCH's SWITCH_DEFAULT_FILE_BUFFER_LEN: 4.1 s of mono. */
const BUFFER_BYTES_DEFAULT = 65_536;
const PRE_BUFFER_FRAMES_DEFAULT = 25;
const SILENCE_LEVEL_DEFAULT = 200;
/** One channel has one or two; more is a client gone wrong. */
const RECORDINGS_MAX = 16;
/** A disk that does not answer holds up the end of a call no longer than this. */
const CLOSE_MS_MAX = 2_000;

interface Running {
  readonly path: string;
  readonly recording: Recording;
  readonly sink: AudioSink;
  readonly variables: RecordingVariables;
  readonly removeTap: () => void;
  cause: CompletionCause | undefined;
  ending: Promise<void> | undefined;
}

export class Recordings {
  readonly #channel: Channel;
  readonly #running = new Map<string, Running>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** False when the file cannot be written; true as well when it is being recorded to already. */
  async start(
    file: string,
    limitSeconds: number,
    variables: RecordingVariables = new Map(),
  ): Promise<boolean> {
    const channel = this.#channel;
    const value = (name: string): string | undefined =>
      variables.get(name.toLowerCase()) ?? channel.variables.get(name);
    const path = pathOf(file, value('sound_prefix'));
    if (this.#running.has(path)) {
      return isTrue(value('RECORD_TOGGLE_ON_REPEAT')) ? this.stop(file) : true;
    }
    if (this.#running.size >= RECORDINGS_MAX) return false;
    const options = optionsFrom(value);
    const sink = await this.#open(path, options, value);
    if (sink === undefined) return false;
    if (channel.isDown || this.#running.has(path)) {
      await sink.close(); // hung up, or started a second time, while the disk was busy
      return !channel.isDown;
    }
    const recording = new Recording(sink, options);
    const running: Running = {
      path,
      recording,
      sink,
      variables,
      cause: undefined,
      ending: undefined,
      removeTap: channel.media.taps.add(recording),
    };
    this.#running.set(path, running);
    this.#watch(running, limitSeconds, isTrue(value('RECORD_HANGUP_ON_ERROR')));
    channel.events.fire('RECORD_START', eventHeaders(running));
    return true;
  }

  /** Resolves when the file is complete. False when there is no such recording. `all` ends every one. */
  async stop(file: string): Promise<boolean> {
    if (file.toLowerCase() === 'all') {
      const were = [...this.#running.values()];
      await Promise.all(were.map((running) => this.#end(running)));
      return were.length > 0;
    }
    const running = this.#find(file);
    if (running === undefined) return false;
    await this.#end(running);
    return true;
  }

  /** `mask` writes silence instead of the call, `pause` nothing. */
  set(file: string, what: 'masked' | 'paused', on: boolean): boolean {
    const running = this.#find(file);
    if (running !== undefined) running.recording[what] = on;
    return running !== undefined;
  }

  /** The call is over: every file is completed. */
  async hangUp(): Promise<void> {
    const { timers } = this.#channel.core;
    let timer: { cancel(): void } | undefined;
    const tooLong = new Promise<void>((done) => {
      timer = timers.schedule(CLOSE_MS_MAX, done);
    });
    await Promise.race([this.stop('all'), tooLong]);
    timer?.cancel();
  }

  #find(file: string): Running | undefined {
    return this.#running.get(pathOf(file, this.#channel.variables.get('sound_prefix')));
  }

  async #open(
    path: string,
    options: RecordingOptions,
    value: (name: string) => string | undefined,
  ): Promise<AudioSink | undefined> {
    try {
      return await openAudioSink(path, {
        channels: options.layout === 'mono' ? 1 : 2,
        append: isTrue(value('RECORD_APPEND')),
        bufferBytes: bufferBytes(value('enable_file_write_buffering')),
      });
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#channel.variables.set('record_completion_cause', 'uri-failure');
      if (isTrue(value('RECORD_HANGUP_ON_ERROR'))) this.#channel.hangUp('DESTINATION_OUT_OF_ORDER');
      return undefined;
    }
  }

  /** All that ends a recording from inside. */
  #watch(running: Running, limitSeconds: number, hangUpOnError: boolean): void {
    const { recording, sink } = running;
    const channel = this.#channel;
    recording.onOver = (cause) => {
      running.cause ??= cause;
      void this.#end(running);
    };
    sink.onFailed = () => {
      running.cause ??= 'uri-failure';
      if (hangUpOnError) channel.hangUp('DESTINATION_OUT_OF_ORDER');
      void this.#end(running);
    };
    // FreeSWITCH counts whole seconds of the wall clock: a limit of 5 ends after 4 to 5 s.
    const now = channel.core.nowMs();
    const endsAtMs = (Math.floor(now / 1_000) + limitSeconds) * 1_000;
    if (limitSeconds <= 0) return;
    const timer = channel.core.timers.schedule(endsAtMs - now, () => void this.#end(running));
    const { removeTap } = running;
    Object.assign(running, {
      removeTap: () => {
        timer.cancel();
        removeTap();
      },
    });
  }

  #end(running: Running): Promise<void> {
    return (running.ending ??= this.#close(running));
  }

  async #close(running: Running): Promise<void> {
    const channel = this.#channel;
    const { recording, sink, path } = running;
    running.removeTap();
    recording.finish();
    await sink.close();
    this.#running.delete(path);
    running.cause ??= !channel.isDown
      ? 'success-maxtime'
      : recording.speechDetected
        ? 'success-silence'
        : 'no-input-timeout';
    setRecordVariables(channel, recording.samples);
    channel.variables.set('record_completion_cause', running.cause);
    channel.events.fire('RECORD_STOP', {
      ...eventHeaders(running),
      'Record-Completion-Cause': running.cause,
    });
  }
}

/** Absolute, a URL, or below `sound_prefix`. */
export function pathOf(file: string, prefix: string | undefined): string {
  return isAbsolute(file) || isHttpFile(file) ? file : resolve(prefix ?? '.', file);
}

/** `record_samples` and its two roundings, read by fsmrf after `record`. */
export function setRecordVariables(channel: Channel, samples: number): void {
  channel.variables.set('record_samples', String(samples));
  channel.variables.set('record_seconds', String(Math.floor(samples / SAMPLE_RATE_HZ)));
  channel.variables.set('record_ms', String(Math.floor(samples / SAMPLES_PER_MS)));
}

/** Bytes held back before each write: a number, or yes for the default, which is also without a word. */
export function bufferBytes(wanted: string | undefined): number {
  if (wanted === undefined) return BUFFER_BYTES_DEFAULT;
  const bytes = toInteger(wanted);
  if (bytes > 0) return Math.min(bytes, 1_048_576);
  return isTrue(wanted) ? BUFFER_BYTES_DEFAULT : 0;
}

function optionsFrom(value: (name: string) => string | undefined): RecordingOptions {
  const number = (name: string): number | undefined => {
    const text = value(name);
    return text === undefined ? undefined : Math.max(0, toInteger(text));
  };
  const initial = number('RECORD_INITIAL_TIMEOUT_MS');
  const final = number('RECORD_FINAL_TIMEOUT_MS');
  const watches = initial !== undefined || final !== undefined;
  return {
    sides: isTrue(value('RECORD_READ_ONLY'))
      ? 'received'
      : isTrue(value('RECORD_WRITE_ONLY'))
        ? 'sent'
        : 'both',
    layout: isTrue(value('RECORD_STEREO_SWAP'))
      ? 'stereoSwapped'
      : isTrue(value('RECORD_STEREO'))
        ? 'stereo'
        : 'mono',
    preBufferFrames: number('RECORD_PRE_BUFFER_FRAMES') ?? PRE_BUFFER_FRAMES_DEFAULT,
    silenceLevel: number('RECORD_SILENCE_THRESHOLD') ?? (watches ? SILENCE_LEVEL_DEFAULT : 0),
    initialSilenceMs: initial ?? 0,
    finalSilenceMs: final ?? 0,
  };
}

function eventHeaders(running: Running): Record<string, string> {
  const headers: Record<string, string> = { 'Record-File-Path': running.path };
  for (const [name, value] of running.variables) headers[`Recording-Variable-${name}`] = value;
  return headers;
}
