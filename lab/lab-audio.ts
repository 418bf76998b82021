/** The sounds of the lab's far end: recorded speech from lab/audio, tones made from their definitions. */
import { readFileSync } from 'node:fs';
import { PcmSource, type AudioSource } from '../softswitch/media/audio-source.ts';
import { Playlist } from '../softswitch/media/playlist.ts';
import { openStream } from '../softswitch/media/tone-stream.ts';
import { decodeWav } from '../softswitch/media/wav.ts';

export type LabAudio =
  'hello' | 'voicemail' | 'ringback' | 'busyTone' | 'sitVacant' | 'faxCed' | 'agentGreeting';

const HELLOS = ['hello-1', 'hello-2', 'hello-3'];
const GREETINGS = ['voicemail-1', 'voicemail-2'];

/** NANP ringback, 2 s on and 4 s off (Telcordia GR-506). */
const RINGBACK = 'tone_stream://v=-13;%(2000,4000,440,480);loops=-1';
/** NANP busy, half a second on and off. */
const BUSY = 'tone_stream://v=-13;%(500,500,480,620);loops=-1';
/** Special information tones, vacant code: 985.2 Hz long, 1370.6 short, 1776.7 long (GR-1162). */
const SIT_VACANT = 'tone_stream://v=-13;%(380,0,985.2);%(274,0,1370.6);%(380,0,1776.7)';
/** Called station identification, 2100 Hz for 3 s (ITU-T T.30 §4.2). */
const FAX_CED = 'tone_stream://v=-13;%(3000,0,2100)';
/** The beep of an answering machine: 1 kHz for 400 ms. */
const BEEP = 'tone_stream://v=-13;%(400,0,1000)';
/** Pause between greeting and beep. */
const BEFORE_BEEP = 'silence_stream://600';

/**
 * Opens a sound. `variant` (the dialled number's last digit) chooses among recordings, so that one
 * number always sounds the same.
 */
export function openLabAudio(audio: LabAudio, variant: number): AudioSource {
  switch (audio) {
    case 'hello':
      return recording(HELLOS, variant);
    case 'voicemail':
      return new Playlist([
        recording(GREETINGS, variant),
        openStream(BEFORE_BEEP),
        openStream(BEEP),
      ]);
    case 'ringback':
      return openStream(RINGBACK);
    case 'busyTone':
      return openStream(BUSY);
    case 'sitVacant':
      return openStream(SIT_VACANT);
    case 'faxCed':
      return openStream(FAX_CED);
    case 'agentGreeting':
      return recording(['agent-greeting'], 0);
  }
}

const decoded = new Map<string, Int16Array>();

function recording(names: readonly string[], variant: number): AudioSource {
  const name = names[variant % names.length] ?? names[0] ?? '';
  let pcm = decoded.get(name);
  if (pcm === undefined) {
    pcm = decodeWav(readFileSync(audioFile(name))).pcm;
    decoded.set(name, pcm);
  }
  return new PcmSource(pcm);
}

/** From source the recordings lie beside this file; from `dist/lab` they lie in the checkout's `lab`. */
function audioFile(name: string): URL {
  const inDist = import.meta.url.endsWith('.js');
  return new URL(`${inDist ? '../../lab/audio/' : './audio/'}${name}.wav`, import.meta.url);
}
