/**
 * A program on this machine, one process a file, without a shell: no sign in a file name or a language
 * means anything to anybody. What it says on stderr is not told on: it may be what it heard.
 */
import { spawn } from 'node:child_process';
import { heardInJson, heardInText } from './heard-speech.ts';
import {
  TranscriptionError,
  type HeardSpeech,
  type SpokenFile,
  type Transcriber,
} from './transcriber.port.ts';

export interface CommandTranscriberOptions {
  /** Program and arguments, with `{file}` and `{language}`. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

const OUTPUT_BYTES_MAX = 4_194_304;

export class CommandTranscriber implements Transcriber {
  readonly #options: CommandTranscriberOptions;

  constructor(options: CommandTranscriberOptions) {
    this.#options = options;
  }

  async transcribe(file: SpokenFile): Promise<readonly HeardSpeech[]> {
    const said = (await this.#run(file)).trim();
    if (!said.startsWith('{')) return heardInText(said, file.lengthMs);
    let answer: unknown;
    try {
      answer = JSON.parse(said);
    } catch {
      return heardInText(said, file.lengthMs);
    }
    return heardInJson(answer, file.lengthMs);
  }

  #run({ path, language, signal }: SpokenFile): Promise<string> {
    const { command, timeoutMs } = this.#options;
    const [program = '', ...args] = command;
    const words = args.map((word) =>
      word.replaceAll('{file}', () => path).replaceAll('{language}', () => language),
    );
    const timeout = AbortSignal.timeout(timeoutMs);
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'ignore'],
      signal: AbortSignal.any([timeout, signal]),
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= OUTPUT_BYTES_MAX) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    return new Promise((resolve, reject) => {
      const fail = (detail: string, mayPass: boolean): void =>
        reject(new TranscriptionError(detail, { mayPass }));
      child.on('error', (error: NodeJS.ErrnoException) => {
        if (timeout.aborted) fail(`the command took longer than ${timeoutMs} ms`, true);
        else if (signal.aborted) fail('the command was given up', true);
        else fail(`the command cannot be run (${error.code ?? error.name})`, false);
      });
      child.on('close', (code, killedBy) => {
        if (bytes > OUTPUT_BYTES_MAX) fail('the command wrote too much', false);
        else if (code === 0) resolve(Buffer.concat(chunks).toString());
        else fail(`the command ended with ${killedBy ?? `exit code ${code}`}`, true);
      });
    });
  }
}
