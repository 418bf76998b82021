/** The do-not-call list: who is on it, who puts them there, and who takes them off. */
import type { SelectQueryBuilder, Transaction } from 'kysely';
import type { Static } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import { isContactNumber, isListed, readListedNumber } from '../../../opt-outs/listed-number.ts';
import { addOptOutIn, removeOptOutIn } from '../../../opt-outs/opt-outs.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { OptOutRow } from '../../../store/schema/edge-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { csvResponse, EXPORT_PAGE, PRODUCES_CSV, sendCsv } from '../csv-reply.ts';
import { rulesOfAnyTrunk } from '../destination-rules.ts';
import { newestFirst } from '../newest-first.ts';
import { created } from '../settings-resource.ts';
import { CreatingHeaders, IdParams, paged, problems } from '../wire-types.ts';
import {
  CSV_HEADER,
  NewOptOut,
  OptOut,
  optOutBody,
  OptOutExport,
  OptOutFilters,
  optOutLine,
  OptOutPage,
} from './opt-out.shapes.ts';

const tags = ['opt-outs'];

export function optOutRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const create = {
    ...{ operationId: 'addOptOut', tags, headers: CreatingHeaders, body: NewOptOut },
    response: { 201: OptOut, ...problems },
  };
  app.post('/v1/opt-outs', { config: { access: 'deliver' }, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const caller = callerOfRequest(request);
    const { detail = null, ...written } = request.body;
    const rules = rulesOfAnyTrunk(context.trunks);
    const work = async (tx: Transaction<Database>) => {
      const isKnown = (text: string) => isContactNumber(tx, writer.businessUnitId, text);
      const number = await readListedNumber(written, rules, isKnown);
      const { row } = await addOptOutIn(tx, writer, { number, source: 'api', detail });
      return { status: 201, body: optOutBody(row, caller) };
    };
    return created(reply, '/v1/opt-outs', once(request, { ...context, ...writer, work }));
  });

  const remove = {
    ...{ operationId: 'removeOptOut', tags, params: IdParams },
    response: { 200: OptOut, ...problems },
  };
  app.delete('/v1/opt-outs/:id', { config: { access: 'operate' }, schema: remove }, (request) => {
    const writer = writerOf(context, request);
    const { id } = request.params;
    return db
      .transaction()
      .execute(async (tx) =>
        optOutBody(await removeOptOutIn(tx, writer, id), callerOfRequest(request)),
      );
  });

  const list = {
    ...{ operationId: 'listOptOuts', tags, querystring: OptOutFilters },
    response: { 200: OptOutPage, ...problems },
  };
  app.get('/v1/opt-outs', { config: { access: 'read' }, schema: list }, async (request) => {
    const caller = callerOfRequest(request);
    const number = await numberAsked(context, caller, request.query);
    const rows = await db
      .selectFrom('opt_outs')
      .selectAll()
      .$call(filtered(request.query, number))
      .$call(newestFirst(caller.businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, {
      key: ({ id }) => id,
      body: (row) => optOutBody(row, caller),
    });
  });

  exportRoute(app, context);
}

function exportRoute(app: ApiApp, context: ApiContext): void {
  const schema = {
    ...{ operationId: 'exportOptOuts', tags, querystring: OptOutExport },
    response: csvResponse(CSV_HEADER),
  };
  const config = { access: 'read', ...PRODUCES_CSV } as const;
  app.get('/v1/opt-outs.csv', { config, schema }, (request, reply) =>
    sendCsv(reply, 'opt-outs.csv', csvLines(context, callerOfRequest(request), request.query)),
  );
}

async function* csvLines(
  context: ApiContext,
  caller: Caller,
  filters: Static<typeof OptOutExport>,
): AsyncGenerator<string> {
  const number = await numberAsked(context, caller, filters);
  let head = CSV_HEADER;
  let cursor: string | undefined;
  for (;;) {
    const rows: OptOutRow[] = await context.database.db
      .selectFrom('opt_outs')
      .selectAll()
      .$call(filtered(filters, number))
      .$call(newestFirst(caller.businessUnitId, { limit: EXPORT_PAGE, cursor }))
      .execute();
    const page = rows.slice(0, EXPORT_PAGE);
    yield head + page.map((row) => optOutLine(row, caller)).join('');
    head = '';
    if (rows.length <= EXPORT_PAGE) return;
    cursor = page.at(-1)?.id;
  }
}

function filtered({ source, removed }: Static<typeof OptOutExport>, number: string | undefined) {
  return <O>(
    query: SelectQueryBuilder<Database, 'opt_outs', O>,
  ): SelectQueryBuilder<Database, 'opt_outs', O> => {
    const ofNumber = number === undefined ? query : query.where('number', '=', number);
    const ofSource = source === undefined ? ofNumber : ofNumber.where('source', '=', source);
    return removed ? ofSource : ofSource.where('removed_at_ms', 'is', null);
  };
}

/** An entry that was made of a text which is not taken any more is found by that text. */
async function numberAsked(
  { database, trunks }: ApiContext,
  { businessUnitId }: Caller,
  { number, country }: Static<typeof OptOutExport>,
): Promise<string | undefined> {
  if (number === undefined) return undefined;
  const isKnown = async (text: string) =>
    (await isListed(database.db, businessUnitId, text)) ||
    (await isContactNumber(database.db, businessUnitId, text));
  return readListedNumber({ number, country }, rulesOfAnyTrunk(trunks), isKnown);
}
