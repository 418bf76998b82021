/** The speech of a gateway as its configuration has it; what is missing is said at start. */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpeechConfig } from '../../config/speech.schema.ts';
import { DialerError } from '../../machines/errors.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { EspeakSpeech } from './espeak-speech.ts';
import { espeakVoices } from './espeak-voices.ts';
import { FreeswitchSpeech } from './freeswitch-speech.ts';
import type { Speech } from './speech.port.ts';
import { forLocale } from './spoken-prompt.ts';

export interface OpenedSpeech {
  /** Undefined: nothing is spoken. */
  readonly speech: Speech | undefined;
  /** Of the files it makes; undefined: it makes none. */
  readonly folder: string | undefined;
  close(): Promise<void>;
}

const INSTEAD =
  'use prompts that are wav files of gateway.promptsDir, or set gateway.speech.engine to off';

/** Rejects with CONFIG_INVALID, and what to do, when a voice that is needed is not there. */
export async function openSpeech(config: SpeechConfig, log: GatewayLog): Promise<OpenedSpeech> {
  const { engine, locales } = config;
  if (engine === 'freeswitch') {
    const voices = new Map(
      Object.entries(config.freeswitchVoices).map(([name, voice]) => [name.toLowerCase(), voice]),
    );
    requireVoices(locales, voices, 'name it in gateway.speech.freeswitchVoices');
    const speech = new FreeswitchSpeech(config.freeswitchEngine, voices);
    return { speech, folder: undefined, close: () => Promise.resolve() };
  }
  const voices = engine === 'off' ? undefined : await espeakVoices();
  if (voices === undefined) {
    if (engine === 'espeakNg' || locales.length > 0) throw noEngine(engine);
    return { speech: undefined, folder: undefined, close: () => Promise.resolve() };
  }
  requireVoices(locales, voices, '`espeak-ng --voices` lists those that are there');
  return openEspeak(config, voices, log);
}

async function openEspeak(
  config: SpeechConfig,
  voices: ReadonlyMap<string, string>,
  log: GatewayLog,
): Promise<OpenedSpeech> {
  const { cacheDir, cacheFilesMax: filesMax, wordsPerMinute } = config;
  const own = cacheDir === '' ? await mkdtemp(join(tmpdir(), 'ringfence-speech-')) : undefined;
  const folder = own ?? cacheDir;
  await mkdir(folder, { recursive: true });
  const onProblem = (problem: string): void => log.warn({ problem }, 'a prompt was not spoken');
  return {
    speech: new EspeakSpeech({ folder, filesMax, wordsPerMinute, voices, onProblem }),
    folder,
    close: async () => {
      if (own !== undefined) await rm(own, { recursive: true, force: true });
    },
  };
}

function requireVoices(
  locales: readonly string[],
  voices: ReadonlyMap<string, string>,
  hint: string,
): void {
  const missing = locales.filter((locale) => forLocale(locale, voices) === undefined);
  if (missing.length === 0) return;
  const detail = `gateway.speech.locales: no voice for ${missing.join(', ')}; ${hint}, or ${INSTEAD}`;
  throw new DialerError('CONFIG_INVALID', detail);
}

function noEngine(engine: SpeechConfig['engine']): DialerError {
  const detail =
    engine === 'off'
      ? 'gateway.speech.locales names voices, but gateway.speech.engine is off'
      : `gateway.speech: espeak-ng is not installed; install it (apt-get install espeak-ng), or ${INSTEAD}`;
  return new DialerError('CONFIG_INVALID', detail);
}
