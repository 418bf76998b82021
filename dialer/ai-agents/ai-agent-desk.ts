/**
 * Where AI agents are dealt with: a session for every call that is to be connected to one, its context
 * for the agent, and what the agent returns, whether by HTTP or through the gateway's events.
 */
import type { Transaction } from 'kysely';
import { agentVerdictIn, type AgentVerdict } from '../../machines/agent-verdict.ts';
import { DialerError } from '../../machines/errors.ts';
import { readAttributes, type Attributes } from '../../machines/returned-attributes.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';
import type { AttemptEvent, EventOf } from '../../machines/telephony-events.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { WorkstreamRow } from '../store/schema/engagement-tables.ts';
import {
  playPrompts,
  type CallToAnswer,
  type PlanAfterAnswer,
} from '../tasks/plan-after-answer.ts';
import { WorkInHand } from '../work-in-hand.ts';
import { agentContext, type AgentContext } from './agent-context.ts';
import { authorisedSession, expireSessions, insertSessions, isOver } from './agent-sessions.ts';
import { agentSettingsOf, type AiAgentSettings } from './ai-agent-settings.schema.ts';
import { writeReturned } from './returned-results.ts';
import { hashOfToken, newToken } from './session-token.ts';

export interface AiAgentDeskOptions {
  readonly database: OpenDatabase;
  readonly nowMs: () => number;
  /** Where agents reach our HTTP server, without a slash at the end; asked when a session is opened. */
  readonly publicUrl: () => string;
  readonly log: DialerLog;
  /** `dialer:<id>`, for the event log. */
  readonly actor: string;
  readonly newToken?: () => string;
  /** An agent said by POST who answered; by SIP the gateway tells it itself. Before it is answered. */
  readonly onVerdict?: (attemptId: string, said: AgentVerdict) => void;
  /** An agent asked for a human by POST; by REFER the gateway tells it itself. */
  readonly onEscalated?: (
    escalated: Pick<EventOf<'aiAgent.escalated'>, 'attemptId' | 'attributes'>,
  ) => void;
}

export interface OpenedSession {
  readonly contextUrl: string;
  readonly contextToken: string;
  readonly context: AgentContext;
}

/** Below `publicUrl`; the attempt's id follows. */
export const AI_CALLS_PATH = '/ai-agent/v1/calls';

export class AiAgentDesk {
  readonly #options: AiAgentDeskOptions;
  readonly #work: WorkInHand;

