/**
 * Which connected client gets a request from the network: clients say by `route|<verb>` what they
 * want, and take turns. In a dialog the client that set it up gets everything; when it has gone, a
 * client with one of the same tags takes over.
 */

/** The part of a session the choice depends on. */
export interface RoutableClient {
  readonly tags: ReadonlySet<string>;
}

interface Takers<C> {
  readonly clients: C[];
  /** Where the next search begins. */
  next: number;
}

export class ClientRouter<C extends RoutableClient> {
  readonly #clients = new Set<C>();
  readonly #takersByVerb = new Map<string, Takers<C>>();
  #nextSuccessor = 0;

  get size(): number {
    return this.#clients.size;
  }

  isConnected(client: C): boolean {
    return this.#clients.has(client);
  }

  join(client: C): void {
    this.#clients.add(client);
  }

  leave(client: C): void {
    this.#clients.delete(client);
    for (const verb of [...this.#takersByVerb.keys()]) this.removeRoute(client, verb);
  }

  /** drachtio-srf sends its earlier verbs again with each new one: asking twice changes nothing. */
  addRoute(client: C, verb: string): void {
    const key = verb.toLowerCase();
    const takers = this.#takersByVerb.get(key);
    if (takers === undefined) this.#takersByVerb.set(key, { clients: [client], next: 0 });
    else if (!takers.clients.includes(client)) takers.clients.push(client);
  }

  removeRoute(client: C, verb: string): void {
    const key = verb.toLowerCase();
    const takers = this.#takersByVerb.get(key);
    const index = takers?.clients.indexOf(client) ?? -1;
    if (takers === undefined || index < 0) return;
    takers.clients.splice(index, 1);
    if (index < takers.next) takers.next -= 1; // nobody's turn is skipped because another left
    if (takers.clients.length === 0) this.#takersByVerb.delete(key);
  }

  /** The client whose turn it is among those that asked for this method or `cdr:` event. */
  select(verb: string): C | undefined {
    const takers = this.#takersByVerb.get(verb.toLowerCase());
    if (takers === undefined) return undefined;
    const index = takers.next % takers.clients.length;
    takers.next = index + 1;
    return takers.clients[index];
  }

  /** A connected client sharing a tag with `gone`; those that qualify take turns. */
  successorOf(gone: C): C | undefined {
    const heirs = [...this.#clients].filter(
      (client) => client !== gone && [...gone.tags].some((tag) => client.tags.has(tag)),
    );
    if (heirs.length === 0) return undefined;
    this.#nextSuccessor = (this.#nextSuccessor + 1) % heirs.length;
    return heirs[this.#nextSuccessor];
  }
}
