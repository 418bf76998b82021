/** What the lab's thread and its starter say to each other; calls travel over real sockets. */
import type { FarEndRecord } from './far-end-call.ts';

export type ToLab =
  { readonly type: 'stop' } | { readonly type: 'records'; readonly requestId: number };

export type FromLab =
  | { readonly type: 'ready'; readonly sipPort: number }
  | { readonly type: 'failed'; readonly problem: string }
  | {
      readonly type: 'records';
      readonly requestId: number;
      readonly records: readonly FarEndRecord[];
      readonly liveCalls: number;
    }
  | { readonly type: 'stopped' };
