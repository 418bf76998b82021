/** What the routes of `/v1` work with. */
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DestinationFormat } from '../../../config/trunk.schema.ts';
import type { CommandReply } from '../../../machines/command-reply.ts';
import { DialerError } from '../../../machines/errors.ts';
import type { TrunkCommand } from '../../../machines/trunk-commands.ts';
import type { DialerLog } from '../../dialer-log.ts';
import type { ForecastPort } from '../../forecast/forecast.port.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import type { DraftModelUse } from '../../journeys/drafting/draft-model.ts';
import type { SendingSettings } from '../../journeys/effects/effect-chores.ts';
import type { Uploads } from '../../intake/uploads.ts';
import type { Dialer } from '../../main.ts';
import type { RepresentativeDesk } from '../../representatives/representative-desk.ts';
import type { RulePacks } from '../../rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import { callerOfRequest } from '../access.ts';
import { HttpError } from '../http-error.ts';
import type { TypeBoxTypes } from './wire-types.ts';

/** The part of a trunk that decides what can be dialled through it. */
export interface ApiTrunk {
  readonly name: string;
  readonly destinationFormat: DestinationFormat;
}

export type ApiDialer = Pick<
  Dialer,
  | 'suspend'
  | 'resume'
  | 'engagementChanged'
  | 'tasksWritten'
  | 'subscribe'
  | 'cancelTask'
  | 'previewOf'
  | 'endCall'
  | 'pacingWritten'
  | 'trunksChanged'
> & {
  readonly desk: Pick<
    RepresentativeDesk,
    'changed' | 'get' | 'accept' | 'reject' | 'wrapUpDone' | 'subscribe'
  >;
};

/** The gateways that are there now, and what is asked of one of them. */
export interface ApiGateways {
  ids(): readonly string[];
  send(command: TrunkCommand): Promise<CommandReply>;
}

export interface ApiContext {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly log: DialerLog;
  readonly trunks: readonly ApiTrunk[];
  /** Of the digest by which phones register; none, or empty: none can. */
  readonly registrarRealm?: string;
  /** Without them nothing is known of trunks but their names. */
  readonly gateways?: ApiGateways;
  /** Undefined until it runs, and once it stops. */
  readonly dialer: () => ApiDialer | undefined;
  readonly uploads: Uploads;
  readonly forecast: ForecastPort;
  readonly rulePacks: RulePacks;
  /** Default: all of it is on. */
  readonly journeys?: JourneySwitches;
  /** Recordings can be transcribed. Default: they cannot, and no workstream may ask for it. */
  readonly hasTranscriber?: boolean;
}

export interface JourneySwitches {
  readonly isEnabled: boolean;
  /** Journeys may call people: it is switched on, and there is a dialer to ask. */
  readonly hasConversations: boolean;
  /** Whom they ask beside the dialer of this process. Default: nobody. */
  readonly sending?: SendingSettings;
  /** Who drafts them from text. Default: the sentence patterns. */
  readonly drafting?: DraftModelUse;
  /** How long people who left are kept. Default 365. */
  readonly keptDays?: number;
  /** How long drafts that were asked for are kept. Default 90. */
  readonly draftsKeptDays?: number;
}

/** An app whose handlers see the types of their schemas. */
export type ApiApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypes
>;

export function writerOf(
  { database, ids, nowMs, rulePacks }: ApiContext,
  request: FastifyRequest,
): Writer {
  const { businessUnitId } = callerOfRequest(request);
  return { database, ids, nowMs: nowMs(), businessUnitId, actor: actorOf(request), rulePacks };
}

export function actorOf(request: FastifyRequest): string {
  return `key:${callerOfRequest(request).prefix}`;
}

/** Throws STARTING while there is none. */
export function dialerOf({ dialer }: ApiContext): ApiDialer {
  const running = dialer();
  if (running === undefined) throw new HttpError('STARTING', 'the dialer is starting or stopping');
  return running;
}

export function notFound(kind: string, id: string): DialerError {
  return new DialerError('NOT_FOUND', `there is no ${kind} ${id}`);
}
