/** What the call attempt machine is told, says, knows and answers. */
import assert from 'node:assert/strict';
import type { AgentVerdict } from './agent-verdict.ts';
import type { AttemptEventPlace } from './attempt-event-place.ts';
import type { AttemptEvidence } from './attempt-evidence.ts';
import type { AttemptOutcome } from './attempt-result.ts';
import type { AttemptPhase, CommandReply } from './command-reply.ts';
import type { SeenSequence } from './seen-sequence.ts';
import type { RecordingStart } from './recording-commands.ts';
import type {
  AiAgentTarget,
  AttemptCommand,
  AttemptCommandType,
  AttemptDial,
  CancelReason,
} from './telephony-commands.ts';
import { ATTEMPT_EVENTS, type AttemptEvent } from './telephony-events.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A command as the machine makes it: the telephony actor stamps the time on it. */
export type AttemptOrder = Without<AttemptCommand, 'atMs'>;
/** What the machine decides of a command; identity and number are added when it is ordered. */
export type OrderBody = Without<AttemptCommand, 'atMs' | 'attemptId' | 'fence' | 'seq'>;
export type DialOrder = Omit<AttemptDial, 'type' | 'attemptId' | 'fence' | 'seq' | 'atMs'>;

/** How long to wait for whom, ms. A default suits a gateway on the same continent. */
export interface CallAttemptWaits {
  /** A command's reply. */
  readonly replyMs: number;
  /** Dial accepted → INVITE sent: the endpoint is made meanwhile (FreeSWITCH has 4 s for it). */
  readonly inviteMs: number;
  /** CANCEL ordered → end: 64*T1 = 32 s for a far end that answers neither (RFC 3261 §9.1). */
  readonly cancelMs: number;
  /** BYE ordered → end: timer F, 32 s. */
  readonly hangupMs: number;
  /** Beyond the agent's own set-up time-out, for the gateway's word on it. */
  readonly connectMs: number;
  /** Beyond the longest time that detection may take, for the gateway's verdict. */
  readonly verdictMs: number;
  /** Verdict to the end of a machine's greeting, beside the time of the message itself. */
  readonly greetingMs: number;
  /** A person for whom nobody is found, where the gateway's own clock does not run or not act. */
  readonly representativeMs: number;
  /** The gateway's message to an abandoned person, to its end. */
  readonly abandonedMs: number;
  /** Between two questions to a gateway that is silent. */
  readonly queryMs: number;
  /** For events that are missing although a later one has come. */
  readonly gapMs: number;
}

export const DEFAULT_WAITS: CallAttemptWaits = {
  replyMs: 2_000,
  inviteMs: 10_000,
  cancelMs: 36_000,
  hangupMs: 36_000,
  connectMs: 5_000,
  verdictMs: 4_000,
  greetingMs: 90_000,
  representativeMs: 30_000,
  abandonedMs: 240_000,
  queryMs: 5_000,
  gapMs: 1_000,
};

/** Questions in one attempt before it is given up as Unknown. */
export const QUERIES_MAX = 12;

/** What is done with an answering machine. */
export type MachinePlan =
  | { readonly action: 'hangup' }
  /** Said once its greeting is over, then hung up. */
  | {
      readonly action: 'leaveMessage';
      readonly prompts: readonly string[];
      readonly optOutDigits?: string;
    }
  /** Left to the AI agent, which talks to it. */
  | { readonly action: 'continue' };

/** What is done with whoever answers: said something, an AI agent, or a representative. */
export type AfterAnswer =
  /** Said, then hung up; nothing: hung up at once. */
  | { readonly prompts: readonly string[] }
  | {
      readonly aiAgent: AiAgentTarget;
      /** Said when the agent fails, before the hang-up; nothing: hung up at once. */
      readonly fallbackPrompts: readonly string[];
      /** With `dial.detection` alongside; default: it talks on, and leaves what it has to say itself. */
      readonly machine?: Exclude<MachinePlan, { action: 'leaveMessage' }>;
    }
  | {
      readonly representative: {
        /** Null: one is found while the person waits, by `dialer.connectLobby`. */
        readonly lobbyId: string | null;
        /** Heard by the representative first; default: the gateway's short tone. */
        readonly cue?: string;
      };
      readonly machine: Exclude<MachinePlan, { action: 'continue' }>;
    };

/** Started as soon as the customer is connected to anybody (WS-03). */
export type RecordingPlan = Pick<RecordingStart, 'recordingId' | 'channels' | 'lengthMaxMs'>;