  constructor(options: AiAgentDeskOptions) {
    this.#options = options;
    this.#work = new WorkInHand((error) => {
      options.log.error({ err: error }, 'what an AI agent returned was not stored');
    });
  }

  /** For the dialer: connects the calls of a workstream that has an agent, and plays for the others. */
  readonly planAfterAnswer = (workstream: WorkstreamRow): PlanAfterAnswer => {
    const settings = agentSettingsOf(workstream);
    if (settings === undefined) return playPrompts(workstream);
    const { fallbackPrompts, detection } = settings;
    const machine = { action: detection.enabled ? detection.machineAction : 'continue' } as const;
    return async (tx, calls) => {
      const sessions = await this.openSessions(tx, workstream, calls);
      return sessions.map((session) => ({
        ...{ aiAgent: targetOf(settings, session), fallbackPrompts, machine },
      }));
    };
  };

  /** In the claim's transaction: a token is in the store exactly when its attempt is. */
  async openSessions(
    tx: Transaction<Database>,
    workstream: Pick<WorkstreamRow, 'language' | 'business_unit_id'>,
    calls: readonly CallToAnswer[],
  ): Promise<readonly OpenedSession[]> {
    const { nowMs, publicUrl, newToken: make = newToken } = this.#options;
    const contexts = await contextsOf(tx, workstream, calls);
    const tokens = calls.map(() => make());
    await insertSessions(
      tx,
      calls.map(({ attemptId, deliveryId }, index) => ({
        token_hash: hashOfToken(tokens[index] ?? ''),
        business_unit_id: workstream.business_unit_id,
        attempt_id: attemptId,
        delivery_id: deliveryId,
        expires_at_ms: null,
        created_at_ms: nowMs(),
      })),
    );
    const base = `${publicUrl()}${AI_CALLS_PATH}`;
    return contexts.map((context, index) => ({
      contextUrl: `${base}/${context.attemptId}`,
      contextToken: tokens[index] ?? '',
      context,
    }));
  }

  /** For GET. Throws AI_SESSION_UNAUTHORIZED or AI_SESSION_ENDED. */
  async context(attemptId: string, token: string | undefined): Promise<AgentContext> {
    const { db } = this.#options.database;
    const session = await authorisedSession(db, attemptId, token, this.#options.nowMs());
    const row = await db
      .selectFrom('attempts')
      .innerJoin('tasks', 'tasks.id', 'attempts.task_id')
      .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
      .innerJoin('contacts', 'contacts.id', 'deliveries.contact_id')
      .innerJoin('engagements', 'engagements.id', 'attempts.engagement_id')
      .innerJoin('workstreams', 'workstreams.id', 'engagements.workstream_id')
      .select(['tasks.engagement_id', 'tasks.input_attributes', 'workstreams.language'])
      .select(['contacts.unique_identifier', 'contacts.first_name', 'contacts.last_name'])
      .select('contacts.external_attributes')
      .where('attempts.id', '=', session.attempt_id)
      .executeTakeFirstOrThrow();
    return agentContext({ attemptId, language: row.language, task: row, contact: row });
  }

  /** For POST of results: the parsed body. Throws what is wrong with it. */
  async takeResults(attemptId: string, token: string | undefined, body: unknown): Promise<void> {
    const session = await this.#authorise(attemptId, token);
    const attributes = attributesOf(body);
    await this.#write({ session, attributes, event: 'aiAgent.returned' });
    this.#tellVerdict(attemptId, attributes);
  }

  /** For POST of an escalation. Asked twice, it is passed on once. */
  async takeEscalation(attemptId: string, token: string | undefined, body: unknown): Promise<void> {
    const session = await this.#authorise(attemptId, token);
    const attributes = attributesOf(body);
    const isNew = await this.#write({ session, attributes, event: 'aiAgent.escalated' });
    this.#tellVerdict(attemptId, attributes);
    if (isNew) this.#options.onEscalated?.({ attemptId, attributes: { ...attributes } });
  }

  /** For the gateway's events. Returns at once; `settled` tells when all is stored. */
  onAttemptEvent(event: AttemptEvent): void {
    if (event.type === 'attempt.ended') this.closeSession(event.attemptId, event.atMs);
    if (event.type === 'aiAgent.returned') this.#work.run(() => this.#takeFromGateway(event));
  }

  /** No more than 10 s from `endedAtMs` on. */
  closeSession(attemptId: string, endedAtMs = this.#options.nowMs()): void {
    this.#work.run(() => expireSessions(this.#options.database.db, attemptId, endedAtMs));
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  #tellVerdict(attemptId: string, attributes: Attributes): void {
    const said = agentVerdictIn(attributes);
    if (said !== undefined) this.#options.onVerdict?.(attemptId, said);
  }

  #authorise(attemptId: string, token: string | undefined) {
    const { database, nowMs } = this.#options;
    return authorisedSession(database.db, attemptId, token, nowMs());
  }

  #write(returned: Pick<Parameters<typeof writeReturned>[1], 'session' | 'attributes' | 'event'>) {
    const { database, nowMs, actor } = this.#options;
    return writeReturned(database, { ...returned, nowMs: nowMs(), actor });
  }

  /** Trusted for its origin: the agent's SIP dialog is this call's. Its time counts as any other's. */
  async #takeFromGateway(event: EventOf<'aiAgent.returned'>): Promise<void> {
    const { database, log } = this.#options;
    const { attemptId, attributes, atMs } = event;
    const session = await database.db
      .selectFrom('attempts')
      .leftJoin('ai_sessions', 'ai_sessions.attempt_id', 'attempts.id')
      .select(['attempts.business_unit_id', 'attempts.delivery_id', 'attempts.ended_at_ms'])
      .select(['attempts.id as attempt_id', 'ai_sessions.expires_at_ms'])
      .where('attempts.id', '=', attemptId)
      .limit(1)
      .executeTakeFirst();
    if (session === undefined) return; // another process's, or none of a store
    if (isOver(session, session, atMs)) {
      log.warn({ attemptId }, 'results of the AI agent came too late');
      return;
    }
    try {
      await this.#write({ session, attributes, event: undefined });
    } catch (error) {
      if (!(error instanceof DialerError) || error.code !== 'ATTRIBUTES_TOO_MANY') throw error;
      log.warn({ attemptId, problem: error.message }, 'results of the AI agent not taken');
    }
  }
}

export function createAiAgentDesk(options: AiAgentDeskOptions): AiAgentDesk {
  return new AiAgentDesk(options);
}

function targetOf(settings: AiAgentSettings, session: OpenedSession): AiAgentTarget {
  const { sipUri, setupTimeoutMs, firstAudioTimeoutMs, audioTimeoutMs } = settings;
  const limits = { setupTimeoutMs, firstAudioTimeoutMs, audioTimeoutMs };
  return { kind: 'aiAgent', sipUri, ...limits, ...session };
}

async function contextsOf(
  tx: Transaction<Database>,
  { language }: Pick<WorkstreamRow, 'language'>,
  calls: readonly CallToAnswer[],
): Promise<readonly AgentContext[]> {
  if (calls.length === 0) return [];
  const contacts = await tx
    .selectFrom('contacts')
    .select(['id', 'unique_identifier', 'first_name', 'last_name', 'external_attributes'])
    .where('id', 'in', [...new Set(calls.map(({ contactId }) => contactId))])
    .execute();
  const byId = new Map(contacts.map((contact) => [contact.id, contact]));
  return calls.map(({ attemptId, task, contactId }) => {
    const contact = byId.get(contactId);
    if (contact === undefined) throw new Error(`contact ${contactId} is gone`);
    return agentContext({ attemptId, language, task, contact });
  });
}

function attributesOf(body: unknown): Attributes {
  const reading = readAttributes(body);
  if (reading.ok) return reading.attributes;
  throw new DialerError(reading.code, reading.problem);
}
