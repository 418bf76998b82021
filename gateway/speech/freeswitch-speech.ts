/** The media server's own engine, by its application `speak`: nothing is made and nothing kept here. */
import type { SpeechConfig } from '../../config/speech.schema.ts';
import type { Speech, Spoken } from './speech.port.ts';
import { forLocale, type SpokenPrompt } from './spoken-prompt.ts';

/** What FreeSWITCH must have loaded: without it `speak` ends at once, and says nothing of it. */
export function speechModule({ engine, freeswitchEngine }: SpeechConfig): string | undefined {
  return engine === 'freeswitch' ? `mod_${freeswitchEngine}` : undefined;
}

export class FreeswitchSpeech implements Speech {
  readonly #engine: string;
  readonly #voices: ReadonlyMap<string, string>;

  constructor(engine: string, voices: ReadonlyMap<string, string>) {
    this.#engine = engine;
    this.#voices = voices;
  }

  speak({ locale, text }: SpokenPrompt): Promise<Spoken | undefined> {
    const voice = forLocale(locale, this.#voices);
    if (voice === undefined) return Promise.resolve(undefined);
    // `|` parts the arguments of speak, and `$` would be expanded.
    const plain = text.replaceAll('|', ',').replaceAll(/[$\\]/g, ' ');
    const argument = `${this.#engine}|${voice}|${plain}`;
    return Promise.resolve({ kind: 'speak', argument });
  }
}
