/** What a listening room in a thread of its own and its client say to each other. */
import type { Heard, ListenOrder } from './listening.port.ts';

/** `id` is of one call; `requestId` of one command to the media server, which the client sends. */
export type ToRoom =
  | { readonly type: 'listen'; readonly id: number; readonly channelId: string }
  | { readonly type: 'order'; readonly id: number; readonly order: ListenOrder }
  | { readonly type: 'stop'; readonly id: number }
  | { readonly type: 'answered'; readonly requestId: number; readonly text: string }
  | { readonly type: 'unanswered'; readonly requestId: number; readonly problem: string };

export type FromRoom =
  | { readonly type: 'ready' }
  | { readonly type: 'heard'; readonly id: number; readonly heard: Heard }
  | {
      readonly type: 'api';
      readonly id: number;
      readonly requestId: number;
      readonly command: string;
      readonly args: string;
    }
  | {
      readonly type: 'message';
      readonly id: number;
      readonly requestId: number;
      readonly headers: Readonly<Record<string, string>>;
    };
