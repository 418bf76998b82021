/** Everything that journeys ask of others, as chores of their worker. */
import type { DialerLog } from '../../dialer-log.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import type { RulePacks } from '../../rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { JourneyDefinitions } from '../runs/journey-definitions.ts';
import { carryOutEffects } from './carry-out.ts';
import { dialerElsewhere, type ElsewhereSettings } from './dialer-elsewhere.ts';
import { dialerHere, type OwnDialer } from './dialer-here.ts';
import type { EffectParts } from './effect-parts.ts';
import { hearElsewhere } from './hear-elsewhere.ts';
import { hearResults } from './hear-results.ts';
import { Webhooks, type WebhookSettings } from './webhook.ts';

export interface SendingSettings {
  readonly webhooks: WebhookSettings;
  /** Another process's dialer. Default: this one's, which needs no settings. */
  readonly elsewhere?: ElsewhereSettings;
}

export interface EffectChoresOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly log: DialerLog;
  readonly rulePacks: RulePacks;
  readonly dialer: OwnDialer;
  readonly hasConversations: boolean;
  /** Default: no webhooks. */
  readonly sending?: SendingSettings;
  readonly definitions?: JourneyDefinitions;
  /** In [0, 1). Default: Math.random. */
  readonly random?: () => number;
}

export const NO_WEBHOOKS: WebhookSettings = {
  ...{ targets: [], onLoopback: false, allowInsecure: false, timeoutMs: 10_000, triesMax: 8 },
};

export function effectChores(options: EffectChoresOptions): readonly JourneyChore[] {
  const { database, dialer, sending, definitions, random = Math.random } = options;
  const { elsewhere, webhooks = NO_WEBHOOKS } = sending ?? {};
  const hearing = elsewhere === undefined ? undefined : hearElsewhere(options, elsewhere);
  const parts: EffectParts = {
    ...options,
    dialer:
      elsewhere === undefined || hearing === undefined
        ? dialerHere(dialer)
        : dialerElsewhere({ ...elsewhere, database, isHearing: () => hearing.isHearing() }),
    webhooks: new Webhooks(webhooks),
    definitions: definitions ?? new JourneyDefinitions(),
    random,
  };
  const heard = hearing === undefined ? [] : [hearing];
  return [hearResults(parts), ...heard, carryOutEffects(parts)];
}
