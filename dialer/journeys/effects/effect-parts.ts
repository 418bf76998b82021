/** What carrying out the outbox works with. */
import type { DialerLog } from '../../dialer-log.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import type { RulePacks } from '../../rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { JourneyDefinitions } from '../runs/journey-definitions.ts';
import type { JourneyDialer } from './journey-dialer.ts';
import type { Webhooks } from './webhook.ts';

export interface EffectParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly log: DialerLog;
  readonly rulePacks: RulePacks;
  readonly dialer: JourneyDialer;
  /** False: steps that call people are switched off. */
  readonly hasConversations: boolean;
  readonly webhooks: Webhooks;
  readonly definitions: JourneyDefinitions;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
}
