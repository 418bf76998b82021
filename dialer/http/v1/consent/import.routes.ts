/** Files of consent, taken down while they come in. */
import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { CONSENT_BYTES_MAX } from '../../../consent/consent-csv.ts';
import { importConsent } from '../../../consent/import-consent.ts';
import { ContactsCsvError } from '../../../intake/contacts-csv-error.ts';
import { callerOfRequest } from '../../access.ts';
import { HttpError } from '../../http-error.ts';
import { requestValidator, type HttpPart } from '../../request-faults.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { rulesOfAnyTrunk } from '../destination-rules.ts';
import { newestFirst } from '../newest-first.ts';
import { Id, IdParams, PAGE, paged, problems } from '../wire-types.ts';
import { ConsentImportBody, importBody, ImportPage } from './consent.shapes.ts';

const tags = ['consent'];
const url = '/v1/consent/imports';

const SAMPLE = `Address,Channel,Purpose,Topic,Status,StatedAt,Source,Reason
+12025550143,voice,Commercial,,optedIn,2026-03-02T14:58:00Z,webForm,Box ticked on the order form
ada@example.com,email,Commercial,,optedOut,,unsubscribeLink,
`;

const Upload = Type.Object(
  {
    fileName: Type.String({ minLength: 1, maxLength: 300, examples: ['opt-ins.csv'] }),
    profileId: Type.String({ ...Id, description: 'Whose purposes and topics the file names.' }),
  },
  { additionalProperties: false },
);

/** To be registered where a file is taken as a body. */
export function consentImportRoutes(app: ApiApp, context: ApiContext): void {
  const upload = {
    ...{ operationId: 'importConsent', tags, querystring: Upload },
    description:
      'One statement a row: Address, Channel, Status, and Purpose (default: the first commercial ' +
      'one), Topic, StatedAt (an opt-in needs it), Source, Reason. UTF-8, up to 50 MB. Answered ' +
      'when all of it is taken down; sent again it changes nothing twice.',
    body: {
      content: { 'text/csv': { schema: Type.String({ examples: [SAMPLE] }) } },
    },
    response: { 201: ConsentImportBody, ...problems },
  };
  app.post(
    url,
    {
      config: { access: 'deliver' },
      schema: upload,
      // The body is a stream, and is looked at row by row.
      validatorCompiler: ({ schema, httpPart = 'body' }) =>
        httpPart === 'body' ? () => true : requestValidator(schema, httpPart as HttpPart),
    },
    async (request, reply) => {
      const { fileName: sourceName, profileId } = request.query;
      const chunks = fileOf(request);
      const rules = rulesOfAnyTrunk(context.trunks);
      const row = await importConsent(writerOf(context, request), {
        ...{ sourceName, profileId, chunks, rules },
      }).catch(asHttp);
      void reply.code(201).header('location', `${url}/${row.id}`);
      return importBody(row);
    },
  );
}

export function consentImportReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'read' } as const;
  const list = {
    ...{ operationId: 'listConsentImports', tags },
    querystring: Type.Object(PAGE, { additionalProperties: false }),
    response: { 200: ImportPage, ...problems },
  };
  app.get(url, { config, schema: list }, async (request) => {
    const rows = await db
      .selectFrom('consent_imports')
      .selectAll()
      .$call(newestFirst(callerOfRequest(request).businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: importBody });
  });

  const read = {
    ...{ operationId: 'getConsentImport', tags, params: IdParams },
    response: { 200: ConsentImportBody, ...problems },
  };
  app.get(`${url}/:id`, { config, schema: read }, async (request) => {
    const { id } = request.params;
    const row = await db
      .selectFrom('consent_imports')
      .selectAll()
      .where('id', '=', id)
      .where('business_unit_id', '=', callerOfRequest(request).businessUnitId)
      .executeTakeFirst();
    if (row === undefined) throw notFound('import', id);
    return importBody(row);
  });
}

function fileOf(request: FastifyRequest): Readable {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > CONSENT_BYTES_MAX) throw tooLarge();
  const body = request.body as Readable | null | undefined;
  if (body !== null && body !== undefined) return body;
  throw new HttpError('MEDIA_TYPE_UNSUPPORTED', 'send the file as text/csv');
}

/** The rest is not read: this connection is of no more use. */
function tooLarge(): HttpError {
  return new HttpError('FILE_TOO_LARGE', 'a file may have 50 MB', { connection: 'close' });
}

function asHttp(error: unknown): never {
  if (!(error instanceof ContactsCsvError)) throw error;
  if (error.fault === 'tooLarge') throw tooLarge();
  throw new HttpError('BODY_UNREADABLE', error.message, { connection: 'close' });
}
