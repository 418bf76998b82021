/** The documents generated from machines/, formatted as the repository formats Markdown. */
import { format, resolveConfig } from 'prettier';
import type { AnyStateMachine } from 'xstate';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import { contactChainMachine } from '../../machines/contact-chain.machine.ts';
import { copilotPacerMachine } from '../../machines/copilot-pacer.machine.ts';
import { predictivePacerMachine } from '../../machines/predictive-pacer.machine.ts';
import { previewOfferMachine } from '../../machines/preview-offer.machine.ts';
import { previewPacerMachine } from '../../machines/preview-pacer.machine.ts';
import { progressivePacerMachine } from '../../machines/progressive-pacer.machine.ts';
import { representativeMachine } from '../../machines/representative.machine.ts';
import { trunkMachine } from '../../machines/trunk.machine.ts';
import { machineDiagram } from './machine-diagram.ts';
import { outcomesDocument } from './outcomes-document.ts';

/** By the name of their file in machines/. */
export const MACHINES: Readonly<Record<string, AnyStateMachine>> = {
  'call-attempt': callAttemptMachine,
  'contact-chain': contactChainMachine,
  'copilot-pacer': copilotPacerMachine,
  'predictive-pacer': predictivePacerMachine,
  'preview-offer': previewOfferMachine,
  'preview-pacer': previewPacerMachine,
  'progressive-pacer': progressivePacerMachine,
  representative: representativeMachine,
  trunk: trunkMachine,
};

export interface MachineDocument {
  readonly file: URL;
  readonly text: string;
}

export async function machineDocuments(): Promise<MachineDocument[]> {
  const documents = [
    ...Object.entries(MACHINES).map(([name, machine]) => ({
      path: `../../docs/machines/${name}.md`,
      text: machineDiagram(machine, `machines/${name}.machine.ts`),
    })),
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
