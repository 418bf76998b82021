/** The client half of a stack: its transactions by branch and method. */
import { ClientInviteTransaction } from './client-invite-transaction.ts';
import { ClientNonInviteTransaction } from './client-non-invite-transaction.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import { cseqOf } from './cseq.ts';
import { cancelOf } from './derived-messages.ts';
import { FailoverTransaction } from './failover-transaction.ts';
import { isIpLiteral } from './name-service.ts';
import { headersOf, type SipHeaderField, type SipRequest, type SipResponse } from './message.ts';
import { type HopNetwork, RequestHop } from './request-hop.ts';
import type { SipAddress } from './sip-address.ts';
import { newBranch } from './sip-ids.ts';
import type { TransactionContext } from './transaction-context.ts';
import { parseVia } from './via.ts';

type AnyClientTransaction = ClientInviteTransaction | ClientNonInviteTransaction;

export class ClientTransactions {
  readonly #context: TransactionContext;
  readonly #network: HopNetwork;
  readonly #byKey = new Map<string, AnyClientTransaction>();

  constructor(context: TransactionContext, network: HopNetwork) {
    this.#context = context;
    this.#network = network;
  }

  get size(): number {
    return this.#byKey.size;
  }

  start(request: SipRequest, destination: SipAddress, handlers: ClientHandlers): ClientTransaction {
    if (isIpLiteral(destination.host))
      return this.#start(this.#hop(request, destination), handlers);
    // A name may stand for several servers, to be tried in turn.
    return new FailoverTransaction(
      request,
      destination,
      handlers,
      (attempt, to, attemptHandlers) => {
        const hop = this.#hop(attempt, to);
        const transaction = this.#start(hop, attemptHandlers);
        return { transaction, alternatives: () => hop.alternatives };
      },
    );
  }

  #hop(request: SipRequest, destination: SipAddress): RequestHop {
    return new RequestHop(this.#network, request, newBranch(), destination);
  }

  #start(hop: RequestHop, handlers: ClientHandlers): ClientTransaction {
    if (hop.request.method !== 'INVITE') return this.#startNonInvite(hop, handlers);
    const transaction = new ClientInviteTransaction(this.#context, hop, handlers, {
      sendCancel: (inviteHop, headers) => this.#sendCancel(inviteHop, headers),
      onTerminated: (ended) => this.#byKey.delete(keyOf(ended.id, 'INVITE')),
    });
    this.#byKey.set(keyOf(hop.branch, 'INVITE'), transaction);
    transaction.start();
    return transaction;
  }

  /** False for a response nobody waits for. */
  receive(response: SipResponse, source: SipAddress): boolean {
    const via = parseVia(headersOf(response, 'Via')[0] ?? '');
    const branch = via?.params.get('branch');
    const method = cseqOf(response)?.method;
    if (branch === undefined || method === undefined) return false;
    const transaction = this.#byKey.get(keyOf(branch, method));
    transaction?.receive(response, source);
    return transaction !== undefined;
  }

  /** Fails what has been sent there and is unanswered (RFC 3261 §18.4: inform the user). */
  destinationUnreachable(destination: SipAddress, problem: string): void {
    const { protocol, host, port } = destination;
    const failed: AnyClientTransaction[] = [];
    for (const transaction of this.#byKey.values()) {
      if (!transaction.awaitsFirstResponse) continue;
      const { destination: own } = transaction;
      if (own.port === port && own.host === host && own.protocol === protocol) {
        failed.push(transaction);
      }
    }
    // Collected first: what a user sends anew from its handler has not failed.
    for (const transaction of failed) transaction.onFailure(problem);
  }

  abandonAll(): void {
    for (const transaction of this.#byKey.values()) transaction.abandon();
    this.#byKey.clear();
  }

  #startNonInvite(hop: RequestHop, handlers: ClientHandlers): ClientTransaction {
    const key = keyOf(hop.branch, hop.request.method);
    const transaction = new ClientNonInviteTransaction(this.#context, hop, handlers, () =>
      this.#byKey.delete(key),
    );
    this.#byKey.set(key, transaction);
    transaction.start();
    return transaction;
  }

  #sendCancel(inviteHop: RequestHop, headers: readonly SipHeaderField[] | undefined): void {
    const hop = inviteHop.follow(cancelOf(inviteHop.request, headers));
    this.#startNonInvite(hop, { onResponse: () => undefined });
  }
}

function keyOf(branch: string, method: string): string {
  return `${branch} ${method}`;
}
