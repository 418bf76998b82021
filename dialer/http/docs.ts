/** The interface described by its own schemas: OpenAPI 3.1, and a page to read and try it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { isMapping } from '../../config/config-path.ts';
import { guard, type AccessOptions } from './access.ts';

const DESCRIPTION = `Outbound dialing over HTTP. Every request brings a key: \`Authorization: Bearer rf_…\`.
Errors are RFC 9457 problem details. Creating requests take an \`Idempotency-Key\`; edits name the
version that they were made on by \`If-Match\`.`;

const TAGS = [
  ['workstreams', 'A trunk, a number to show, and who or what talks to people'],
  ['queues', 'Opening hours'],
  ['engagements', 'What is dialled for, and how'],
  ['contacts', 'People and their numbers'],
  ['consent', 'Who may be contacted, for what, when and how often'],
  ['segments', 'Sets of contacts: lists and rules'],
  ['triggers', 'What happens to people, for journeys to act on'],
  ['journeys', 'What happens to people, step by step'],
  ['tasks', 'One contact, or a chain of them, to be reached'],
  ['batches', 'Files fed into an engagement'],
  ['deliveries', 'What was dialled, and what came of it'],
  ['events', 'What happens, as it happens'],
  ['api-keys', 'Who may ask for what'],
] as const;

/** Before the routes that it is to describe. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Ringfence', version: '1', description: DESCRIPTION },
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: ({ schema, url }) => {
      const { body, querystring } = schema;
      const shown = {
        ...schema,
        ...(body === undefined ? {} : { body: asSent(body) }),
        ...(querystring === undefined ? {} : { querystring: asSent(querystring) }),
      };
      return { schema: shown, url };
    },
  });
}

/** What has a default may be left out: our types say that it is there, since by then it is. */
function asSent(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asSent);
  if (!isMapping(schema)) return schema;
  const { properties, required } = schema;
  const own = Object.entries(schema).map(([name, value]) => {
    return DATA.has(name) ? [name, value] : [name, asSent(value)];
  });
  const shown = Object.fromEntries(own) as Record<string, unknown>;
  if (!Array.isArray(required) || !isMapping(properties)) return shown;
  const needed = required.filter((name) => {
    const property = properties[String(name)];
    return !(isMapping(property) && 'default' in property);
  });
  return { ...shown, required: needed };
}

/** Keywords whose values are no schemas. */
const DATA = new Set(['default', 'examples', 'enum', 'const', 'required']);

/** Content-Security-Policy: everything is ours, and nothing is asked to be HTTPS on loopback. */
const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
  "base-uri 'self'; frame-ancestors 'none'; object-src 'none'";

/** `/docs` and `/docs/json`, from our own disk: a browser asks for the key as a password. */
export async function serveDocs(app: FastifyInstance, options: AccessOptions): Promise<void> {
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'read', asksBrowser: true, produces: '*' };
      route.schema = { ...route.schema, hide: true };
    });
    docs.addHook('onRequest', guard(options));
    await docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY });
  });
}
