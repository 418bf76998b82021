/** Skills: what engagements ask of representatives. */
import { Type } from 'typebox';
import { SkillInput } from '../../../representatives/representative-inputs.schema.ts';
import { createSkillIn } from '../../../representatives/write-representative.ts';
import type { SkillRow } from '../../../store/schema/representative-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { newestFirst } from '../newest-first.ts';
import { created } from '../settings-resource.ts';
import {
  CreatingHeaders,
  Id,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeText,
} from '../wire-types.ts';

const example = { name: 'Spanish' };
const NewSkill = Type.Object(SkillInput.properties, {
  additionalProperties: false,
  examples: [example],
});
const Skill = Type.Object(
  { id: Id, ...SkillInput.properties, createdAt: Time },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a21',
        ...example,
        createdAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
const List = Type.Object(PAGE, { additionalProperties: false });
const tags = ['representatives'];

export function skillRoutes(app: ApiApp, context: ApiContext): void {
  const create = {
    ...{ operationId: 'createSkill', tags, headers: CreatingHeaders, body: NewSkill },
    response: { 201: Skill, ...problems },
  };
  app.post('/v1/skills', { config: { access: 'operate' }, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const work = async (tx: Parameters<typeof createSkillIn>[0]) => {
      return { status: 201, body: skillBody(await createSkillIn(tx, writer, request.body)) };
    };
    return created(reply, '/v1/skills', once(request, { ...context, ...writer, work }));
  });

  const list = {
    ...{ operationId: 'listSkills', tags, querystring: List },
    response: { 200: pageOf(Skill), ...problems },
  };
  app.get('/v1/skills', { config: { access: 'read' }, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await context.database.db
      .selectFrom('skills')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: skillBody });
  });
}

function skillBody({ id, name, created_at_ms: createdAtMs }: SkillRow) {
  return { id, name, createdAt: timeText(createdAtMs) };
}
