/**
 * What an AI agent is told of the call (spec F.10): all input attributes by their exact names, and
 * what the platform knows. Small on purpose: up to 600 bytes of JSON travel in the INVITE itself.
 */
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

export interface AgentContext extends Readonly<Record<string, unknown>> {
  /** Of this shape. A reader ignores names that it does not know. */
  readonly version: 1;
  readonly attemptId: string;
  readonly engagementId: string;
  readonly language: string;
  /** Never a number or an address: the agent talks to the person, it need not find them. */
  readonly contact: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ContextFacts {
  readonly attemptId: string;
  readonly language: string;
  readonly task: Pick<TaskRow, 'engagement_id' | 'input_attributes'>;
  readonly contact: Pick<
    ContactRow,
    'unique_identifier' | 'first_name' | 'last_name' | 'external_attributes'
  >;
}

/** The request's own attributes stand above those that the contact brought from its file. */
export function agentContext({ attemptId, language, task, contact }: ContextFacts): AgentContext {
  const { unique_identifier: uniqueIdentifier, first_name, last_name } = contact;
  return {
    version: 1,
    attemptId,
    engagementId: task.engagement_id,
    language,
    contact: {
      uniqueIdentifier,
      ...(first_name === null ? {} : { firstName: first_name }),
      ...(last_name === null ? {} : { lastName: last_name }),
    },
    attributes: {
      ...(JSON.parse(contact.external_attributes) as Record<string, string>),
      ...(JSON.parse(task.input_attributes) as Record<string, string>),
    },
  };
}
