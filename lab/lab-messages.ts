/** What the lab's thread and its starter say to each other; calls travel over real sockets. */
import type { AiAgentRecord } from './ai-agent-record.ts';
import type { CarrierOptions, ReceivedInvite } from './carrier.ts';
import type { FarEndRecord } from './far-end-call.ts';

export interface LabOptions extends CarrierOptions {
  /** An AI agent beside the carrier, on UDP and TCP; port 0 takes any. Absent: none. */
  readonly aiAgent?: { readonly sipPort: number };
  /** Phones of so many representatives, each on a port of its own. Absent: none. */
  readonly representatives?: number;
}

export type ToLab =
  { readonly type: 'stop' } | { readonly type: 'records'; readonly requestId: number };

export type FromLab =
  | {
      readonly type: 'ready';
      readonly sipPort: number;
      readonly aiAgentSipPort: number | undefined;
      readonly representativeUris: readonly string[];
    }
  | { readonly type: 'failed'; readonly problem: string }
  | {
      readonly type: 'records';
      readonly requestId: number;
      readonly records: readonly FarEndRecord[];
      readonly aiAgentRecords: readonly AiAgentRecord[];
      readonly liveCalls: number;
    }
  | { readonly type: 'invited'; readonly invite: ReceivedInvite }
  | { readonly type: 'stopped' };
