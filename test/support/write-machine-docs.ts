/** Writes the documents that are generated from machines/. Their test says when it is needed. */
import { writeFile } from 'node:fs/promises';
import { machineDocuments } from './machine-documents.ts';

for (const { file, text } of await machineDocuments()) {
  await writeFile(file, text);
  process.stderr.write(`wrote ${file.pathname}\n`);
}