export interface CallAttemptInput {
  readonly attemptId: string;
  readonly fence: number;
  readonly dial: DialOrder;
  /** First 180/183 → our CANCEL, ms. */
  readonly ringTimeoutMs: number;
  /** INVITE → first 180/183, ms. */
  readonly setupTimeoutMs: number;
  readonly afterAnswer: AfterAnswer;
  /** Play ordered → hang-up, whatever became of it, ms. */
  readonly playTimeoutMs: number;
  readonly preview?: boolean;
  readonly recording?: RecordingPlan;
  readonly waits?: Partial<CallAttemptWaits>;
  /**
   * Set when a dial of this attempt may have been sent by an owner before us, under a lower fence:
   * nothing is dialled, the gateway is asked. `evidence` is folded from the stored events, the
   * last of which was number `lastSeq`; what we hear ourselves is numbered on from there. `heard` is
   * how that last one was numbered under its own fence: the gateway tells again what came after it.
   */
  readonly recovery?: {
    readonly evidence: AttemptEvidence;
    readonly lastSeq: number;
    readonly heard?: AttemptEventPlace;
  };
}

export interface CallAttemptContext extends Omit<CallAttemptInput, 'waits'> {
  readonly waits: CallAttemptWaits;
  readonly evidence: AttemptEvidence;
  readonly seen: SeenSequence;
  /** Number of the last event that the gateway had told when it was asked; null: it was not heard yet. */
  readonly told: number | null;
  /** Number of the last command ordered. */
  readonly commandSeq: number;
  readonly queriesLeft: number;
  /** How far the attempt has come, by events and by the gateway's replies. Never goes back. */
  readonly phase: AttemptPhase;
  /** A play or a connect has been ordered: whoever answered is attended to, once. */
  readonly playOrdered: boolean;
  /** The customer and whom they were connected to hear each other, as far as we know. */
  readonly connected: boolean;
  /** Connects ordered so far: each has an id of its own. */
  readonly connects: number;
  /** Of the connect that was ordered last; null: none. */
  readonly connectId: string | null;
  /** Of the connect that lasts; null: none, or made before we took over. */
  readonly bridgeId: string | null;
  /** The representative who is there for this customer. */
  readonly lobbyId: string | null;
  readonly recordingOrdered: boolean;
}

/** The actor that owns it asks to give the attempt up. After the answer it means: hang up. */
export interface DialerCancel {
  readonly type: 'dialer.cancel';
  readonly reason: Extract<CancelReason, 'cancelled' | 'dialer_recall' | 'shutdown'>;
}

/** A representative is there for this customer: now, or once a person is known to have answered. */
export interface DialerConnectLobby {
  readonly type: 'dialer.connectLobby';
  readonly lobbyId: string;
}

/**
 * The representative is lost. Before the answer the call is taken back; after it the person waits for
 * another one, until the gateway's clock runs out.
 */
export interface DialerRecall {
  readonly type: 'dialer.recall';
}

/** Who talks to a representative goes on to somebody else: the representative's phone asks for it. */
export interface DialerTransfer {
  readonly type: 'dialer.transfer';
  readonly transferId: string;
  readonly destination: string;
}

/** The AI agent has said who answered, by another way than its SIP leg. */
export interface DialerAgentVerdict extends AgentVerdict {
  readonly type: 'dialer.agentVerdict';
}

export interface TelephonyReply {
  readonly type: 'telephony.reply';
  readonly command: AttemptCommandType;
  readonly seq: number;
  readonly reply: CommandReply;
}

/** A command may not have arrived, or the gateway is known to be gone. */
export interface TelephonyLost {
  readonly type: 'telephony.lost';
  readonly detail: string;
}

/** What the actor that owns it may say to it. */
export type CallAttemptOrder =
  DialerCancel | DialerAgentVerdict | DialerConnectLobby | DialerRecall | DialerTransfer;

export type CallAttemptEvent = AttemptEvent | CallAttemptOrder | TelephonyReply | TelephonyLost;

export interface CallAttemptOutput extends AttemptOutcome {
  readonly attemptId: string;
  readonly evidence: AttemptEvidence;
  /** JSON of at most 1,000 characters, for the delivery's row. */
  readonly sipDiagnostics: string;
}

export interface CallAttemptTypes {
  context: CallAttemptContext;
  events: CallAttemptEvent;
  input: CallAttemptInput;
  output: CallAttemptOutput;
}

interface WithEvent {
  readonly event: { readonly type: string };
}

/** For `params`: the gateway's event that is being handled. */
export function news({ event }: WithEvent): AttemptEvent {
  assert(Object.hasOwn(ATTEMPT_EVENTS, event.type), `not an event of an attempt: ${event.type}`);
  return event as AttemptEvent;
}

/** For `params`: the reply that is being handled. */
export function replied({ event }: WithEvent): TelephonyReply {
  assert(event.type === 'telephony.reply', `not a reply: ${event.type}`);
  return event as TelephonyReply;
}
