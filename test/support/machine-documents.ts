/** The documents generated from machines/, formatted as the repository formats Markdown. */
import { format, resolveConfig } from 'prettier';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import { trunkMachine } from '../../machines/trunk.machine.ts';
import { machineDiagram } from './machine-diagram.ts';
import { outcomesDocument } from './outcomes-document.ts';

export interface MachineDocument {
  readonly file: URL;
  readonly text: string;
}

export async function machineDocuments(): Promise<MachineDocument[]> {
  const documents = [
    {
      path: '../../docs/machines/call-attempt.md',
      text: machineDiagram(callAttemptMachine, 'machines/call-attempt.machine.ts'),
    },
    {
      path: '../../docs/machines/trunk.md',
      text: machineDiagram(trunkMachine, 'machines/trunk.machine.ts'),
    },
    { path: '../../docs/outcomes.md', text: outcomesDocument() },
  ];
  return Promise.all(
    documents.map(async ({ path, text }) => {
      const file = new URL(path, import.meta.url);
      const options = await resolveConfig(file);
      return { file, text: await format(text, { ...options, parser: 'markdown' }) };
    }),
  );
}
