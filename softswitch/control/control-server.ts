/**
 * The control protocol's TCP server: takes clients in, reads what they want, and hands it to the part
 * that does it. Nothing a client sends may do more harm than end its own connection.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { formatHostPort } from '../sip/sip-uri.ts';
import { parseSipDraft, type ClientMessage, type SipDraft } from './client-message.ts';
import type { ClientResponses } from './client-responses.ts';
import { ControlSession } from './control-session.ts';
import type { FromNetwork } from './from-network.ts';
import type { InsideDialogRequests } from './inside-dialog.ts';
import { ClientFault } from './new-request.ts';
import type { OutsideDialogRequests } from './outside-dialog.ts';
import { endLeftBehind } from './server-bye.ts';
import type { SwitchContext } from './switch-context.ts';

/** The release whose protocol this is; drachtio-srf switches features on by it. */
const PROTOCOL_VERSION = 'v0.9.10';

export interface ControlParts {
  readonly outside: OutsideDialogRequests;
  readonly inside: InsideDialogRequests;
  readonly responses: ClientResponses;
  readonly fromNetwork: FromNetwork;
}

interface Limits {
  readonly secret: string;
  readonly clientGoneMs: number;
}

/** Longer than any client takes to connect again: what is ended then, nobody attends. */
const CLIENT_GONE_MS = 120_000;

export class ControlServer {
  readonly #context: SwitchContext;
  readonly #parts: ControlParts & Limits;
  readonly #sessions = new Set<ControlSession>();
  readonly #server: Server;
  #isClosing = false;

  private constructor(context: SwitchContext, parts: ControlParts & Limits) {
    this.#context = context;
    this.#parts = parts;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async open(
    context: SwitchContext,
    parts: ControlParts,
    options: {
      readonly host: string;
      readonly port: number;
      readonly secret: string;
      readonly clientGoneMs?: number;
    },
  ): Promise<ControlServer> {
    const { secret, clientGoneMs = CLIENT_GONE_MS } = options;
    const server = new ControlServer(context, { ...parts, secret, clientGoneMs });
    server.#server.listen(options.port, options.host);
    await once(server.#server, 'listening'); // rejects with the socket's error
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get clients(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of [...this.#sessions]) session.close();
    await closed;
  }

  #accept(socket: Socket): void {
    const { stack } = this.#context;
    const hostPorts = stack.listening
      .map((address) => stack.contactAddress(address))
      .map(({ protocol, host, port }) => `${protocol}/${formatHostPort(host, port)}`)
      .sort() // tcp before udp, as drachtio-server lists them
      .join(',');
    const session = new ControlSession({
      socket,
      secret: this.#parts.secret,
      welcome: `${hostPorts}|${PROTOCOL_VERSION}|${hostPorts}`,
      onAuthenticated: (client) => this.#context.router.join(client),
      onMessage: (client, message) => this.#receive(client, message),
      onClosed: (client) => this.#left(client),
    });
    this.#sessions.add(session);
  }

  #receive(client: ControlSession, message: ClientMessage): void {
    switch (message.type) {
      case 'route':
        this.#context.router.addRoute(client, message.args[0] ?? '');
        client.accept(message.id);
        break;
      case 'remove_route':
        this.#context.router.removeRoute(client, message.args[0] ?? '');
        client.accept(message.id);
        break;
      case 'sip':
        this.#receiveSip(client, message);
        break;
      case 'proxy':
        client.refuse(message.id, 'proxying is not supported by this server');
        break;
      default:
        client.refuseAndClose(message.id, 'Unknown message type');
    }
  }

  #receiveSip(client: ControlSession, message: ClientMessage): void {
    const draft = parseSipDraft(message.sip ?? Buffer.alloc(0));
    try {
      if (draft === undefined) throw new ClientFault('unable to parse the SIP message');
      this.#dispatch(client, message, draft);
    } catch (error) {
      if (!(error instanceof ClientFault)) throw error;
      client.refuse(message.id, oneLine(error.message));
    }
  }

  #dispatch(client: ControlSession, message: ClientMessage, draft: SipDraft): void {
    const { id } = message;
    const [transactionId = '', dialogId = '', route = ''] = message.args;
    const { outside, inside, responses } = this.#parts;
    if (draft.start.kind === 'response') {
      if (transactionId === '') throw new ClientFault('transaction id missing');
      responses.send(client, id, transactionId, draft);
    } else if (dialogId !== '') inside.send(client, id, dialogId, draft);
    else if (draft.start.method === 'CANCEL') outside.cancel(client, id, transactionId, draft);
    else if (transactionId !== '') {
      throw new ClientFault('only CANCEL can be sent inside a transaction');
    } else {
      const callId = draft.headers.find(({ name }) => name === 'Call-ID')?.value;
      const known = callId === undefined ? undefined : this.#context.dialogs.byCallId(callId);
      if (known !== undefined) inside.send(client, id, known.id, draft);
      else outside.send(client, id, draft, route);
    }
  }

  /** Its dialogs stay, for a client of the same tag; what nobody else can finish is ended. */
  #left(client: ControlSession): void {
    this.#sessions.delete(client);
    this.#context.router.leave(client);
    this.#parts.fromNetwork.abandon(client);
    this.#parts.inside.abandon(client);
    const { clientGoneMs } = this.#parts;
    // Without a tag it could not take its calls over again.
    const hasCalls = [...this.#context.dialogs.values()].some((one) => one.client === client);
    if (this.#isClosing || client.tags.size === 0 || !hasCalls) return;
    this.#context.timers.schedule(clientGoneMs, () => endLeftBehind(this.#context, client));
  }
}

/** An error text is one token of a frame: no line break, no separator. */
function oneLine(text: string): string {
  return text.replace(/[\r\n|]+/g, ' ');
}
