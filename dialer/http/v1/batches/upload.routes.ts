/**
 * Files for an engagement that is fed by file: `text/csv`, up to 10 MB, streamed to disk and from
 * there into tasks. Each upload adds to what is there (spec F.7, run from file); none is kept.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { CONTACTS_BYTES_MAX } from '../../../intake/contacts-csv.ts';
import { createBatchIn } from '../../../intake/batch.ts';
import { SAMPLE_CSV } from '../../../intake/sample-csv.ts';
import { assignToBatch, batchFile, forget, receiveFile } from '../../../intake/upload-file.ts';
import { engagementFor } from '../../../tasks/task-request.ts';
import { callerOfRequest } from '../../access.ts';
import { HttpError } from '../../http-error.ts';
import { answeredBefore, once } from '../../idempotency.ts';
import { requestValidator, type HttpPart } from '../../request-faults.ts';
import { actorOf, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { created } from '../settings-resource.ts';
import { CreatingHeaders, IdParams, problems } from '../wire-types.ts';
import { Batch, batchBody } from './batch.shapes.ts';

const tags = ['batches'];
const Upload = Type.Object(
  {
    fileName: Type.String({
      description: 'Name of the file, for people. Ends in `.csv`.',
      minLength: 1,
      maxLength: 300,
      examples: ['contacts.csv'],
    }),
  },
  { additionalProperties: false },
);

export function uploadRoutes(app: ApiApp, context: ApiContext): void {
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
  const upload = {
    ...{ operationId: 'uploadFile', tags, params: IdParams, querystring: Upload },
    description:
      'Rows become tasks as they are read; the first calls do not wait for the last row.',
    headers: CreatingHeaders,
    body: {
      content: {
        'text/csv': {
          schema: Type.String({
            description: 'UTF-8, a header row, up to 10 MB.',
            examples: [SAMPLE_CSV],
          }),
        },
      },
    },
    response: { 202: Batch, ...problems },
  };
  app.post(
    '/v1/engagements/:id/batches',
    {
      config: { access: 'deliver' },
      schema: upload,
      // The body is a stream, and is looked at row by row.
      validatorCompiler: ({ schema, httpPart = 'body' }) =>
        httpPart === 'body' ? () => true : requestValidator(schema, httpPart as HttpPart),
    },
    (request, reply) => {
      const { id } = request.params;
      const { fileName } = request.query;
      return takeFile(context, request, reply, { engagementId: id, fileName });
    },
  );

  const sample = {
    ...{ operationId: 'getSampleFile', tags },
    response: {
      200: { content: { 'text/csv': { schema: Type.String({ examples: [SAMPLE_CSV] }) } } },
      ...problems,
    },
  };
  const config = { access: 'read', produces: 'text/csv' } as const;
  app.get('/v1/samples/contacts.csv', { config, schema: sample }, (_request, reply) =>
    reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="contacts.csv"')
      .send(SAMPLE_CSV),
  );
}

interface Named {
  readonly engagementId: string;
  readonly fileName: string;
}

async function takeFile(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { engagementId, fileName }: Named,
) {
  const { database, uploads, ids } = context;
  const { businessUnitId } = callerOfRequest(request);
  if (!/\.csv$/i.test(fileName)) {
    throw new HttpError('FILE_NOT_CSV', 'the name of the file does not end in .csv');
  }
  // Before ten megabytes are read: asked again in the transaction.
  await engagementFor(database.db, businessUnitId, engagementId, 'file');
  const file = await received(request, uploads.folder);
  const batchId = ids.id();
  const path = batchFile(uploads.folder, batchId);
  try {
    const before = await answeredBefore<BatchBody>(request, database, file.digest);
    if (before === undefined) await assignToBatch(file, uploads.folder, batchId);
    const writer = writerOf(context, request);
    const answering = once(request, {
      ...{ database, nowMs: writer.nowMs, digest: file.digest },
      work: async (tx) => {
        await engagementFor(tx, businessUnitId, engagementId, 'file');
        const batch = { id: batchId, engagementId, sourceName: fileName };
        return { status: 202, body: batchBody(await createBatchIn(tx, writer, batch)) };
      },
    });
    const body = await created(reply, '/v1/batches', answering);
    if (body.id === batchId) {
      uploads.begin({ id: batchId, businessUnitId, engagementId, actor: actorOf(request) });
    } else await forget(path);
    return body;
  } catch (error) {
    await forget(path);
    throw error;
  } finally {
    await forget(file.path); // there only when it was not assigned
  }
}

type BatchBody = ReturnType<typeof batchBody>;

async function received(request: FastifyRequest, folder: string) {
  const announced = Number(request.headers['content-length'] ?? 0);
  const body = request.body as Readable | null | undefined;
  const tooLarge = () =>
    // The rest is not read: this connection is of no more use.
    new HttpError('FILE_TOO_LARGE', 'a file may have 10 MB', { connection: 'close' });
  if (announced > CONTACTS_BYTES_MAX) throw tooLarge();
  if (body === null || body === undefined) {
    throw new HttpError('MEDIA_TYPE_UNSUPPORTED', 'send the file as text/csv');
  }
  const file = await receiveFile(folder, body, CONTACTS_BYTES_MAX);
  if (file === undefined) throw tooLarge();
  return file;
}
