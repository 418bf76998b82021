/** What makes text of speech. Adapters: http-transcriber.ts, command-transcriber.ts. */

export interface SpokenFile {
  /** Wav, 16 bits, one channel. */
  readonly path: string;
  readonly lengthMs: number;
  /** As the workstream has it: `en`, `de-AT`. */
  readonly language: string;
  /** Aborted: nobody waits for it any more. */
  readonly signal: AbortSignal;
}

export interface HeardSpeech {
  /** Times from the beginning of the file. Of an engine that gives none: those of the whole file. */
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

export interface Transcriber {
  /** Rejects with TranscriptionError, and with nothing else but defects. */
  transcribe(file: SpokenFile): Promise<readonly HeardSpeech[]>;
}

export class TranscriptionError extends Error {
  override readonly name = 'TranscriptionError';
  /** The same may succeed later. */
  readonly mayPass: boolean;
  /** Not before this, ms: the engine asks for it. */
  readonly retryAfterMs: number | undefined;

  /** The detail is stored, shown and logged: never what was said, and never a key. */
  constructor(detail: string, more: { mayPass: boolean; retryAfterMs?: number | undefined }) {
    super(detail);
    this.mayPass = more.mayPass;
    this.retryAfterMs = more.retryAfterMs;
  }
}
