import { ackOfAnswer } from './ack-of-answer.ts';
import type { CallHost } from './call-host.ts';
import { CallLeg } from './call-leg.ts';
import type { ClientTransaction, ResponseOrigin } from './client-transaction.ts';
import { addContentType, bodyBytes } from './create-response.ts';
import { cseqOf } from './cseq.ts';
import { Dialog } from './dialog.ts';
import type { DigestCredentials } from './digest.ts';
import { DigestClient } from './digest-client.ts';
import {
  headerOf,
  setHeader,
  type SipHeaderField,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { formatNameAddr, parseNameAddr, tagOf } from './name-addr.ts';
import { addressOfUri } from './next-hop.ts';
import { sdpOf } from './session-description.ts';
import type { SipAddress } from './sip-address.ts';
import { newCallId, newTag } from './sip-ids.ts';

export type OutgoingCallState = 'calling' | 'alerting' | 'confirmed' | 'ended';

export interface InviteOptions {
  /** Request-URI and To: a URI, or name-addr with display name. */
  to: string;
  from: string;
  /** Next hop, when it is not what the Request-URI says. */
  destination?: SipAddress;
  headers?: readonly SipHeaderField[];
  sdp?: string;
  credentials?: DigestCredentials;
}

/** A call whose INVITE is ours. Set its callbacks in the turn it was made: events come later. */
export class OutgoingCall extends CallLeg {
  /** 101..199; SDP when it has early media. */
  onProvisional: (response: SipResponse, sdp: string | undefined) => void = () => undefined;
  /** First 2xx. Returns the SDP answer for the ACK when the INVITE carried no offer. */
  onAnswer: (response: SipResponse, sdp: string | undefined) => string | undefined = () =>
    undefined;
  /** Final failure, after digest retries; onEnded('rejected' or 'cancelled') follows. */
  onRejected: (response: SipResponse, from: ResponseOrigin) => void = () => undefined;
  readonly callId: string;
  readonly localTag: string;
  readonly #destination: SipAddress | undefined;
  #request: SipRequest;
  #transaction: ClientTransaction;
  #state: Exclude<OutgoingCallState, 'ended'> = 'calling';
  #isCancelled = false;
  #cancelHeaders: readonly SipHeaderField[] | undefined;
  #ack: SipRequest | undefined;

  constructor(host: CallHost, options: InviteOptions) {
    const to = readParty(options.to);
    const unresolved: SipAddress = { protocol: 'udp', host: '127.0.0.1', port: 0 };
    const peer = options.destination ?? addressOfUri(to.uri, 'udp') ?? unresolved;
    super(host, peer, true);
    this.callId = newCallId();
    this.localTag = newTag();
    this.#destination = options.destination;
    if (options.credentials !== undefined) this.digest = new DigestClient(options.credentials);
    const from = readParty(options.from);
    const headers: SipHeaderField[] = [
      { name: 'From', value: `${from.header};tag=${this.localTag}` },
      { name: 'To', value: to.header },
      { name: 'Call-ID', value: this.callId },
      { name: 'CSeq', value: '1 INVITE' },
      host.contactFor(peer),
      ...host.requestHeaders,
      ...(options.headers ?? []),
    ];
    const body = bodyBytes(options.sdp);
    if (body.length > 0) addContentType(headers, 'application/sdp');
    this.#request = { kind: 'request', method: 'INVITE', uri: to.uri, headers, body };
    this.#transaction = this.#send();
  }

  /** The INVITE as last sent: a digest retry has a higher CSeq. */
  get request(): SipRequest {
    return this.#request;
  }

  get state(): OutgoingCallState {
    return this.isEnded ? 'ended' : this.#state;
  }

  /** Until the answer; then nothing happens. A 2xx that crosses it is acknowledged and ended. */
  cancel(headers?: readonly SipHeaderField[]): void {
    if (this.isEnded || this.#state === 'confirmed' || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#cancelHeaders = headers;
    this.#transaction.cancel(headers);
  }

  /** Before the answer this is a CANCEL. */
  bye(headers?: readonly SipHeaderField[]): void {
    if (this.#state === 'confirmed') this.sendBye(headers);
    else this.cancel(headers);
  }

  #send(): ClientTransaction {
    const options = this.#destination === undefined ? {} : { destination: this.#destination };
    return this.host.stack.send(this.#request, options, {
      onResponse: (response, from) => this.#receive(response, from),
    });
  }

  #receive(response: SipResponse, from: ResponseOrigin): void {
    const { statusCode } = response;
    if (from.address !== undefined) this.peer = from.address;
    if (statusCode === 100) return;
    if (statusCode < 200) this.#provisional(response);
    else if (statusCode < 300) this.#success(response);
    else if (!this.isEnded) this.#failure(response, from);
  }

  #provisional(response: SipResponse): void {
    if (this.isEnded || this.#state === 'confirmed') return;
    this.#state = 'alerting';
    this.#openDialog(response);
    if (!this.#isCancelled) this.onProvisional(response, sdpOf(response));
  }

  #success(response: SipResponse): void {
    const isOurs = tagOf(headerOf(response, 'To')) === this.dialog?.remoteTag;
    if (this.#ack !== undefined && isOurs) {
      this.host.stack.sendAck(this.#ack); // repeated: our ACK was lost
      return;
    }
    if (this.#ack !== undefined || this.isEnded) {
      this.host.unwantedAnswers.end(response); // another branch of a fork (§13.2.2.4)
      return;
    }
    if (this.#isCancelled) {
      this.host.unwantedAnswers.end(response, this.#cancelHeaders); // crossed our CANCEL
      this.end('cancelled');
      return;
    }
    this.#confirm(response);
  }

  #confirm(response: SipResponse): void {
    const dialog = this.#openDialog(response);
    this.#state = 'confirmed';
    const sdp = this.onAnswer(response, sdpOf(response));
    const hasOffer = this.#request.body.length > 0;
    this.#ack = ackOfAnswer(dialog, this.#request, hasOffer ? undefined : sdp);
    this.host.stack.sendAck(this.#ack);
    this.firstInviteAnswered();
  }

  #failure(response: SipResponse, from: ResponseOrigin): void {
    const isChallenge = response.statusCode === 401 || response.statusCode === 407;
    if (isChallenge && !this.#isCancelled && (this.digest?.accept(response) ?? false)) {
      this.#retryWithCredentials();
      return;
    }
    this.onRejected(response, from);
    this.end(this.#isCancelled ? 'cancelled' : 'rejected');
  }

  /** The same INVITE with the next CSeq, in a new transaction (§22.1). */
  #retryWithCredentials(): void {
    const { uri, body } = this.#request;
    const kept = this.#request.headers.filter(
      ({ name }) => name !== 'Via' && name !== 'Authorization' && name !== 'Proxy-Authorization',
    );
    const headers = [...kept, ...(this.digest?.headersFor('INVITE', uri) ?? [])];
    const number = (cseqOf(this.#request)?.number ?? 0) + 1;
    this.#request = { kind: 'request', method: 'INVITE', uri, headers, body };
    setHeader(this.#request, 'CSeq', `${number} INVITE`);
    this.#state = 'calling';
    this.dialog = undefined; // an early one belongs to the INVITE that was refused
    this.#transaction = this.#send();
  }

  /** Early or confirmed; the 2xx has the last word on route set and target (§13.2.2.4). */
  #openDialog(response: SipResponse): Dialog {
    const early = this.dialog;
    const dialog = Dialog.fromUac(this.#request, response);
    if (early !== undefined && early.id === dialog.id) {
      dialog.localCSeq = early.localCSeq; // requests sent in the early dialog have counted on
      dialog.remoteCSeq = early.remoteCSeq;
    }
    this.dialog = dialog;
    this.host.dialogOpened(dialog.id, this);
    return dialog;
  }
}

function readParty(text: string): { uri: string; header: string } {
  const party = parseNameAddr(text);
  if (party === undefined) return { uri: text, header: `<${text}>` };
  const { displayName, uri } = party;
  return { uri, header: formatNameAddr(uri, displayName === undefined ? {} : { displayName }) };
}
