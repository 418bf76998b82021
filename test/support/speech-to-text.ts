/** Recordings to be put in writing, and the configuration of what does it. */
import { Value } from 'typebox/value';
import { TranscriptionConfig } from '../../config/transcription.schema.ts';

const RATE_HZ = 8_000;

/** Stretches of a square wave: how long, in ms, and how loud, 0 to 32,767. */
export type Stretches = readonly (readonly [ms: number, peak: number])[];

/** A wav file of one channel, or of two that are equally long. */
export function wavOf(...channels: readonly Stretches[]): Buffer {
  const sides = channels.map((stretches) =>
    stretches.flatMap(([ms, peak]) =>
      Array.from({ length: (ms * RATE_HZ) / 1_000 }, (_, at) => (at % 16 < 8 ? peak : -peak)),
    ),
  );
  const frames = sides[0]?.length ?? 0;
  const data = Buffer.alloc(frames * sides.length * 2);
  for (const [channel, side] of sides.entries()) {
    for (const [at, value] of side.entries()) {
      data.writeInt16LE(value, (at * sides.length + channel) * 2);
    }
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(sides.length, 22);
  header.writeUInt32LE(RATE_HZ, 24);
  header.writeUInt32LE(RATE_HZ * sides.length * 2, 28);
  header.writeUInt16LE(sides.length * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

export function transcriptionConfig(
  given: Partial<Record<keyof TranscriptionConfig, unknown>>,
): TranscriptionConfig {
  return Value.Parse(TranscriptionConfig, Value.Default(TranscriptionConfig, { ...given }));
}
