/**
 * The tone language of FreeSWITCH's `tone_stream://` (libteletone), turned into segments.
 *
 * A script is a list of instructions, each ended by `;` or the end. `x=value` sets a value for what
 * follows: `v` volume in dBm0 (-63 to 0), `d` and `w` default length and pause in ms, `l` how often
 * each next tone is repeated, `L` how often the whole script runs, `>` and `<` ms after which the
 * volume falls or rises by `+` dB, `r` sample rate and `c` channels (both fixed here). All else are
 * tones: `%(on ms, off ms, f1, f2, ...)` with up to six frequencies, or keypad digits, bare or with
 * lengths of their own: `5(100,50)`.
 */
import { MediaError } from './media-error.ts';
import { SAMPLES_PER_MS } from './audio-format.ts';

export interface ToneSegment {
  readonly frequenciesHz: readonly number[];
  readonly onSamples: number;
  readonly offSamples: number;
  /** Power of a single tone; several share it: each has 1/n of the amplitude. */
  readonly volumeDbm0: number;
  /** Every `stepSamples` the volume changes by `stepDb`, within -63 to 0. */
  readonly decay: { readonly stepSamples: number; readonly stepDb: number } | undefined;
}

const VOLUME_DEFAULT_DBM0 = -7;
export const VOLUME_MIN_DBM0 = -63;
export const VOLUME_MAX_DBM0 = 0;
const DURATION_DEFAULT_SAMPLES = 2_000;
const WAIT_DEFAULT_SAMPLES = 500;
export const FREQUENCIES_MAX = 6;
/** Bounds on what a script may cost: instructions kept, and the length of one tone. */
const SEGMENTS_MAX = 10_000;
const TONE_MS_MAX = 3_600_000;

const KEYPAD_ROWS = { low: [697, 770, 852, 941], high: [1_209, 1_336, 1_477, 1_633] } as const;
const KEYPAD = '123A456B789C*0#D';

/** Throws `INVALID_TONE_STREAM`: where FreeSWITCH plays nothing and says so in its log, we refuse. */
export function parseToneScript(script: string): ToneSegment[] {
  const run = new ToneScriptRun();
  run.take(script);
  if (run.segments.length === 0) throw invalid(`no tone in ${JSON.stringify(script)}`);
  // `L` repeats the script, not its sound: what it set at its end is still set at its beginning.
  for (let turn = 1; turn < run.runs; turn += 1) run.take(script);
  return run.segments;
}

class ToneScriptRun {
  readonly segments: ToneSegment[] = [];
  runs = 1;
  #volumeDbm0 = VOLUME_DEFAULT_DBM0;
  #onSamples = DURATION_DEFAULT_SAMPLES;
  #offSamples = WAIT_DEFAULT_SAMPLES;
  #repeats = 1;
  #decayDirection: -1 | 0 | 1 = 0;
  #decayStepSamples = 0;
  #decayDb = 1;

  take(script: string): void {
    for (const part of script.split(';')) {
      const instruction = part.trim();
      if (instruction[1] === '=') this.#set(instruction[0] as string, instruction.slice(2));
      else this.#tones(instruction);
    }
  }

  #set(name: string, text: string): void {
    const value = Number(text.trim());
    if (text.trim() === '' || !Number.isFinite(value)) throw invalid(`${name}=${text}: no number`);
    const samples = samplesOf(Math.max(0, value), `${name}=${text}`);
    if (name === 'v') {
      if (value >= VOLUME_MIN_DBM0 && value <= VOLUME_MAX_DBM0) this.#volumeDbm0 = value;
    } else if (name === 'd') this.#onSamples = samples;
    else if (name === 'w') this.#offSamples = samples;
    else if (name === 'l') this.#repeats = Math.max(1, Math.trunc(value));
    else if (name === 'L') this.runs = Math.max(1, Math.trunc(value));
    else if (name === '+') this.#decayDb = value;
    else if (name === '>' || name === '<') {
      this.#decayStepSamples = samples;
      this.#decayDirection = name === '>' ? -1 : 1;
    } else if (name !== 'r' && name !== 'c') throw invalid(`unknown setting ${name}=`);
  }

  #tones(text: string): void {
    let at = 0;
    while (at < text.length) {
      const name = text[at] as string;
      at += 1;
      if (/\s/.test(name)) continue;
      let values: number[] | undefined;
      if (text[at] === '(') {
        const close = text.indexOf(')', at);
        const inside = text.slice(at + 1, close < 0 ? undefined : close);
        values = inside.split(',').map((value) => numberOf(value, text));
        at = close < 0 ? text.length : close + 1;
      }
      this.#tone(name, values, text);
    }
  }

  #tone(name: string, values: number[] | undefined, text: string): void {
    const [onMs, offMs, ...listed] = values ?? [];
    const frequenciesHz = name === '%' ? frequenciesOf(listed, text) : keypadTones(name, text);
    if (name !== '%' && values !== undefined && values.length !== 2) {
      throw invalid(`a digit takes (on,off): ${text}`);
    }
    const segment: ToneSegment = {
      frequenciesHz,
      onSamples: onMs === undefined ? this.#onSamples : samplesOf(onMs, text),
      offSamples: offMs === undefined ? this.#offSamples : samplesOf(offMs, text),
      volumeDbm0: this.#volumeDbm0,
      decay:
        this.#decayDirection === 0
          ? undefined
          : {
              stepSamples: this.#decayStepSamples,
              stepDb: this.#decayDirection * this.#decayDb,
            },
    };
    for (let turn = 0; turn < this.#repeats; turn += 1) {
      if (this.segments.length === SEGMENTS_MAX) throw invalid(`more than ${SEGMENTS_MAX} tones`);
      this.segments.push(segment);
    }
    this.#repeats = 1; // `l` is used up by the tone it repeats
  }
}

/** As in FreeSWITCH, a frequency of 0 ends the list; a first one of 0 leaves only the pause. */
function frequenciesOf(listed: readonly number[], text: string): number[] {
  if (listed.length === 0) throw invalid(`%() needs (on,off,frequency,...): ${text}`);
  if (listed.length > FREQUENCIES_MAX) throw invalid(`more than 6 frequencies: ${text}`);
  const end = listed.indexOf(0);
  const frequencies = end < 0 ? listed : listed.slice(0, end);
  for (const frequency of frequencies) {
    if (frequency < 0 || frequency >= 4_000) throw invalid(`frequency outside 0-4000 Hz: ${text}`);
  }
  return [...frequencies];
}

function keypadTones(name: string, text: string): number[] {
  const key = KEYPAD.indexOf(name);
  if (key < 0) throw invalid(`not a tone: ${JSON.stringify(name)} in ${JSON.stringify(text)}`);
  return [KEYPAD_ROWS.low[Math.floor(key / 4)] as number, KEYPAD_ROWS.high[key % 4] as number];
}

function numberOf(value: string, text: string): number {
  const number = Number(value.trim());
  if (value.trim() === '' || !Number.isFinite(number)) {
    throw invalid(`not a number: ${JSON.stringify(value)} in ${JSON.stringify(text)}`);
  }
  return number;
}

function samplesOf(ms: number, text: string): number {
  if (ms < 0 || ms > TONE_MS_MAX) throw invalid(`length outside 0-${TONE_MS_MAX} ms: ${text}`);
  return Math.trunc(ms) * SAMPLES_PER_MS;
}

function invalid(detail: string): MediaError {
  return new MediaError('INVALID_TONE_STREAM', `tone stream: ${detail}`);
}
