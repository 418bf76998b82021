/** A file of members for a list: one contact a row, by its unique identifier. */
import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { MEMBERS_BYTES_MAX, readMemberFile } from '../../../segments/member-file.ts';
import { ContactsCsvError } from '../../../intake/contacts-csv-error.ts';
import { HttpError } from '../../http-error.ts';
import { requestValidator, type HttpPart } from '../../request-faults.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { IdParams, problems } from '../wire-types.ts';

const SAMPLE = 'UniqueIdentifier\nC-100\nC-101\n';

const Read = Type.Object(
  {
    rowsRead: Type.Integer({ minimum: 0 }),
    added: Type.Integer({ minimum: 0 }),
    unknown: Type.Integer({ minimum: 0, description: 'Rows whose contact is not there.' }),
    firstUnknownLines: Type.Array(Type.Integer(), { description: 'Of up to 100 of them.' }),
  },
  { examples: [{ rowsRead: 2, added: 2, unknown: 0, firstUnknownLines: [] }] },
);

/** To be registered where a file is taken as a body. */
export function memberFileRoutes(app: ApiApp, context: ApiContext): void {
  const upload = {
    ...{ operationId: 'uploadSegmentMembers', tags: ['segments'], params: IdParams },
    description:
      'Adds to a list. A column UniqueIdentifier; UTF-8, up to 50 MB. Answered when all of it is ' +
      'read; sent again it adds nobody twice.',
    body: { content: { 'text/csv': { schema: Type.String({ examples: [SAMPLE] }) } } },
    response: { 200: Read, ...problems },
  };
  app.post(
    '/v1/segments/:id/members/file',
    {
      config: { access: 'deliver' },
      schema: upload,
      validatorCompiler: ({ schema, httpPart = 'body' }) =>
        httpPart === 'body' ? () => true : requestValidator(schema, httpPart as HttpPart),
    },
    (request) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      if (announced > MEMBERS_BYTES_MAX) throw tooLarge();
      const chunks = request.body as Readable | null | undefined;
      if (chunks === null || chunks === undefined) {
        throw new HttpError('MEDIA_TYPE_UNSUPPORTED', 'send the file as text/csv');
      }
      return readMemberFile(writerOf(context, request), request.params.id, chunks).catch(asHttp);
    },
  );
}

function tooLarge(): HttpError {
  return new HttpError('FILE_TOO_LARGE', 'a file may have 50 MB', { connection: 'close' });
}

function asHttp(error: unknown): never {
  if (!(error instanceof ContactsCsvError)) throw error;
  if (error.fault === 'tooLarge') throw tooLarge();
  throw new HttpError('BODY_UNREADABLE', error.message, { connection: 'close' });
}
