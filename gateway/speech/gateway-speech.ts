/** The speech of a gateway: opened when it is first needed, or at start where a voice must be there. */
import type { SpeechConfig } from '../../config/speech.schema.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { openSpeech, type OpenedSpeech } from './open-speech.ts';
import type { Speech, Spoken } from './speech.port.ts';
import type { SpokenPrompt } from './spoken-prompt.ts';

export class GatewaySpeech implements Speech {
  readonly #config: SpeechConfig;
  readonly #log: GatewayLog;
  #opening: Promise<OpenedSpeech> | undefined;
  #opened: OpenedSpeech | undefined;

  constructor(config: SpeechConfig, log: GatewayLog) {
    this.#config = config;
    this.#log = log;
  }

  /** Of the files it has made; undefined: none so far. */
  get folder(): string | undefined {
    return this.#opened?.folder;
  }

  /** Rejects with CONFIG_INVALID when a voice that is required is missing. */
  async check(): Promise<void> {
    const { engine, locales } = this.#config;
    if (engine === 'espeakNg' || locales.length > 0) await this.#open();
  }

  /** Never rejects: what cannot be spoken is a prompt that is not there, and the call goes on. */
  async speak(prompt: SpokenPrompt): Promise<Spoken | undefined> {
    const { locale } = prompt;
    try {
      const { speech } = await this.#open();
      if (speech === undefined) {
        this.#log.warn({ locale }, 'a prompt was not spoken: there is no speech engine');
      }
      return await speech?.speak(prompt);
    } catch (error) {
      this.#log.error({ locale, error }, 'a prompt was not spoken');
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#opening?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }

  async #open(): Promise<OpenedSpeech> {
    const opening = (this.#opening ??= openSpeech(this.#config, this.#log));
    try {
      this.#opened = await opening;
    } catch (error) {
      // The next prompt tries it anew.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
    return this.#opened;
  }
}
