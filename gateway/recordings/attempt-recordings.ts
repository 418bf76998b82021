/**
 * The recordings of one attempt: on the customer's channel, so that they go on over bridge, hold and
 * transfer. In stereo the customer is on the left, and what they hear on the right. The file is
 * delivered by the media server when the recording ends, which may be after the call: its events
 * may follow `attempt.ended`.
 */
import type {
  RecordingPause,
  RecordingResume,
  RecordingStart,
  RecordingStop,
} from '../../machines/recording-commands.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { EventOutlet } from '../attempts/event-outlet.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { RecordingFile } from './recording-files.ts';
import { wavLengthMs } from './wav-length.ts';

export type RecordingCommand = RecordingStart | RecordingStop | RecordingPause | RecordingResume;

/** From the end of the call to the file: a long recording over a slow line, and no more. */
const DELIVERY_LIMIT_MS = 60_000;
const RECORDINGS_MAX = 4;

export interface AttemptRecordingsParts {
  readonly attemptId: string;
  readonly endpoint: MediaEndpoint;
  readonly services: Pick<AttemptServices, 'clock' | 'log' | 'recordings'>;
  readonly emit: EventOutlet['emit'];
}

interface Running {
  readonly id: string;
  readonly file: RecordingFile;
  over: boolean;
}

export class AttemptRecordings {
  readonly #parts: AttemptRecordingsParts;
  readonly #running = new Map<string, Running>();
  /** Commands to the media server, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AttemptRecordingsParts) {
    this.#parts = parts;
  }

  /** What is wrong with the command; undefined: it is taken. */
  handle(command: RecordingCommand): string | undefined {
    const { recordingId } = command;
    const running = this.#running.get(recordingId);
    if (command.type === 'recording.start') {
      if (running !== undefined) return `recording ${recordingId} has been started before`;
      if (this.#running.size >= RECORDINGS_MAX) return `${RECORDINGS_MAX} recordings are the most`;
      this.#start(command);
      return undefined;
    }
    if (running === undefined || running.over) return `no recording ${recordingId}`;
    const verb = { stop: 'stop', pause: 'mask', resume: 'unmask' } as const;
    const what = command.type.slice('recording.'.length) as keyof typeof verb;
    void this.#record(running, verb[what]).then((problem) => {
      if (problem === undefined) return;
      const { log, attemptId } = { ...this.#parts.services, ...this.#parts };
      log.warn({ attemptId, recordingId, problem }, `recording.${what} failed`);
    });
    return undefined;
  }

  /** The call is over: the media server ends its recordings by itself, and delivers them. */
  end(): void {
    const { clock } = this.#parts.services;
    for (const running of this.#running.values()) {
      if (running.over) continue;
      const limit = clock.setTimeout(() => {
        this.#fail(running, `not delivered within ${DELIVERY_LIMIT_MS} ms of the call's end`);
      }, DELIVERY_LIMIT_MS);
      const done = (): void => clock.clearTimeout(limit);
      void running.file.arrived.then(done, done);
    }
  }

  #start({ recordingId: id, channels, lengthMaxMs }: RecordingStart): void {
    const { services, attemptId, endpoint, emit } = this.#parts;
    let file: RecordingFile;
    try {
      file = services.recordings.expect(attemptId, id);
    } catch (error) {
      emit({ type: 'recording.failed', recordingId: id, detail: String(error) });
      return;
    }
    const running: Running = { id, file, over: false };
    this.#running.set(id, running);
    void file.arrived.then(
      (bytes) => this.#arrived(running, bytes),
      (error: unknown) => this.#fail(running, `the delivery broke off: ${String(error)}`),
    );
    const limitS = Math.max(1, Math.ceil(lengthMaxMs / 1_000));
    const stereo = channels === 'stereo' ? 'true' : 'false';
    const variable = `${endpoint.channelId} RECORD_STEREO ${stereo}`;
    this.#last = this.#last.then(() => endpoint.command('uuid_setvar', variable));
    void this.#record(running, 'start', ` ${limitS}`).then((problem) => {
      if (problem !== undefined) this.#fail(running, problem);
      else if (!running.over) emit({ type: 'recording.started', recordingId: id });
    });
  }

  /** What was in the way. */
  async #record({ file }: Running, verb: string, more = ''): Promise<string | undefined> {
    const { endpoint } = this.#parts;
    const args = `${endpoint.channelId} ${verb} ${file.url}${more}`;
    const done = this.#last.then(() => endpoint.command('uuid_record', args));
    this.#last = done;
    const outcome = await done;
    if (outcome.kind === 'done' || outcome.kind === 'gone') return undefined; // gone: it delivers
    return outcome.kind === 'timeout' ? 'no answer to uuid_record' : outcome.problem;
  }

  async #arrived(running: Running, bytes: number): Promise<void> {
    const { emit } = this.#parts;
    const { id: recordingId, file } = running;
    const lengthMs = await wavLengthMs(file.path, bytes).catch(() => 0);
    if (running.over) return;
    running.over = true;
    emit({ type: 'recording.ended', recordingId, location: file.location, lengthMs });
  }

  #fail(running: Running, detail: string): void {
    if (running.over) return;
    running.over = true;
    running.file.forget();
    this.#parts.emit({ type: 'recording.failed', recordingId: running.id, detail });
  }
}
