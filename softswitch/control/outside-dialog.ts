/** What clients send outside dialogs: new requests, and CANCEL for an INVITE of theirs. */
import { randomUUID } from 'node:crypto';
import { cancelOf } from '../sip/derived-messages.ts';
import { headerOf, serializeSipMessage, type SipRequest } from '../sip/message.ts';
import { tagOf } from '../sip/name-addr.ts';
import { addressOfUri } from '../sip/next-hop.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import { parseSipUri } from '../sip/sip-uri.ts';
import type { SipDraft } from './client-message.ts';
import type { ControlSession } from './control-session.ts';
import { DialogRecord } from './dialog-table.ts';
import { sentMeta } from './message-meta.ts';
import { ClientFault, formsDialog, newRequest, ownHeaders } from './new-request.ts';
import { OutgoingInvite } from './outgoing-invite.ts';
import { RequestEcho } from './request-echo.ts';
import type { SessionTimers } from './session-timers.ts';
import { hopOf, type SwitchContext } from './switch-context.ts';

export class OutsideDialogRequests {
  readonly #context: SwitchContext;
  readonly #sessionTimers: SessionTimers;
  /** INVITEs without a final response, and those with a 2xx until their transaction ends. */
  readonly #invites = new Map<string, OutgoingInvite>();

  constructor(context: SwitchContext, sessionTimers: SessionTimers) {
    this.#context = context;
    this.#sessionTimers = sessionTimers;
  }

  get invitesInProgress(): number {
    return this.#invites.size;
  }

  /** `route` is the client's outbound proxy: it decides the next hop, not the Request-URI. */
  send(client: ControlSession, messageId: string, draft: SipDraft, route: string): void {
    const { start } = draft;
    if (start.kind !== 'request') return; // responses go elsewhere
    const target = start.uri;
    const nextHop = this.#nextHop(route === '' ? target : route, start.method);
    const local = this.#context.stack.contactAddress(nextHop);
    const request = newRequest(draft, local);
    if (isSame(addressOfUri(target, local.protocol), local))
      throw new ClientFault('can not send request to myself');
    const transactionId = randomUUID();
    const destination = route === '' ? undefined : nextHop;
    if (formsDialog(request.method)) {
      this.#sendInvite(client, messageId, transactionId, request, { destination, local });
    } else this.#sendOther(client, messageId, transactionId, request, destination);
  }

  cancel(client: ControlSession, messageId: string, transactionId: string, draft: SipDraft): void {
    const invite = this.#invites.get(transactionId);
    const transaction = invite?.transaction;
    if (invite === undefined || transaction === undefined) {
      throw new ClientFault(`unable to cancel unknown transaction id: ${transactionId}`);
    }
    if (invite.final) {
      throw new ClientFault(`internal server error canceling transaction id: ${transactionId}`);
    }
    invite.cancelled = true;
    const local = this.#context.stack.contactAddress(transaction.destination);
    const headers = ownHeaders(draft, local).filter(({ name }) => !CANCEL_OWN.has(name));
    transaction.cancel(headers);
    // The CANCEL as it goes out, with the INVITE's Via: it shows the client what was sent.
    const sent = cancelOf(transaction.request, headers);
    sent.headers.unshift(...transaction.request.headers.slice(0, 1));
    const bytes = serializeSipMessage(sent);
    client.requestSent(messageId, sentMeta(bytes.length, local), randomUUID(), bytes);
  }

  #sendInvite(
    client: ControlSession,
    messageId: string,
    transactionId: string,
    request: SipRequest,
    path: { destination: SipAddress | undefined; local: SipAddress },
  ): void {
    const { local } = path;
    const callId = headerOf(request, 'Call-ID') ?? '';
    const localTag = tagOf(headerOf(request, 'From')) ?? '';
    const dialog = new DialogRecord({
      callId,
      localTag,
      fromTag: localTag,
      method: request.method,
      client,
      local,
      contact: headerOf(request, 'Contact') ?? '',
      localSdp: request.body.length === 0 ? undefined : request.body,
    });
    const invite = new OutgoingInvite(this.#context, client, transactionId, request, dialog);
    this.#invites.set(transactionId, invite);
    this.#context.dialogs.add(dialog);
    const echo = new RequestEcho(client, messageId, transactionId, this.#context);
    invite.transaction = this.#context.stack.send(request, hopOf(path.destination), {
      onResponse: (response, from) => {
        if (response.statusCode === 100 || !invite.receive(response, from)) return;
        echo.deliver(response, from, dialog.id);
        if (response.statusCode >= 300) this.#invites.delete(transactionId);
        else if (response.statusCode >= 200 && request.method === 'INVITE') {
          this.#sessionTimers.answered(dialog, response, 'uac');
        }
      },
      onTerminated: () => {
        this.#invites.delete(transactionId);
        invite.terminated();
      },
    });
    echo.sent(invite.transaction);
    if (request.method === 'INVITE') this.#context.records.attempt('application', request);
  }

  #sendOther(
    client: ControlSession,
    messageId: string,
    transactionId: string,
    request: SipRequest,
    destination: SipAddress | undefined,
  ): void {
    const echo = new RequestEcho(client, messageId, transactionId, this.#context);
    const transaction = this.#context.stack.send(request, hopOf(destination), {
      onResponse: (response, from) => {
        if (response.statusCode > 100) echo.deliver(response, from, '');
      },
    });
    echo.sent(transaction);
  }

  /** Where a new request goes first, and over a transport we have. */
  #nextHop(uri: string, method: string): SipAddress {
    const { listening } = this.#context.stack;
    const ours = PREFERENCE.filter((one) => listening.some(({ protocol }) => protocol === one));
    const address = addressOfUri(uri, ours[0] ?? 'udp');
    if (address !== undefined && ours.includes(address.protocol)) return address;
    const isReadable = parseSipUri(uri) !== undefined;
    if (isReadable) throw new ClientFault('requested protocol/transport not available');
    throw new ClientFault(`invalid request-uri: ${method} ${uri} SIP/2.0`);
  }
}

const PREFERENCE = ['udp', 'tcp', 'tls'] as const;

function isSame(address: SipAddress | undefined, own: SipAddress): boolean {
  if (address?.port !== own.port) return false;
  return address.host === own.host || (address.host === 'localhost' && own.host === '127.0.0.1');
}

/** Not the client's to set on a CANCEL: they are the INVITE's (RFC 3261 §9.1). */
const CANCEL_OWN = new Set(['From', 'To', 'Call-ID', 'CSeq', 'Contact', 'P-Asserted-Identity']);
