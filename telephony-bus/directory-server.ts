/** Answers gateways in other processes what they ask of representatives, from this dialer's store. */
import type { BusConfig } from '../config/bus.schema.ts';
import type { RepresentativeDirectory } from '../machines/representative-directory.port.ts';
import type { BusCounters } from './bus-counters.ts';
import { BusKeys } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import {
  aboutAccount,
  aboutEntry,
  readQuestion,
  writtenAnswer,
  type QuestionEntry,
} from './directory-messages.ts';
import type { RedisLink } from './redis-link.ts';
import { OneTimeKeys, sealed } from './sealed-text.ts';
import { StreamReader } from './stream-reader.ts';
import type { StreamWriter } from './stream-writer.ts';

export interface DirectoryServerParts {
  readonly config: BusConfig;
  readonly queueGroup: string;
  readonly directory: RepresentativeDirectory;
  readonly link: RedisLink;
  readonly writer: StreamWriter;
  readonly counters: BusCounters;
  readonly log: BusLog;
  readonly nowMs: () => number;
}

const KEPT_MS = 60_000;

export class DirectoryServer {
  readonly #parts: DirectoryServerParts;
  readonly #keys: BusKeys;
  readonly #questions: StreamReader;
  readonly #sealing: OneTimeKeys;

  constructor(parts: DirectoryServerParts) {
    const { config, queueGroup, link, counters, log } = parts;
    this.#parts = parts;
    this.#sealing = new OneTimeKeys(parts.nowMs);
    this.#keys = new BusKeys(config.keyPrefix);
    this.#questions = new StreamReader({
      ...{ link, key: this.#keys.questions(queueGroup), kind: 'questions', counters, log },
      ...{ trims: true, forgets: true, fromAgeMs: config.commandTimeoutMs },
      retryMs: { min: config.reconnectDelayMinMs, max: config.reconnectDelayMaxMs },
      onEntry: (text) => void this.#heard(text),
    });
  }

  open(): void {
    this.#questions.open();
  }

  close(): Promise<void> {
    return this.#questions.close();
  }

  async #heard(text: string): Promise<void> {
    const { counters, config, log, nowMs, writer } = this.#parts;
    const entry = readQuestion(text);
    if (entry === undefined) {
      counters.dropped.invalid += 1;
      return;
    }
    const { id, gatewayId, session, atMs, question } = entry;
    // Whoever asked has given up: what it would have changed is not to change behind their back.
    if (nowMs() - atMs > config.commandTimeoutMs) {
      counters.dropped.expired += 1;
      return;
    }
    const { stream } = this.#keys.answers(gatewayId, session);
    const target = { stream, kind: 'answers', keptMs: KEPT_MS } as const;
    try {
      const value = await this.#answer(entry);
      writer.add(target, writtenAnswer({ id, answer: { found: true, value } }));
    } catch (error) {
      log.warn({ err: error, op: question.op }, 'a gateway’s question could not be answered');
      writer.add(target, writtenAnswer({ id, answer: { found: false } }));
    }
  }

  async #answer({ question, gatewayId, session }: QuestionEntry): Promise<unknown> {
    const { directory } = this.#parts;
    switch (question.op) {
      case 'accountOf': {
        const { who, key } = question;
        const account = (await directory.accountOf(who)) ?? null;
        return sealed(JSON.stringify(account), key, aboutAccount(gatewayId, session, who));
      }
      case 'bindingsOf':
        return directory.bindingsOf(question.representativeId);
      case 'replaceBindings': {
        const { representativeId, version, bindings } = question;
        return directory.replaceBindings(representativeId, version, bindings);
      }
      case 'sealingKey':
        return this.#sealing.make();
      case 'admitDialIn': {
        const { number, source, pin: text } = question.entry;
        const pin = this.#sealing.open(text, aboutEntry(gatewayId, session, number));
        if (pin === undefined) throw new Error('an entry was sealed for somebody else, or before');
        return directory.admitDialIn({ number, source, pin });
      }
    }
  }
}
