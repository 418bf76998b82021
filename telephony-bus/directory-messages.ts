/**
 * Questions of a gateway to the directory of representatives, and what the dialer answers, as they pass
 * over the bus. The PIN that somebody entered and what phones' passwords are checked by pass sealed
 * (sealed-text.ts).
 */
import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type AccountKey,
  DialInVerdict,
  PhoneBinding,
  PhoneBindings,
  RepresentativeAccount,
} from '../machines/representative-directory.port.ts';
import { AtMs } from '../machines/telephony-envelope.ts';
import { SealedText, SealingKey } from './sealed-text.ts';

/** Raised when a reader of the release before would misunderstand what is written. */
const FORM = 3;
const Name = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const text = (maxLength: number) => Type.String({ maxLength });

const Question = Type.Union([
  Type.Object({
    op: Type.Literal('accountOf'),
    who: Type.Union([
      Type.Object({ sipUser: text(256) }),
      Type.Object({ representativeId: text(64) }),
    ]),
    /** For the answer. */
    key: SealingKey,
  }),
  Type.Object({ op: Type.Literal('bindingsOf'), representativeId: text(64) }),
  Type.Object({
    op: Type.Literal('replaceBindings'),
    representativeId: text(64),
    version: Type.Integer({ minimum: 0 }),
    bindings: Type.Array(PhoneBinding, { maxItems: 64 }),
  }),
  /** A key for the entry that follows. */
  Type.Object({ op: Type.Literal('sealingKey') }),
  Type.Object({
    op: Type.Literal('admitDialIn'),
    entry: Type.Object({ number: text(32), source: text(512), pin: SealedText }),
  }),
]);
export type Question = Static<typeof Question>;

const QuestionEntry = Type.Object({
  form: Type.Literal(FORM),
  id: Type.Integer({ minimum: 1, description: 'Named again by the answer.' }),
  gatewayId: Name,
  session: Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'Life of that gateway.' }),
  atMs: AtMs,
  question: Question,
});
export type QuestionEntry = Static<typeof QuestionEntry>;

const AnswerEntry = Type.Object({
  form: Type.Literal(FORM),
  id: Type.Integer({ minimum: 1 }),
  answer: Type.Union([
    Type.Object({ found: Type.Literal(true), value: Type.Unknown() }),
    /** The store could not be asked. */
    Type.Object({ found: Type.Literal(false) }),
  ]),
});
export type AnswerEntry = Static<typeof AnswerEntry>;

const VALUES = {
  sealingKey: Compile(SealingKey),
  accountOf: Compile(SealedText),
  bindingsOf: Compile(PhoneBindings),
  replaceBindings: Compile(Type.Boolean()),
  admitDialIn: Compile(DialInVerdict),
} as const;

/** What a sealed PIN is good for: this gateway's word on this number. */
export function aboutEntry(gatewayId: string, session: string, number: string): string {
  return JSON.stringify([gatewayId, session, number]);
}

/** What a sealed account is good for: this gateway's question about them. */
export function aboutAccount(gatewayId: string, session: string, who: AccountKey): string {
  return JSON.stringify([gatewayId, session, who]);
}

const SealedAccount = Compile(Type.Union([RepresentativeAccount, Type.Null()]));

/** From the text that was sealed; null: there is none. Undefined: it is no account. */
export function readAccount(text: string): RepresentativeAccount | null | undefined {
  const value = parsed(text);
  return SealedAccount.Check(value) ? value : undefined;
}

/** What a question is answered with. */
export function isValueOf(op: Question['op'], value: unknown): boolean {
  return VALUES[op].Check(value);
}

const MESSAGE_CHARS_MAX = 65_536;

/** Undefined: not ours. */
export const readQuestion = reader(QuestionEntry);
export const readAnswer = reader(AnswerEntry);

export function writtenQuestion(body: Omit<QuestionEntry, 'form'>): string {
  return JSON.stringify({ form: FORM, ...body });
}

export function writtenAnswer(body: Omit<AnswerEntry, 'form'>): string {
  return JSON.stringify({ form: FORM, ...body });
}

function reader<S extends TSchema>(schema: S): (entry: string) => Static<S> | undefined {
  const validator = Compile(schema);
  return (entry) => {
    if (entry.length > MESSAGE_CHARS_MAX) return undefined;
    const value = parsed(entry);
    return validator.Check(value) ? value : undefined;
  };
}

/** Undefined: it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
