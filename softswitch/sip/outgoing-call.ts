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
  headersOf,
  setHeader,
  type SipHeaderField,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { formatNameAddr, parseNameAddr, tagOf } from './name-addr.ts';
import { addressOfUri } from './next-hop.ts';
import { sdpOf } from './session-description.ts';
import { requires, supports } from './session-expires.ts';
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
  /** The callee must send its provisional responses reliably: `Require: 100rel` (RFC 3262 §4). */
  requiresReliable?: boolean;
}

/** A call whose INVITE is ours. Set its callbacks in the turn it was made: events come later. */
export class OutgoingCall extends CallLeg {
  /** 101..199; SDP when it has early media. */
  onProvisional: (response: SipResponse, sdp: string | undefined) => void = () => undefined;
  /** An offer in a reliable provisional response, to an INVITE without one. Our answer. */
  onEarlyOffer: ((sdp: string) => string) | undefined;
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
  /** RSeq of the last reliable provisional response, by To tag: each fork counts for itself. */
  readonly #rseqs = new Map<string, number>();

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
      ...this.#extensions(options.requiresReliable === true),
      ...(options.headers ?? []),
    ];
    const body = bodyBytes(options.sdp);
    if (body.length > 0) addContentType(headers, 'application/sdp');
    this.#request = { kind: 'request', method: 'INVITE', uri: to.uri, headers, body };
    this.localSdp = options.sdp;
    this.#transaction = this.#send();
  }

  /** The INVITE as last sent: a retry has a higher CSeq. */
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

  /** We are the one that acknowledges. */
  protected override receivePrack(): undefined {
    return undefined;
  }

  #extensions(requiresReliable: boolean): SipHeaderField[] {
    const { supported } = this.host;
    return [
      ...(supported.length === 0 ? [] : [{ name: 'Supported', value: supported.join(', ') }]),
      ...(requiresReliable ? [{ name: 'Require', value: '100rel' }] : []),
      ...this.sessionTimer.offer(),
    ];
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
    const rseq = this.#reliableNumberOf(response);
    if (rseq === 'repeated') return;
    this.#state = 'alerting';
    this.#openDialog(response);
    const sdp = sdpOf(response);
    if (!this.#isCancelled) this.onProvisional(response, sdp);
    if (rseq === undefined) return;
    const answer =
      sdp === undefined || this.#request.body.length > 0 ? undefined : this.onEarlyOffer?.(sdp);
    const cseq = cseqOf(this.#request)?.number ?? 0;
    const headers = [{ name: 'RAck', value: `${rseq} ${cseq} INVITE` }];
    void this.sendRequest('PRACK', { headers, ...(answer !== undefined && { sdp: answer }) });
  }

  /**
   * The RSeq of a provisional response that wants a PRACK; one that came before, or too early, has
   * had its PRACK or must come again (RFC 3262 §4).
   */
  #reliableNumberOf(response: SipResponse): number | 'repeated' | undefined {
    const rseq = /^\s*(\d{1,10})\s*$/.exec(headerOf(response, 'RSeq') ?? '')?.[1];
    const tag = tagOf(headerOf(response, 'To'));
    const isWanted = supports(this.#request, '100rel') && requires(response, '100rel');
    if (rseq === undefined || tag === undefined || !isWanted) return undefined;
    const last = this.#rseqs.get(tag);
    if (last !== undefined && Number(rseq) !== last + 1) return 'repeated';
    this.#rseqs.set(tag, Number(rseq));
    return Number(rseq);
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
    this.localSdp = this.localSdp ?? sdp;
    this.peerAllows = headersOf(response, 'Allow');
    this.sessionTimer.agreed(response);
    this.firstInviteAnswered();
  }

  #failure(response: SipResponse, from: ResponseOrigin): void {
    const isChallenge = response.statusCode === 401 || response.statusCode === 407;
    if (isChallenge && !this.#isCancelled && (this.digest?.accept(response) ?? false)) {
      this.#retry(this.digest?.headersFor('INVITE', this.#request.uri) ?? []);
      return;
    }
    if (!this.#isCancelled && this.sessionTimer.enlarge(response)) {
      this.#retry(this.sessionTimer.offer()); // RFC 4028 §7.3
      return;
    }
    this.onRejected(response, from);
    this.end(this.#isCancelled ? 'cancelled' : 'rejected');
  }

  /** The same INVITE with the next CSeq and other header fields, in a new transaction (§22.1). */
  #retry(replacing: readonly SipHeaderField[]): void {
    const { uri, body } = this.#request;
    const replaced = new Set(['Via', ...replacing.map(({ name }) => name)]);
    const kept = this.#request.headers.filter(({ name }) => !replaced.has(name));
    const headers = [...kept, ...replacing];
    const number = (cseqOf(this.#request)?.number ?? 0) + 1;
    this.#request = { kind: 'request', method: 'INVITE', uri, headers, body };
    setHeader(this.#request, 'CSeq', `${number} INVITE`);
    this.#state = 'calling';
    this.#rseqs.clear();
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
