/**
 * Where recorded audio goes: a file, a web server (`http://`), or a FIFO that another process reads
 * while the call goes on. None may hold up the thread that paces every call: files are written by the
 * system's thread pool, and a FIFO whose reader stalls loses audio instead of waiting for it.
 */
import { constants } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isHttpFile } from '../http-file.ts';
import { MediaError } from '../media-error.ts';
import { FifoSink } from './fifo-sink.ts';
import { FileSink } from './file-sink.ts';
import { formatOf, type FileFormat } from './file-format.ts';
import { HttpSink } from './http-sink.ts';

export interface AudioSink {
  /** Takes samples, interleaved when there are two channels. After a failure they are dropped. */
  write(pcm: Int16Array): void;
  /** The disk is full, the reader went away: nothing more can be written. Called once. */
  onFailed: (() => void) | undefined;
  /** Writes what is held back and ends the file; resolves when it is complete. Never rejects. */
  close(): Promise<void>;
}

export interface AudioSinkOptions {
  readonly channels: 1 | 2;
  /** Add to what the file holds already. */
  readonly append: boolean;
  /** Bytes held back until so many are there, as FreeSWITCH does; 0 = every frame is written at once. */
  readonly bufferBytes: number;
}

/**
 * Opens a path for writing; missing folders are made. A FIFO must have a reader already: FreeSWITCH
 * would wait for one with its event socket blocked, which here would be every call's. Throws
 * `RECORDING_FAILED` with what is wrong.
 */
export async function openAudioSink(path: string, options: AudioSinkOptions): Promise<AudioSink> {
  if (isHttpFile(path)) return HttpSink.open(path, (file) => openAudioSink(file, options));
  const format = formatOf(path);
  if (format === undefined) {
    throw new MediaError('RECORDING_FAILED', `${path}: no format of this name can be written`);
  }
  try {
    return await open(path, format, options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MediaError('RECORDING_FAILED', `${path}: ${why}`, error);
  }
}

async function open(
  path: string,
  format: FileFormat,
  options: AudioSinkOptions,
): Promise<AudioSink> {
  const found = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isFIFO() === true) return FifoSink.open(path, format, options);
  if (found?.isDirectory() === true) throw new Error('is a folder');
  if (found === undefined) await makeFolder(dirname(path));
  const appends = options.append && found?.isFile() === true && found.size > 0;
  const flags = constants.O_CREAT | (appends ? constants.O_RDWR : constants.O_WRONLY);
  return FileSink.open(path, format, options, {
    flags: appends ? flags : flags | constants.O_TRUNC,
    startBytes: appends ? found.size : 0,
  });
}

/** Not `recursive`: where a parent refuses with ENOENT, as in /proc, Node 20 would try for ever. */
async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path).then(
    () => undefined,
    (error: unknown) => error as NodeJS.ErrnoException,
  );
  if (made === undefined || made.code === 'EEXIST') return;
  if (made.code !== 'ENOENT' || dirname(path) === path) throw made;
  await makeFolder(dirname(path));
  await mkdir(path);
}
