/** Goal: no code of the dialer can dial but by way of a claimed start. */
import { readFileSync } from 'node:fs';
import { Linter } from 'eslint';
import t from 'tap';
import tseslint from 'typescript-eslint';

const RULE = 'no-restricted-syntax';
// Plain JavaScript without types, hence the name that the compiler cannot follow.
const configFile = new URL('../../eslint.config.js', import.meta.url).href;
const { default: eslintConfig } = (await import(configFile)) as { default: Linter.Config[] };
const blocks = eslintConfig
  .filter(({ rules }) => rules?.[RULE] !== undefined)
  .map(({ files, ignores, rules }) => ({
    ...(files === undefined ? {} : { files }),
    ...(ignores === undefined ? {} : { ignores }),
    rules: { [RULE]: rules?.[RULE] },
  })) as Linter.Config[];

function findings(file: string, source: string): string[] {
  const parser = tseslint.parser as Linter.Parser;
  const typescript: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser } };
  return new Linter()
    .verify(source, [typescript, ...blocks], { filename: file })
    .map(({ message }) => message);
}

const planted = [
  {
    name: 'a dial command',
    source: `export const dial = { type: 'attempt.dial', attemptId: 'a' };`,
  },
  { name: 'a dial command by template', source: 'export const type = `attempt.dial`;' },
  {
    name: 'the attempt’s machine',
    source: `import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';`,
  },
  {
    name: 'the chain’s machine, under another name',
    source: `import { contactChainMachine as m } from '../../machines/contact-chain.machine.ts';`,
  },
  {
    name: 'all of the machine',
    source: `import * as attempt from '../../machines/call-attempt.machine.ts';`,
  },
  {
    name: 'the machine, later',
    source: `export const later = await import('../../machines/call-attempt.machine.ts');`,
  },
  {
    name: 'the machine, passed on',
    source: `export { callAttemptMachine as other } from '../../machines/call-attempt.machine.ts';`,
  },
  {
    name: 'everything that dials, passed on',
    source: `export * from '../../machines/contact-chain.machine.ts';`,
  },
];

for (const { name, source } of planted) {
  t.test(`lint refuses ${name} in the dialer and beside it`, async (t) => {
    for (const file of ['dialer/actors/x.ts', 'dialer/main.ts', 'dialer/pacing/y.ts']) {
      t.match(findings(file, source), [/start-attempt\.ts alone/], file);
    }
    for (const file of ['cli/start.command.ts', 'cli/demo/x.ts', 'lab/y.ts']) {
      t.match(findings(file, source), [/call\.command\.ts alone/], file);
    }
  });
}

t.test(
  'the one place that dials takes a claimed start, or one that is never dialled',
  async (t) => {
    const file = 'dialer/actors/start-attempt.ts';
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    t.strictSame(findings(file, source), []);
    const exported = [...source.matchAll(/^export function (\w+)\((\w+): (\w+)/gm)].map(
      ([, name, , input]) => [name, input],
    );
    t.strictSame(exported, [
      ['chainStartOf', 'ClaimedStart'],
      ['recoveredStartOf', 'FoundAttempt'],
    ]);
    t.match(source, /recovery: \{ evidence,/, 'a recovered start is asked about, not dialled');
  },
);
