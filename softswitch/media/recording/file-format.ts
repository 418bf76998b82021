/** How recorded samples look in a file, by the ending of its name: the ones of FreeSWITCH's sndfile. */
import { extname } from 'node:path';
import { SAMPLE_RATE_HZ } from '../audio-format.ts';
import { alaw, mulaw, type G711 } from '../g711.ts';
import { wavHeader } from '../wav.ts';

export interface FileFormat {
  readonly bytesPerSample: 1 | 2;
  /** What the file begins with; empty for formats without one. `undefined` = length not known yet. */
  header(channels: number, dataBytes: number | undefined): Buffer;
  encode(pcm: Int16Array): Buffer;
}

const NO_HEADER = Buffer.alloc(0);

/** A copy, since the frame is used again; the hosts this runs on are little-endian, as the files are. */
function linear(pcm: Int16Array): Buffer {
  return Buffer.from(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
}

function companded(law: G711): FileFormat {
  return {
    bytesPerSample: 1,
    header: () => NO_HEADER,
    encode: (pcm) => {
      const bytes = Buffer.alloc(pcm.length);
      law.encode(pcm, bytes, 0);
      return bytes;
    },
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
