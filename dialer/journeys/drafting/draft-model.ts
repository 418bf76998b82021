/** The port to a language model that drafts journeys. What it says is never believed unchecked. */

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface DraftModel {
  /** For people and reports. */
  readonly name: string;
  /** Throws DraftModelError and nothing else. */
  complete(messages: readonly ChatMessage[]): Promise<string>;
}

export interface DraftModelUse {
  readonly model: DraftModel;
  /** How often it is asked in all. At least 1. */
  readonly triesMax: number;
}

export type DraftModelFailure =
  | 'timeout'
  | 'unreachable'
  /** Its address is one that is never asked, or is not encrypted. */
  | 'refused'
  /** It answered with another status than 2xx. */
  | 'status'
  /** It answered something else than a chat completion, or too much. */
  | 'unreadable';

/** Never holds the key, nor what was sent or answered. */
export class DraftModelError extends Error {
  readonly failure: DraftModelFailure;

  constructor(failure: DraftModelFailure, detail: string) {
    super(detail);
    this.name = 'DraftModelError';
    this.failure = failure;
  }
}
