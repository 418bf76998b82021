/** Operating errors, one code each. A broken invariant is an `assert`, and is left to crash. */
import { REFUSAL_CODES, type RefusalCode } from './command-reply.ts';

/** Codes beyond a gateway's refusals. A dialing outcome (busy, no answer) is a Result, no error. */
export const OPERATING_CODES = [
  'CONFIG_INVALID', // the configuration cannot be read or breaks its schema
  'CONTACTS_INVALID', // a contact file as a whole cannot be used
  'LISTEN_FAILED', // a socket of ours could not be bound
  'SWITCH_CONNECT_FAILED', // drachtio-server not reachable
  'SWITCH_AUTH_FAILED', // drachtio-server refused the secret
  'MEDIA_CONNECT_FAILED', // FreeSWITCH not reachable, or its password refused
  'MEDIA_TIMEOUT', // FreeSWITCH did not finish what it was told in time
  'MEDIA_LOST', // the channel went away while it was being used
  'PROMPT_NOT_FOUND', // a prompt id without a file
  'STORE_SCHEMA_MISMATCH', // the database belongs to another release
  'STORE_UNAVAILABLE', // the database cannot be opened or reached, or refused a commit
  'STORE_STATEMENT_FAILED', // the database refused a statement
  'LEASE_HELD', // another process works this queue group
  'LEASE_LOST', // it was taken over by another process: nothing more may be started here
  'REQUEST_INVALID', // what was asked for breaks its schema or contradicts what is stored
  'NOT_FOUND', // no row of that id in this business unit
  'VERSION_CONFLICT', // changed by somebody else since the caller looked
  'NOT_CHANGEABLE', // what a thing is, rather than how it is set
  'IN_USE', // something that runs relies on it as it is
  'ENGAGEMENT_INACTIVE', // takes no work any more, or none yet
  'INTAKE_NOT_ALLOWED', // the engagement is fed in another way
  'TASK_FINAL', // nothing is left of it to be cancelled
  'PHONE_MISSING', // a contact without any number to dial
  'PHONE_INVALID', // a number that no trunk takes
  'TIME_ZONE_INVALID',
  'WINDOW_INVALID', // it ends before it begins
  'AI_SESSION_UNAUTHORIZED', // no token of this call, or another call's
  'AI_SESSION_ENDED', // the call ended too long ago for its AI agent to return anything
  'ATTRIBUTES_INVALID', // what an AI agent returned has another shape than agreed
  'ATTRIBUTE_TOO_LONG',
  'ATTRIBUTES_TOO_MANY',
  'NOT_PACED', // no pacer decides how many of its calls start
  'NOTHING_PENDING', // no task is left that could be dialled
  'NO_REPRESENTATIVES', // nobody is in the queue who could take its calls
  'TOO_MANY_FORECASTS', // others are being reckoned
  'FORECAST_TIMEOUT', // it would have taken too long
  'JOURNEY_NOT_READY', // it has faults that block publishing
  'JOURNEY_STATE', // it is in a state in which this cannot be done
  'BUS_UNAVAILABLE', // Redis is not reachable, and dialer and gateway are in different processes
  'GATEWAY_LOST', // no answer from the gateway: nobody knows whether it acted on the command
  'TELEPHONY_CLOSED', // the port was closed while a command was on its way
] as const;

export type ErrorCode = RefusalCode | (typeof OPERATING_CODES)[number];

export const ERROR_CODES: readonly ErrorCode[] = [...REFUSAL_CODES, ...OPERATING_CODES];

export type ErrorContext = Readonly<Record<string, string | number>>;

/** One place of what was asked for that is wrong, and why. */
export interface ErrorFault {
  /** JSON pointer (RFC 6901) into what was asked for. */
  readonly pointer: string;
  readonly detail: string;
}

/** Something that relies on what was to be changed. */
export interface ErrorUser {
  readonly kind: 'journey' | 'segment';
  readonly id: string;
  readonly name: string;
  /** Of a journey: the number of the version, below zero for a test. */
  readonly version?: number;
  /** JSON pointers into its definition, or its condition. */
  readonly pointers: readonly string[];
}

export class DialerError extends Error {
  override readonly name = 'DialerError';
  readonly code: ErrorCode;
  /** Ids only, never a phone number: this is logged and sent to clients. */
  readonly context: ErrorContext;
  /** Every place that is wrong, where the places can be told. */
  readonly faults: readonly ErrorFault[];
  /** Of IN_USE: by what. */
  readonly usedBy: readonly ErrorUser[];

  constructor(
    code: ErrorCode,
    detail: string,
    more: {
      context?: ErrorContext;
      cause?: unknown;
      faults?: readonly ErrorFault[];
      usedBy?: readonly ErrorUser[];
    } = {},
  ) {
    super(detail, { cause: more.cause });
    this.code = code;
    this.context = more.context ?? {};
    this.faults = more.faults ?? [];
    this.usedBy = more.usedBy ?? [];
  }
}
