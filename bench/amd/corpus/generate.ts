/**
 * Makes the corpus: `tsx bench/amd/corpus/generate.ts [--corpus DIR] [--share 0.05] [--write-manifest]`.
 * The same seed and tools give the same clips, byte for byte; docs/amd.md says what is in them.
 */
import { parseArgs } from 'node:util';
import { corpusFolder, ensureCorpus } from './corpus.ts';

const { values } = parseArgs({
  options: {
    corpus: { type: 'string' },
    share: { type: 'string', default: '1' },
    'write-manifest': { type: 'boolean', default: false },
  },
});
const share = Number(values.share);
if (!(share > 0 && share <= 1)) throw new Error('--share takes a number above 0 and at most 1');
const say = (line: string): void => console.error(line);
const folder = values.corpus ?? corpusFolder(share);
await ensureCorpus({ folder, share, say, writeManifest: values['write-manifest'] });
console.log(folder);
