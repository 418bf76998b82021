/** How recorded samples look in a file, by the ending of its name: the ones of FreeSWITCH's sndfile. */
import { extname } from 'node:path';
import { SAMPLE_RATE_HZ } from '../audio-format.ts';
import { alaw, mulaw, type G711 } from '../g711.ts';
import { wavHeader } from '../wav.ts';

export interface FileFormat {
  readonly bytesPerSample: 1 | 2;
  /** What the file begins with; empty for formats without one. `undefined` = length not known yet. */
  header(channels: number, dataBytes: number | undefined): Buffer;
  /** Writes the samples into `into` from `offset` on, where there is room for them. */
  encode(pcm: Int16Array, into: Uint8Array, offset: number): void;
}

const NO_HEADER = Buffer.alloc(0);

/** Little-endian, on any host. */
function linear(pcm: Int16Array, into: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < pcm.length; i += 1, at += 2) {
    const sample = pcm[i] as number;
    into[at] = sample & 0xff;
    into[at + 1] = (sample >> 8) & 0xff;
  }
}

function companded(law: G711): FileFormat {
  return {
    bytesPerSample: 1,
    header: () => NO_HEADER,
    encode: (pcm, into, offset) => law.encode(pcm, into, offset),
  };
}

const RAW: FileFormat = { bytesPerSample: 2, header: () => NO_HEADER, encode: linear };
const WAV: FileFormat = {
  bytesPerSample: 2,
  header: (channels, dataBytes) => wavHeader(dataBytes, SAMPLE_RATE_HZ, channels),
  encode: linear,
};

const FORMATS: Readonly<Record<string, FileFormat>> = {
  '.wav': WAV,
  '.raw': RAW,
  '.r8': RAW,
  '.ul': companded(mulaw),
  '.ulaw': companded(mulaw),
  '.al': companded(alaw),
  '.alaw': companded(alaw),
};

/** Undefined when files of that name cannot be written. */
export function formatOf(path: string): FileFormat | undefined {
  return FORMATS[extname(path).toLowerCase()];
}
