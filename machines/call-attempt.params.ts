/** Guards and actions of the call attempt with the parameters that they are always given. */
import type { AgentVerdict } from './agent-verdict.ts';
import { hangupReasonFor } from './call-attempt.context.ts';
import { news, replied } from './call-attempt.events.ts';
import type { RefusalCode } from './command-reply.ts';
import type { AttemptCommandType, CancelReason, HangupReason } from './telephony-commands.ts';

/** An event of the gateway's that has not been heard before: kept as evidence. */
export const isNews = { type: 'isNews', params: news } as const;
export const record = { type: 'record', params: news } as const;
export const heard = { guard: isNews, actions: record } as const;

export const isAcceptedFor = (command: AttemptCommandType) =>
  ({
    type: 'isAccepted',
    params: (args: Parameters<typeof replied>[0]) => ({ command, reply: replied(args) }),
  }) as const;

export const isRefusedFor = (command: AttemptCommandType | null, code: RefusalCode | null) =>
  ({
    type: 'isRefused',
    params: (args: Parameters<typeof replied>[0]) => ({ command, code, reply: replied(args) }),
  }) as const;

export const noteReply = { type: 'noteReply', params: replied } as const;
export const noteCancel = (reason: CancelReason) =>
  ({ type: 'noteCancel', params: { reason } }) as const;
export const noteHangup = (reason: HangupReason) =>
  ({ type: 'noteHangup', params: { reason } }) as const;

export type CancelAsked = { readonly event: { readonly reason: CancelReason } };
export const noteCancelFor = {
  type: 'noteCancel',
  params: ({ event }: CancelAsked) => ({ reason: event.reason }),
} as const;
export const noteHangupFor = {
  type: 'noteHangup',
  params: ({ event }: CancelAsked) => ({ reason: hangupReasonFor(event.reason) }),
} as const;
export const noteLobby = {
  type: 'noteLobby',
  params: ({ event }: { readonly event: { readonly lobbyId: string } }) => ({
    lobbyId: event.lobbyId,
  }),
} as const;
export const noteAgentVerdict = {
  type: 'noteAgentVerdict',
  params: ({ event }: { readonly event: AgentVerdict }) => event,
} as const;
/** Another owner works the attempt: nothing that we do from here on has any effect. */
export const superseded = {
  guard: isRefusedFor(null, 'STALE_FENCE'),
  actions: noteReply,
  target: '#callAttempt.ended',
} as const;
