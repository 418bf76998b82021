/**
 * Takes recordings to be transcribed, so many at a time and no more: what waits, waits in the dialer's
 * store, where it survives us. Each ends with one event; of one that is in hand a repeat changes nothing.
 * Here, because here is the file: it need not leave the machine, and media servers hold none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandReply } from '../../machines/command-reply.ts';
import {
  TRANSCRIPT_CHARS_MAX,
  type RecordingRef,
  type RecordingTranscribe,
  type TranscriptTurn,
} from '../../machines/transcription.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { writePieces } from './spoken-pieces.ts';
import { TranscriptionError, type Transcriber } from './transcriber.port.ts';

export type TranscriptionEventBody =
  | {
      readonly type: 'recording.transcribed';
      readonly recording: RecordingRef;
      readonly turns: TranscriptTurn[];
    }
  | {
      readonly type: 'recording.transcriptionFailed';
      readonly recording: RecordingRef;
      readonly detail: string;
      readonly mayPass: boolean;
      readonly retryAfterMs?: number;
    };

export interface TranscriptionDeskParts {
  readonly gatewayId: string;
  /** Undefined: none is configured. */
  readonly transcriber: Transcriber | undefined;
  readonly recordingsDir: string;
  readonly atOnceMax: number;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
  readonly publish: (body: TranscriptionEventBody) => void;
}

/** As recording-files.ts names them: nothing that leaves the folder. */
const LOCATION = /^[A-Za-z0-9_-]{1,140}\.wav$/;

export class TranscriptionDesk {
  readonly #parts: TranscriptionDeskParts;
  readonly #inHand = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(parts: TranscriptionDeskParts) {
    this.#parts = parts;
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  take(command: RecordingTranscribe): CommandReply {
    const { gatewayId, transcriber, atOnceMax } = this.#parts;
    const key = `${command.recording.attemptId} ${command.recording.recordingId}`;
    if (command.gatewayId !== gatewayId) {
      const detail = `this is ${gatewayId}, the command names ${command.gatewayId}`;
      return { accepted: false, code: 'WRONG_GATEWAY', detail };
    }
    if (this.#inHand.has(key)) return { accepted: true, duplicate: true };
    if (this.#closing.signal.aborted) return badState('the gateway is closing');
    if (transcriber === undefined) return badState('no transcriber is configured');
    if (!LOCATION.test(command.location)) return badState('the location is none of ours');
    if (this.#inHand.size >= atOnceMax) return badState(`${atOnceMax} are in hand`);
    this.#inHand.set(
      key,
      this.#work(transcriber, command).finally(() => this.#inHand.delete(key)),
    );
    return { accepted: true };
  }

  /** What is in hand is given up, without a word: it is asked for again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#inHand.values());
  }

  async #work(transcriber: Transcriber, command: RecordingTranscribe): Promise<void> {
    const { clock, publish, log } = this.#parts;
    const { recording, limitMs } = command;
    const limit = new AbortController();
    const timer = clock.setTimeout(() => limit.abort(), limitMs);
    const signal = AbortSignal.any([limit.signal, this.#closing.signal]);
    try {
      const turns = await this.#turnsOf(transcriber, command, signal);
      if (!signal.aborted) publish({ type: 'recording.transcribed', recording, turns });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const known = error instanceof TranscriptionError;
      if (!known) log.error({ ...recording, err: error }, 'a recording was not transcribed');
      publish({
        type: 'recording.transcriptionFailed',
        recording,
        detail: known ? error.message : 'the gateway could not prepare the recording',
        mayPass: known ? error.mayPass : true,
        ...(known && error.retryAfterMs !== undefined ? { retryAfterMs: error.retryAfterMs } : {}),
      });
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async #turnsOf(
    transcriber: Transcriber,
    { location, language }: RecordingTranscribe,
    signal: AbortSignal,
  ): Promise<TranscriptTurn[]> {
    const folder = await mkdtemp(join(tmpdir(), 'ringfence-speech-to-text-'));
    try {
      const turns: TranscriptTurn[] = [];
      const recording = join(this.#parts.recordingsDir, location);
      for (const { path, speaker, startMs, lengthMs } of await writePieces(recording, folder)) {
        const heard = await transcriber.transcribe({ path, lengthMs, language, signal });
        for (const said of heard) {
          const times = { startMs: startMs + said.startMs, endMs: startMs + said.endMs };
          turns.push({ speaker, ...times, text: said.text });
        }
        signal.throwIfAborted();
      }
      turns.sort((one, other) => one.startMs - other.startMs);
      if (JSON.stringify(turns).length > TRANSCRIPT_CHARS_MAX) {
        const detail = `the transcript is longer than ${TRANSCRIPT_CHARS_MAX} characters`;
        throw new TranscriptionError(detail, { mayPass: false });
      }
      return turns;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new TranscriptionError('it took longer than it may', { mayPass: true });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

function badState(detail: string): CommandReply {
  return { accepted: false, code: 'BAD_STATE', detail };
}
