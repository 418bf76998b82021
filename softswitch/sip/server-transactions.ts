/** The server half of a stack: matching of requests (RFC 3261 §17.2.3), CANCEL (§9.2), ACK. */
import { createResponse } from './create-response.ts';
import { cseqOf } from './cseq.ts';
import { headerOf, type SipRequest } from './message.ts';
import { tagOf } from './name-addr.ts';
import { ResponsePath } from './response-path.ts';
import { responseRouteOf, stampTopVia } from './response-route.ts';
import { ServerInviteTransaction } from './server-invite-transaction.ts';
import { ServerNonInviteTransaction } from './server-non-invite-transaction.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipAddress } from './sip-address.ts';
import type { TransactionContext } from './transaction-context.ts';
import type { SipTransport } from './transport.ts';
import { uniqueBranchOf, type Via } from './via.ts';

type AnyServerTransaction = ServerInviteTransaction | ServerNonInviteTransaction;

/** Each INVITE left unanswered is one; far beyond what a process can carry in calls. */
export const SERVER_TRANSACTIONS_MAX = 50_000;
const OVERLOAD_RETRY_AFTER_S = 5;

export interface ServerTransactionsOwner {
  onRequest(transaction: ServerTransaction): void;
  onAck(ack: SipRequest, source: SipAddress): void;
  onSent(bytes: Buffer, destination: SipAddress): void;
}

export class ServerTransactions {
  readonly #context: TransactionContext;
  readonly #owner: ServerTransactionsOwner;
  readonly #byKey = new Map<string, AnyServerTransaction>();

  constructor(context: TransactionContext, owner: ServerTransactionsOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  get size(): number {
    return this.#byKey.size;
  }

  receive(request: SipRequest, source: SipAddress, transport: SipTransport): void {
    const via = stampTopVia(request, source);
    if (via === undefined) return;
    const base = transactionBaseOf(request, via);
    if (request.method === 'ACK') {
      const invite = this.#byKey.get(`${base} INVITE`);
      const isTaken = invite instanceof ServerInviteTransaction && invite.receiveAck(request);
      if (!isTaken) this.#owner.onAck(request, source);
      return;
    }
    const key = `${base} ${request.method}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.receiveRetransmission();
      return;
    }
    const path = this.#pathOf(via, source, transport);
    if (this.#byKey.size >= SERVER_TRANSACTIONS_MAX) {
      this.#context.counters.overloads += 1;
      const headers = [{ name: 'Retry-After', value: String(OVERLOAD_RETRY_AFTER_S) }];
      path.send(createResponse(request, 503, { headers }));
      return;
    }
    const transaction = this.#open(key, request, path);
    if (request.method === 'CANCEL') this.#cancel(base, transaction);
    else this.#owner.onRequest(transaction);
  }

  /** Answers outside any transaction, as a request too broken for one deserves (§8.2.7). */
  respondStateless(
    request: SipRequest,
    statusCode: number,
    reason: string | undefined,
    source: SipAddress,
    transport: SipTransport,
  ): void {
    const via = stampTopVia(request, source);
    if (via === undefined || request.method === 'ACK') return; // an ACK is never answered
    const response = createResponse(request, statusCode, reason === undefined ? {} : { reason });
    this.#pathOf(via, source, transport).send(response);
  }

  abandonAll(): void {
    for (const transaction of this.#byKey.values()) transaction.abandon();
    this.#byKey.clear();
  }

  #pathOf(via: Via, source: SipAddress, transport: SipTransport): ResponsePath {
    const route = responseRouteOf(via, source);
    return new ResponsePath(transport, source, route, (bytes, destination) =>
      this.#owner.onSent(bytes, destination),
    );
  }

  #open(key: string, request: SipRequest, path: ResponsePath): AnyServerTransaction {
    const Transaction =
      request.method === 'INVITE' ? ServerInviteTransaction : ServerNonInviteTransaction;
    const transaction = new Transaction(this.#context, key, request, path, () =>
      this.#byKey.delete(key),
    );
    this.#byKey.set(key, transaction);
    return transaction;
  }

  #cancel(base: string, cancel: ServerTransaction): void {
    const invite = this.#byKey.get(`${base} INVITE`);
    if (!(invite instanceof ServerInviteTransaction)) {
      cancel.respond(createResponse(cancel.request, 481));
      return;
    }
    // §9.2: the To tag of the CANCEL's answer and of the INVITE's should be the same.
    cancel.respond(createResponse(cancel.request, 200, { toTag: invite.localTag }));
    invite.receiveCancel(cancel.request);
  }
}

/**
 * What a request shares with its retransmissions, its CANCEL and its ACK: branch and sent-by, or
 * for a client of RFC 2543 the fields §17.2.3 lists. (To is left out: the ACK's has our tag.)
 */
function transactionBaseOf(request: SipRequest, via: Via): string {
  const branch = uniqueBranchOf(via);
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  if (branch !== undefined) return `${branch} ${sentBy}`;
  const fromTag = tagOf(headerOf(request, 'From')) ?? '';
  const callId = headerOf(request, 'Call-ID') ?? '';
  const number = cseqOf(request)?.number ?? 0;
  const oldBranch = via.params.get('branch') ?? '';
  return `2543 ${request.uri} ${fromTag} ${callId} ${number} ${sentBy} ${oldBranch}`;
}
