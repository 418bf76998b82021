/** Writes every document that is generated (`npm run docs`). Their tests say when it is needed. */
import { writeFile } from 'node:fs/promises';
import { CONFIG_DOCUMENT, configDocument } from '../../config/document-config.ts';
import { numberPlanMarkdown } from '../../lab/document-number-plan.ts';
import { METRICS_DOCUMENT, metricsDocument } from './metrics-document.ts';
import { ERRORS_DOCUMENT, errorsDocument } from './errors-document.ts';
import { JOURNEY_SCHEMA_DOCUMENT, journeySchemaText } from './journey-schema-document.ts';
import { machineDocuments } from './machine-documents.ts';

const documents = [
  { file: CONFIG_DOCUMENT, text: configDocument() },
  { file: new URL('../../docs/lab.md', import.meta.url), text: numberPlanMarkdown() },
  { file: METRICS_DOCUMENT, text: metricsDocument() },
  { file: ERRORS_DOCUMENT, text: errorsDocument() },
  { file: JOURNEY_SCHEMA_DOCUMENT, text: journeySchemaText() },
  ...(await machineDocuments()),
];
for (const { file, text } of documents) {
  await writeFile(file, text);
  process.stderr.write(`wrote ${file.pathname}\n`);
}
