/** Drafts of journeys from plain words or guided answers; never published, and saved only when asked to. */
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { isTimeZone } from '../../../../journey-core/definition/instant.ts';
import {
  GUIDED_QUESTIONS,
  guidedFaults,
  guidedText,
} from '../../../../journey-core/draft/guided-draft.ts';
import { SAMPLE_PROMPTS } from '../../../../journey-core/draft/sample-prompts.ts';
import { DialerError } from '../../../../machines/errors.ts';
import { Name } from '../../../checked-input.ts';
import {
  draftRequest,
  giveFeedback,
  journeyOfDraft,
  keepDraft,
} from '../../../journeys/drafting/draft-requests.ts';
import { makeDraft } from '../../../journeys/drafting/draft-with-model.ts';
import { storedAssets } from '../../../journeys/lifecycle/journey-assets.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { created } from '../settings-resource.ts';
import { closed, CreatingHeaders, IdParams, problems } from '../wire-types.ts';
import { draftBody, DraftShape, NewDraft } from './draft.shapes.ts';
import {
  JourneyShape,
  journeyBody,
  READ,
  tags,
  url as journeysUrl,
  WRITE,
} from './journey.shapes.ts';
import { checkOptionsOf, shownJourney } from './journeys.routes.ts';

const url = `${journeysUrl}/drafts`;

export function journeyDraftRoutes(app: ApiApp, context: ApiContext): void {
  helpRoutes(app);
  makingRoutes(app, context);
  usingRoutes(app, context);
}

const Sample = Type.Object(
  { id: Type.String(), title: Type.String(), text: Type.String() },
  { examples: [SAMPLE_PROMPTS[0]] },
);
const Question = Type.Object(
  {
    id: Type.String(),
    question: Type.String(),
    choices: Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: 'Null: any words.',
    }),
    isRequired: Type.Boolean(),
    example: Type.String(),
  },
  { examples: [GUIDED_QUESTIONS[0]] },
);

function helpRoutes(app: ApiApp): void {
  const samples = {
    ...{ operationId: 'listJourneyDraftSamples', tags },
    description: 'Six texts to begin with.',
    response: {
      200: Type.Object({ items: Type.Array(Sample) }, { examples: [{ items: SAMPLE_PROMPTS }] }),
      ...problems,
    },
  };
  app.get(`${url}/samples`, { config: READ, schema: samples }, () => ({ items: SAMPLE_PROMPTS }));

  const questions = {
    ...{ operationId: 'listJourneyDraftQuestions', tags },
    description: 'The questions of guided mode; their answers make a draft.',
    response: {
      200: Type.Object(
        { items: Type.Array(Question) },
        { examples: [{ items: GUIDED_QUESTIONS }] },
      ),
      ...problems,
    },
  };
  app.get(`${url}/questions`, { config: READ, schema: questions }, () => ({
    items: GUIDED_QUESTIONS,
  }));
}

function makingRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const create = {
    ...{ operationId: 'draftJourney', tags, headers: CreatingHeaders, body: NewDraft },
    description:
      'Turns a text, or answers of guided mode, into a draft (docs/journeys/drafting.md). Nothing is ' +
      'made of it yet, and nothing is published. With a model configured it is asked first.',
    response: { 201: DraftShape, ...problems },
  };
  app.post(url, { config: WRITE, schema: create }, async (request, reply) => {
    const writer = writerOf(context, request);
    const text = textOf(request.body);
    const timeZone = timeZoneOf(request.body.timeZone);
    const stored = await storedAssets(db, writer.businessUnitId);
    const { webhooks = [] } = checkOptionsOf(context);
    const assets = { ...stored, webhooks: webhooks.map((name) => ({ name })) };
    // Before the transaction: a model takes its time.
    const options = { assets, nowMs: writer.nowMs, timeZone };
    const made = await makeDraft(text, options, context.journeys?.drafting);
    if (made.model !== null && made.model.failure !== null) {
      const { name, tries, failure } = made.model;
      context.log.warn({ model: name, tries, failure }, 'the model gave no journey');
    }
    const work = once(request, {
      ...{ ...context, ...writer },
      work: async (tx) => ({
        status: 201,
        body: draftBody(await keepDraft(tx, writer, text, made)),
      }),
    });
    return created(reply, url, work);
  });

  const read = {
    ...{ operationId: 'getJourneyDraft', tags, params: IdParams },
    response: { 200: DraftShape, ...problems },
  };
  app.get(`${url}/:id`, { config: READ, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    return draftBody(await draftRequest(db, businessUnitId, request.params.id));
  });
}

function textOf({ text, answers }: Static<typeof NewDraft>): string {
  if ((text === undefined) === (answers === undefined)) {
    throw invalid('', 'give either text or answers');
  }
  if (text !== undefined) return text;
  const faults = guidedFaults(answers ?? {});
  if (faults.length === 0) return guidedText(answers ?? {});
  throw new DialerError('REQUEST_INVALID', 'answers are missing, or none of the choices', {
    faults: faults.map(({ id, problem }) => ({ pointer: `/answers/${id}`, detail: problem })),
  });
}

function timeZoneOf(timeZone = 'UTC'): string {
  if (isTimeZone(timeZone)) return timeZone;
  throw invalid('/timeZone', 'is no IANA time zone');
}

function invalid(pointer: string, detail: string): DialerError {
  return new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer, detail }] });
}

const FromDraft = Type.Object(
  {
    name: Type.Optional(Type.String({ ...Name, description: 'Default: that of the draft.' })),
    owner: Type.Optional(
      Type.String({ ...Name, description: 'Whom activities without an assignee are for.' }),
    ),
  },
  { ...closed, examples: [{ name: 'Delivery tomorrow' }] },
);
const Feedback = Type.Object(
  {
    verdict: Type.Enum(['up', 'down'], { description: 'Thumbs.' }),
    comment: Type.Optional(Type.String({ maxLength: 2_000 })),
  },
  { ...closed, examples: [{ verdict: 'up', comment: 'Just what I meant' }] },
);

function usingRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const make = {
    ...{ operationId: 'createJourneyOfDraft', tags, params: IdParams },
    ...{ headers: CreatingHeaders, body: FromDraft },
    description: 'Makes an unpublished journey of it, once.',
    response: { 201: JourneyShape, ...problems },
  };
  app.post(`${url}/:id/journey`, { config: WRITE, schema: make }, (request, reply) => {
    const writer = writerOf(context, request);
    const asked = { id: request.params.id, ...request.body };
    const work = once(request, {
      ...{ ...context, ...writer },
      work: async (tx) => {
        const made = await journeyOfDraft(tx, writer, asked, checkOptionsOf(context));
        const shown = await shownJourney(context, tx, made.row, undefined, made);
        return { status: 201, body: journeyBody(shown) };
      },
    });
    return created(reply, journeysUrl, work);
  });

  const feedback = {
    ...{ operationId: 'giveJourneyDraftFeedback', tags, params: IdParams, body: Feedback },
    description: 'Whether the draft was any good. The last verdict holds.',
    response: { 200: DraftShape, ...problems },
  };
  app.post(`${url}/:id/feedback`, { config: WRITE, schema: feedback }, async (request) => {
    const writer = writerOf(context, request);
    const { id } = request.params;
    const row = await db.transaction().execute((tx) => giveFeedback(tx, writer, id, request.body));
    return draftBody(row);
  });
}
