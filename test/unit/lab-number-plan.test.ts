/** Goal: the number plan has no hole, its page is true, and the shipped list covers it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { numberPlanMarkdown } from '../../lab/document-number-plan.ts';
import { NUMBER_PLAN, planEntryFor } from '../../lab/number-plan.ts';

const fileText = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

t.test('every pair of last digits has exactly one behaviour', async (t) => {
  for (let value = 0; value < 100; value += 1) {
    const entries = NUMBER_PLAN.filter(
      ({ lastTwoDigits: [first, last] }) => first <= value && value <= last,
    );
    t.equal(entries.length, 1, `last two digits ${value}`);
    const number = `+1202555 01${String(value).padStart(2, '0')}`;
    t.equal(planEntryFor(number), entries[0]);
  }
});

t.test('a number without two digits is a person, never an error', async (t) => {
  for (const number of ['', '+', 'anonymous', '7']) {
    t.equal(planEntryFor(number).behaviour, 'person');
  }
});

t.test('docs/lab.md is the plan in words', async (t) => {
  const squeezed = (text: string): string =>
    text.replaceAll(/ *\| */g, '|').replaceAll(/-{3,}/g, '---');
  t.equal(squeezed(fileText('docs/lab.md')), squeezed(numberPlanMarkdown()));
});

t.test('the shipped list has sixty distinct fictional numbers', async (t) => {
  const numbers = fileText('lab/contacts.csv').match(/\+1\d{10}/g) ?? [];
  t.equal(numbers.length, 60);
  t.equal(new Set(numbers).size, 60);
  for (const number of numbers)
    t.match(number, /^\+1\d{3}55501\d{2}$/, 'NANP 555-01XX is fictional');
  const shown = new Set(numbers.map((number) => planEntryFor(number).behaviour));
  const silent = NUMBER_PLAN.filter(({ behaviour }) => !shown.has(behaviour));
  t.same(
    silent.map(({ behaviour }) => behaviour),
    ['silentPeer'],
    'all behaviours but the one that takes 32 s',
  );
});
