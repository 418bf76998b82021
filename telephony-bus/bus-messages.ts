/**
 * What passes over the bus, as JSON in one field of a stream entry. Whoever reads checks it: an entry
 * in Redis may be of another release, or of somebody who should not be there.
 */
import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { CommandReply } from '../machines/command-reply.ts';
import type { GatewayCommand } from '../machines/gateway-commands.ts';
import { GatewayCapacity, TrunkState } from '../machines/gateway-events.ts';
import { TelephonyCommandSchema, type TelephonyCommand } from '../machines/telephony-commands.ts';
import { TELEPHONY_EVENTS, type TelephonyEvent } from '../machines/telephony-events.ts';

/** Raised when a reader of the release before would misunderstand what is written. */
const FORM = 1;

/** They become parts of keys: no braces, no colons. */
const Name = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });

const Epoch = Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'Life of that gateway.' });

const CommandEntry = Type.Object({
  form: Type.Literal(FORM),
  id: Type.Integer({ minimum: 1, description: 'Named again by the reply.' }),
  dialerId: Name,
  session: Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'Life of that dialer.' }),
  queueGroup: Name,
  command: TelephonyCommandSchema,
});
export type CommandEntry = Omit<Static<typeof CommandEntry>, 'command'> & {
  readonly command: TelephonyCommand | GatewayCommand;
};

const ReplyEntry = Type.Object({
  form: Type.Literal(FORM),
  id: Type.Integer({ minimum: 1 }),
  gatewayId: Name,
  reply: CommandReply,
});
export type ReplyEntry = Static<typeof ReplyEntry>;

/** Announced by the gateway as the whole of it, or made by the dialer's side: not told one by one. */
const STATE_EVENTS = [
  'trunk.state',
  'gateway.capacity',
  'gateway.present',
  'gateway.lost',
] as const;
type StateEvent = (typeof STATE_EVENTS)[number];

/** What happened to an attempt, a lobby, or a call that came in. */
export type ToldEvent = Exclude<TelephonyEvent, { readonly type: StateEvent }>;

export function isToldEvent(event: TelephonyEvent): event is ToldEvent {
  return !STATE_EVENTS.some((type) => type === event.type);
}

const EventEntry = Type.Object({
  form: Type.Literal(FORM),
  gatewayId: Name,
  epoch: Epoch,
  event: Type.Union(
    Object.entries(TELEPHONY_EVENTS)
      .filter(([type]) => !STATE_EVENTS.some((state) => state === type))
      .map(([, schema]) => schema),
  ),
});
export interface EventEntry {
  readonly form: typeof FORM;
  readonly gatewayId: string;
  readonly epoch: string;
  readonly event: ToldEvent;
}

/** Written as a heartbeat and at every change; the whole of it each time, so that none is missed. */
const Announcement = Type.Object({
  form: Type.Literal(FORM),
  gatewayId: Name,
  epoch: Epoch,
  state: Type.Enum(['present', 'leaving', 'gone'], {
    description: 'leaving: takes no dials any more. gone: its last word.',
  }),
  switchAddress: Type.String({
    maxLength: 300,
    description: 'Control address of its switch: gateways of one switch can end its dialogs.',
  }),
  trunks: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 1_000 }),
  trunkStates: Type.Array(TrunkState, { maxItems: 1_000 }),
  capacity: Type.Union([GatewayCapacity, Type.Null()]),
});
export type Announcement = Static<typeof Announcement>;

/** Far beyond any message of ours: what is longer is not parsed. */
const MESSAGE_CHARS_MAX = 262_144;

export type Read<T> = { readonly message: T } | { readonly problem: string };

export const readCommandEntry = reader<CommandEntry>(CommandEntry);
export const readReplyEntry = reader<ReplyEntry>(ReplyEntry);
export const readEventEntry = reader<EventEntry>(EventEntry);
export const readAnnouncement = reader<Announcement>(Announcement);

type Body<T> = Omit<T, 'form'>;

export function written<T extends CommandEntry | ReplyEntry | EventEntry | Announcement>(
  body: Body<T>,
): string {
  return JSON.stringify({ form: FORM, ...body });
}

/** The problem names the place, never the content: a command holds a number, an agent's token. */
function reader<T>(schema: TSchema): (text: string) => Read<T> {
  const validator = Compile(schema);
  return (text) => {
    if (text.length > MESSAGE_CHARS_MAX) return { problem: `${text.length} characters long` };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { problem: 'not JSON' };
    }
    if (validator.Check(value)) return { message: value as T };
    const [first] = validator.Errors(value);
    return { problem: `${first?.instancePath ?? ''} ${first?.keyword ?? 'breaks its schema'}` };
  };
}
