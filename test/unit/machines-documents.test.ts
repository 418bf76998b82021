/** Goal: the documents generated from machines/ say what the code does today. */
import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { createMachine } from 'xstate';
import { machineDiagram } from '../support/machine-diagram.ts';
import { MACHINES, machineDocuments } from '../support/machine-documents.ts';

t.test('no generated document is stale', async (t) => {
  for (const { file, text } of await machineDocuments()) {
    const written = await readFile(file, 'utf8').catch(() => '');
    const name = file.pathname.split('/').slice(-2).join('/');
    t.equal(written, text, `${name}: run npm run docs`);
  }
});

t.test('every machine has its diagram', async (t) => {
  const files = await readdir(new URL('../../machines', import.meta.url));
  const suffix = '.machine.ts';
  const names = files.filter((file) => file.endsWith(suffix));
  t.same(names.map((file) => file.slice(0, -suffix.length)).sort(), Object.keys(MACHINES).sort());
});

t.test('a diagram shows waits, guards, silent transitions and what holds everywhere', async (t) => {
  const machine = createMachine({
    id: 'door',
    initial: 'shut',
    on: { fire: '.gone' },
    states: {
      shut: { on: { push: { guard: 'isUnlocked', target: 'ajar' } } },
      ajar: {
        initial: 'moving',
        states: { moving: { after: { swing: 'still' } }, still: { always: '#door.shut' } },
        on: { knock: {} },
      },
      gone: { type: 'final' },
    },
  });
  const diagram = machineDiagram(machine, 'door.machine.ts');
  for (const line of [
    '  [*] --> shut',
    '  state "ajar" as ajar {',
    '    [*] --> ajar_moving',
    '    state "still" as ajar_still',
    '  shut --> ajar: push [isUnlocked]',
    '  ajar_moving --> ajar_still: after swing',
    '  ajar_still --> shut: ..',
    '  gone --> [*]',
    '| `fire` | gone |',
    '| `knock` | ajar |',
  ]) {
    t.ok(diagram.split('\n').includes(line), line);
  }
});
