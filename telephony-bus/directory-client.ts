/** The directory of representatives for a gateway whose dialer is in another process. */
import { randomUUID } from 'node:crypto';
import type { BusConfig } from '../config/bus.schema.ts';
import { DialerError } from '../machines/errors.ts';
import type {
  AccountKey,
  DialInEntry,
  DialInVerdict,
  PhoneBinding,
  PhoneBindings,
  RepresentativeAccount,
  RepresentativeDirectory,
} from '../machines/representative-directory.port.ts';
import { BusCounters } from './bus-counters.ts';
import { BusKeys } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import {
  aboutAccount,
  aboutEntry,
  isValueOf,
  readAccount,
  readAnswer,
  writtenQuestion,
  type Question,
} from './directory-messages.ts';
import { redisLink, type RedisLink } from './redis-link.ts';
import { OneTimeKeys, sealed, type SealedText, type SealingKey } from './sealed-text.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';

export interface DirectoryClientOptions {
  readonly config: BusConfig;
  readonly gatewayId: string;
  /** Whose owner answers. */
  readonly queueGroup: string;
  readonly log: BusLog;
  readonly nowMs: () => number;
}

interface Asked {
  readonly question: Question;
  readonly settle: (value: unknown) => void;
  readonly fail: (why: string) => void;
}

const KEPT_MS = 60_000;
const CLOSE_LIMIT_MS = 1_000;

export class DirectoryClient implements RepresentativeDirectory {
  readonly counters = new BusCounters();
  readonly #options: DirectoryClientOptions;
  readonly #keys: BusKeys;
  readonly #session = randomUUID();
  readonly #link: RedisLink;
  readonly #writer: StreamWriter;
  readonly #answers: StreamReader;
  readonly #asked = new Map<number, Asked>();
  readonly #sealing: OneTimeKeys;
  #lastId = 0;

  constructor(options: DirectoryClientOptions) {
    const { config, gatewayId, log } = options;
    this.#options = options;
    this.#sealing = new OneTimeKeys(options.nowMs);
    this.#keys = new BusKeys(config.keyPrefix);
    const { counters } = this;
    const retryMs = { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs };
    const newLink = (purpose: string): RedisLink =>
      redisLink({ config, counters, log, name: `ringfence-directory-${gatewayId}-${purpose}` });
    this.#link = newLink('write');
    this.#writer = new StreamWriter({
      ...{ link: this.#link, counters, waitingMax: config.waitingMax, retryMs },
    });
    this.#answers = new StreamReader({
      ...{ link: newLink('answers'), key: this.#keys.answers(gatewayId, this.#session) },
      ...{ kind: 'answers', counters, log, trims: true, retryMs },
      onEntry: (entry) => this.#heard(entry),
    });
  }

  open(): void {
    this.#link.open();
    this.#answers.open();
  }

  async close(): Promise<void> {
    for (const { fail } of [...this.#asked.values()]) fail('the bus was closed');
    await this.#answers.close();
    await this.#writer.idle(CLOSE_LIMIT_MS);
    this.#writer.close();
    await this.#link.close();
  }

  async accountOf(who: AccountKey): Promise<RepresentativeAccount | undefined> {
    const key = this.#sealing.make();
    const text = (await this.#ask({ op: 'accountOf', who, key })) as SealedText;
    const about = aboutAccount(this.#options.gatewayId, this.#session, who);
    const opened = this.#sealing.open(text, about);
    const account = opened === undefined ? undefined : readAccount(opened);
    if (account === undefined) {
      throw new DialerError('BUS_UNAVAILABLE', 'accountOf: the answer cannot be opened');
    }
    return account ?? undefined;
  }

  async bindingsOf(representativeId: string): Promise<PhoneBindings> {
    return (await this.#ask({ op: 'bindingsOf', representativeId })) as PhoneBindings;
  }

  async replaceBindings(
    representativeId: string,
    version: number,
    bindings: readonly PhoneBinding[],
  ): Promise<boolean> {
    const question = { representativeId, version, bindings: [...bindings] };
    return (await this.#ask({ op: 'replaceBindings', ...question })) as boolean;
  }

  async admitDialIn(entry: DialInEntry): Promise<DialInVerdict> {
    const { number, source } = entry;
    const key = (await this.#ask({ op: 'sealingKey' })) as SealingKey;
    const about = aboutEntry(this.#options.gatewayId, this.#session, number);
    const pin = sealed(entry.pin, key, about);
    return (await this.#ask({
      ...{ op: 'admitDialIn', entry: { number, source, pin } },
    })) as DialInVerdict;
  }

  /** Rejects with BUS_UNAVAILABLE when nobody answers in time. */
  #ask(question: Question): Promise<unknown> {
    const { config, gatewayId, queueGroup, nowMs } = this.#options;
    this.#lastId += 1;
    const id = this.#lastId;
    const session = this.#session;
    const { stream } = this.#keys.questions(queueGroup);
    const target = { stream, kind: 'questions', keptMs: KEPT_MS } as const;
    const entry = writtenQuestion({ id, gatewayId, session, atMs: nowMs(), question });
    return new Promise((resolve, reject) => {
      const ticket = this.#writer.add(target, entry);
      const end = (): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
      };
      const fail = (why: string): void => {
        ticket.withdraw();
        end();
        reject(new DialerError('BUS_UNAVAILABLE', `${question.op}: ${why}`));
      };
      const timer = setTimeout(() => fail('no dialer answered'), config.commandTimeoutMs);
      const settle = (value: unknown): void => {
        end();
        resolve(value);
      };
      this.#asked.set(id, { question, settle, fail });
    });
  }

  #heard(text: string): void {
    const entry = readAnswer(text);
    const asked = entry === undefined ? undefined : this.#asked.get(entry.id);
    if (entry === undefined) this.counters.dropped.invalid += 1;
    if (entry === undefined || asked === undefined) return;
    const { answer } = entry;
    if (!answer.found) asked.fail('the store cannot be reached');
    else if (isValueOf(asked.question.op, answer.value)) asked.settle(answer.value);
    else asked.fail('the answer makes no sense');
  }
}
