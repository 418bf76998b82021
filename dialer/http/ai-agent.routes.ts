/**
 * The AI agent's side of a call: GET its context, POST what it learned, POST that it wants a human.
 * docs/ai-agents.md is the contract. A bearer token opens exactly one call.
 */
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AI_CALLS_PATH, type AiAgentDesk } from '../ai-agents/ai-agent-desk.ts';

type ForCall = FastifyRequest<{ Params: { attemptId: string } }>;

const config = { access: 'agentToken' } as const;
const params = Type.Object({ attemptId: Type.String() });
/** The desk reads bodies itself: it has codes of its own for what is wrong with them. */
const body = Type.Unknown();
const schemaOf = (operationId: string, more: object = {}) => {
  const schema = { operationId, tags: ['ai-agents'], params, ...more };
  return { schema, config, validatorCompiler: () => () => true };
};

/** The plugin for one desk. No error is handled here: problem-details.ts does. */
export function aiAgentHttp(desk: AiAgentDesk): FastifyPluginCallback {
  return (app, _options, done) => {
    app.get(
      `${AI_CALLS_PATH}/:attemptId`,
      schemaOf('getCallContext'),
      async (request: ForCall, reply) => {
        void reply.header('cache-control', 'no-store');
        return desk.context(request.params.attemptId, tokenOf(request));
      },
    );
    app.post(
      `${AI_CALLS_PATH}/:attemptId/results`,
      schemaOf('postCallResults', { body }),
      async (request: ForCall, reply) => {
        await desk.takeResults(request.params.attemptId, tokenOf(request), request.body);
        return reply.code(204).send();
      },
    );
    app.post(
      `${AI_CALLS_PATH}/:attemptId/escalation`,
      schemaOf('postCallEscalation', { body }),
      async (request: ForCall, reply) => {
        await desk.takeEscalation(request.params.attemptId, tokenOf(request), request.body);
        return reply.code(202).send({ accepted: true });
      },
    );
    done();
  };
}

/** RFC 6750 §2.1. In no other place: a token in a URL ends up in logs. */
function tokenOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([A-Za-z0-9_-]{1,256}) *$/i.exec(headers.authorization ?? '')?.[1];
}
