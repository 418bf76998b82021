/** Definitions as bodies: JSON or YAML, kept as text so that faults can be told with line and column. */
import type { FastifyInstance } from 'fastify';
import {
  writtenDefinition,
  YAML_CHARS_MAX,
  type WrittenDefinition,
} from '../../../journeys/lifecycle/written-definition.ts';
import { requestValidator, type HttpPart } from '../../request-faults.ts';
import type { TSchema } from 'typebox';
import { HttpError } from '../../http-error.ts';
import { Definition, exampleDefinition } from './journey.shapes.ts';
import { Type } from 'typebox';

const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml'];

interface TextBody {
  readonly dialect: 'json' | 'yaml';
  readonly text: string;
}

/** For the routes of `app` alone. */
export function takeDefinitions(app: FastifyInstance): void {
  const parser =
    (dialect: TextBody['dialect']) =>
    (_request: unknown, text: string | Buffer, done: (error: null, body: TextBody) => void) =>
      done(null, { dialect, text: String(text) });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parser('json'));
  const asText = { parseAs: 'string', bodyLimit: YAML_CHARS_MAX } as const;
  app.addContentTypeParser(YAML_TYPES, asText, parser('yaml'));
}

const yaml = Type.String({
  description: 'The same in YAML, up to 128 KiB.',
  examples: [`name: ${exampleDefinition.name}\nformat: ringfence-journey/1\n`],
});

/** For the `schema` of a route. */
export const DEFINITION_BODY = {
  content: { 'application/json': { schema: Definition }, 'application/yaml': { schema: yaml } },
};

/** The validator tells every fault by itself, and a draft may have them. */
export function validatorButOfBody({
  schema,
  httpPart = 'body',
}: {
  schema: TSchema;
  httpPart?: string | undefined;
}) {
  return httpPart === 'body' ? () => true : requestValidator(schema, httpPart as HttpPart);
}

/** Throws REQUEST_INVALID when it is no mapping or cannot be read, with the place. */
export function definitionOfBody(body: unknown): WrittenDefinition {
  if (body === null || body === undefined) {
    throw new HttpError(
      'BODY_UNREADABLE',
      'send the definition as application/json or application/yaml',
    );
  }
  const { dialect, text } = body as TextBody;
  return writtenDefinition(text, dialect);
}
