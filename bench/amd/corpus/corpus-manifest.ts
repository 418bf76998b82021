/** The committed word on what the corpus is: whoever makes it anew can tell whether it is the same. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TruthLine } from './corpus-files.ts';
import { CORPUS_SEED } from './corpus-plan.ts';
import { LANGUAGE_CODES, type Split } from './texts/script-texts.ts';

const MANIFEST_FILE = join(import.meta.dirname, 'manifest.json');

interface Manifest {
  readonly seed: string;
  readonly tools: { readonly espeakNg: string; readonly node: string };
  readonly languages: string;
  readonly counts: Readonly<Record<Split, Readonly<Record<string, number>>>>;
  readonly hours: Readonly<Record<Split, number>>;
  /** SHA-256 over the lines `SHA-256  file` of all clips, by the share of the clips that is made. */
  readonly sha256OfShare: Readonly<Record<string, string>>;
}

interface Made {
  readonly share: number;
  readonly hash: string;
  readonly espeak: string;
}

export interface ManifestVerdict {
  readonly verdict: 'same' | 'otherTools' | 'notListed' | 'differs';
  readonly inWords: string;
}

export function checkManifest({ share, hash, espeak }: Made): ManifestVerdict {
  const manifest = readManifest();
  const expected = manifest?.sha256OfShare[String(share)];
  if (manifest === undefined || expected === undefined) {
    return {
      verdict: 'notListed',
      inWords: `warning: the manifest lists no share ${share}; hash ${hash}`,
    };
  }
  if (expected === hash) return { verdict: 'same', inWords: 'the clips are those of the manifest' };
  const { espeakNg, node } = manifest.tools;
  if (espeakNg !== espeak || node !== process.version) {
    const inWords =
      `warning: these clips are not those of the manifest, which was made with espeak-ng ${espeakNg} ` +
      `and Node ${node}; here are ${espeak} and ${process.version}. Figures compare only roughly.`;
    return { verdict: 'otherTools', inWords };
  }
  const inWords =
    'warning: these clips are not those of the manifest, although the tools are the same: ' +
    'the generator was changed without --write-manifest, or is not deterministic.';
  return { verdict: 'differs', inWords };
}

export function writeManifest(
  made: Made & { readonly truth: Readonly<Record<Split, readonly TruthLine[]>> },
): void {
  const { share, hash, espeak, truth } = made;
  const before = readManifest();
  const whole = share === 1 || before === undefined;
  const manifest: Manifest = {
    seed: CORPUS_SEED,
    tools: { espeakNg: espeak, node: process.version },
    languages: LANGUAGE_CODES.join(' '),
    counts: whole ? { train: countsOf(truth.train), test: countsOf(truth.test) } : before.counts,
    hours: whole ? { train: hoursOf(truth.train), test: hoursOf(truth.test) } : before.hours,
    sha256OfShare: { ...before?.sha256OfShare, [String(share)]: hash },
  };
  writeFileSync(MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
}

function readManifest(): Manifest | undefined {
  if (!existsSync(MANIFEST_FILE)) return undefined;
  return JSON.parse(readFileSync(MANIFEST_FILE, 'utf8')) as Manifest;
}

function countsOf(lines: readonly TruthLine[]): Record<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const line of lines) {
    const name = line.class ?? 'earlyMedia';
    count(name);
    if (name === 'human' || name === 'machine') count(`${name}/${line.stratum}`);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function hoursOf(lines: readonly TruthLine[]): number {
  return Math.round(lines.reduce((sum, { durationMs }) => sum + durationMs, 0) / 36_000) / 100;
}
