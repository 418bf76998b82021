/** docs/config.md, written from the schema. `npm run docs` writes the file. */
import { RingfenceConfig } from './ringfence.schema.ts';
import { kindOf } from './schema-faults.ts';
import { schemaNode, type SchemaNode } from './schema-node.ts';

export const CONFIG_DOCUMENT = new URL('../docs/config.md', import.meta.url);

const PREAMBLE = `# Configuration

Generated from the schema in \`config/\` by \`npm run docs\`; a test fails when this
file is stale. Change the schema, not this file.

Ringfence reads one YAML file: \`--config FILE\`, else the file named by \`RINGFENCE_CONFIG\`, else
\`ringfence.yaml\` in the working directory if there is one, else the defaults below.
\`config/ringfence.example.yaml\` is a file to start from. Environment variables override the file. A
variable set to nothing counts as not set; an explicit \`0\` is a value. Lists are written with
commas. \`<NAME>\` is the name of the trunk or webhook in capitals, with \`_\` for every other sign: trunk \`carrier-a\`
takes its password from \`RINGFENCE_TRUNK_CARRIER_A_PASSWORD\`.

Everything is checked once, at start. Each fault is one line, \`file:line:column: path: problem; what
to do\`, and all faults are reported together. Unknown keys are faults. Quote telephone numbers:
unquoted, YAML reads a number and drops plus and leading zeros. Secrets that everybody knows, such as
the defaults of drachtio-server and FreeSWITCH, are refused.
`;

/** The whole document, formatted as Prettier leaves it. */
export function configDocument(): string {
  const sections = Object.entries(schemaNode(RingfenceConfig).properties ?? {});
  return [PREAMBLE, ...sections.flatMap(([key, node]) => section(key, node))].join('\n');
}

function section(path: string, node: SchemaNode): string[] {
  const heading = `## \`${path}\`\n`;
  const parts = [heading, `${node.description ?? ''}\n`];
  const nested: string[] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const here = `${path}.${key}`;
    if (child.properties) nested.push(...section(here, child));
    else if (child.items?.properties) nested.push(...section(`${here}[]`, child.items));
    else parts.push(entry(here, child, node.required?.includes(key) ?? false));
  }
  return [...parts, ...nested];
}

function entry(path: string, node: SchemaNode, isRequired: boolean): string {
  const facts = [
    `takes ${kindOf(node)}${node.secret === true ? ', kept secret' : ''}`,
    defaultText(node, isRequired),
    ...(node.env === undefined ? [] : [`environment \`${node.env}\``]),
    ...(node.source === undefined ? [] : [`source: ${node.source}`]),
  ];
  return [
    `### \`${path}\`\n`,
    `${node.description ?? ''}\n`,
    ...facts.map((fact) => `- ${fact}`),
    '',
  ].join('\n');
}

function defaultText(node: SchemaNode, isRequired: boolean): string {
  if (node.default !== undefined) return `default \`${JSON.stringify(node.default)}\``;
  const example = node.examples?.[0];
  const shown = typeof example === 'string' ? `, for example \`${example}\`` : '';
  return `${isRequired ? 'required' : 'optional'}${shown}`;
}
