/** Dialogs (RFC 3261 §12): what both sides must remember to speak inside one. */
import { addContentType, bodyBytes } from './create-response.ts';
import { cseqOf } from './cseq.ts';
import {
  headerOf,
  headersOf,
  type SipHeaderField,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { parseNameAddr, tagOf } from './name-addr.ts';
import { parseSipUri } from './sip-uri.ts';

export interface InDialogMessageOptions {
  headers?: readonly SipHeaderField[];
  body?: Buffer | string;
  /** Default application/sdp when there is a body. */
  contentType?: string;
}

interface DialogState {
  readonly callId: string;
  readonly localParty: string;
  readonly remoteParty: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  readonly localCSeq: number;
  readonly remoteCSeq: number | undefined;
}

const CSEQ_START_MAX = 0x7fff_ffff; // §8.1.1.5: below 2^31

export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From or To value as we write it, tag included. */
  readonly localParty: string;
  readonly remoteParty: string;
  /** Route values in the order we send them. */
  readonly routeSet: readonly string[];
  /** URI of the peer's Contact; target refreshes (re-INVITE, UPDATE) change it. */
  remoteTarget: string;
  localCSeq: number;
  remoteCSeq: number | undefined;

  private constructor(state: DialogState) {
    this.callId = state.callId;
    this.localParty = state.localParty;
    this.remoteParty = state.remoteParty;
    this.localTag = tagOf(state.localParty) ?? '';
    this.remoteTag = tagOf(state.remoteParty) ?? ''; // RFC 2543 peers send none (§12.1.1)
    this.routeSet = state.routeSet;
    this.remoteTarget = state.remoteTarget;
    this.localCSeq = state.localCSeq;
    this.remoteCSeq = state.remoteCSeq;
  }

  /** From our request and a 101..2xx response with a To tag (§12.1.2). */
  static fromUac(request: SipRequest, response: SipResponse): Dialog {
    return new Dialog({
      callId: headerOf(request, 'Call-ID') ?? '',
      localParty: headerOf(request, 'From') ?? '',
      remoteParty: headerOf(response, 'To') ?? '',
      routeSet: headersOf(response, 'Record-Route').reverse(),
      remoteTarget: contactUriOf(response) ?? request.uri,
      localCSeq: cseqOf(request)?.number ?? 0,
      remoteCSeq: undefined,
    });
  }

  /** From the request received and the response we send, whose To has our tag (§12.1.1). */
  static fromUas(request: SipRequest, response: SipResponse): Dialog {
    return new Dialog({
      callId: headerOf(request, 'Call-ID') ?? '',
      localParty: headerOf(response, 'To') ?? '',
      remoteParty: headerOf(request, 'From') ?? '',
      routeSet: headersOf(request, 'Record-Route'),
      remoteTarget:
        contactUriOf(request) ?? parseNameAddr(headerOf(request, 'From') ?? '')?.uri ?? '',
      localCSeq: Math.floor(Math.random() * 10_000), // arbitrary (§12.1.1); no secret
      remoteCSeq: cseqOf(request)?.number,
    });
  }

  /** From a 2xx alone, for an answer whose request is forgotten: enough for ACK and BYE. */
  static fromStrayAnswer(response: SipResponse): Dialog {
    const remoteParty = headerOf(response, 'To') ?? '';
    return new Dialog({
      callId: headerOf(response, 'Call-ID') ?? '',
      localParty: headerOf(response, 'From') ?? '',
      remoteParty,
      routeSet: headersOf(response, 'Record-Route').reverse(),
      remoteTarget: contactUriOf(response) ?? parseNameAddr(remoteParty)?.uri ?? '',
      localCSeq: cseqOf(response)?.number ?? 0,
      remoteCSeq: undefined,
    });
  }

  /** `callId;localTag;remoteTag` */
  get id(): string {
    return `${this.callId};${this.localTag};${this.remoteTag}`;
  }

  /** The dialog a received request belongs to; undefined outside any (no tag in To). */
  static idOfRequest(request: SipRequest): string | undefined {
    const localTag = tagOf(headerOf(request, 'To'));
    if (localTag === undefined) return undefined;
    const remoteTag = tagOf(headerOf(request, 'From')) ?? '';
    return `${headerOf(request, 'Call-ID') ?? ''};${localTag};${remoteTag}`;
  }

  /** Next CSeq, Route set applied (§12.2.1.1). Contact is the caller's to add. */
  createRequest(method: string, options: InDialogMessageOptions = {}): SipRequest {
    this.localCSeq = this.localCSeq >= CSEQ_START_MAX ? 1 : this.localCSeq + 1;
    return this.#create(method, this.localCSeq, options);
  }

  /** ACK to a 2xx of the INVITE with that CSeq number (§13.2.2.4). */
  createAck(inviteCSeq: number, options: InDialogMessageOptions = {}): SipRequest {
    return this.#create('ACK', inviteCSeq, options);
  }

  /** False when the CSeq went backwards: answer 500 (§12.2.2). Records it otherwise. */
  acceptRemoteCSeq(request: SipRequest): boolean {
    const number = cseqOf(request)?.number;
    if (number === undefined) return false;
    if (this.remoteCSeq !== undefined && number < this.remoteCSeq) return false;
    this.remoteCSeq = number;
    return true;
  }

  /** Takes the Contact of a target refresh request or of its 2xx (§12.2). */
  refreshTarget(message: SipMessage): void {
    this.remoteTarget = contactUriOf(message) ?? this.remoteTarget;
  }

  #create(method: string, cseq: number, options: InDialogMessageOptions): SipRequest {
    const [first] = this.routeSet;
    const firstUri = first === undefined ? undefined : parseNameAddr(first)?.uri;
    // A first hop without lr is a strict router of RFC 2543: it is the Request-URI itself, and the
    // target travels as the last Route.
    const isStrict = firstUri !== undefined && parseSipUri(firstUri)?.params.has('lr') === false;
    const routes = isStrict ? [...this.routeSet.slice(1), `<${this.remoteTarget}>`] : this.routeSet;
    const headers: SipHeaderField[] = [
      ...routes.map((value) => ({ name: 'Route', value })),
      { name: 'From', value: this.localParty },
      { name: 'To', value: this.remoteParty },
      { name: 'Call-ID', value: this.callId },
      { name: 'CSeq', value: `${cseq} ${method}` },
      ...(options.headers ?? []),
    ];
    const body = bodyBytes(options.body);
    if (body.length > 0) addContentType(headers, options.contentType);
    const uri = isStrict ? firstUri : this.remoteTarget;
    return { kind: 'request', method, uri, headers, body };
  }
}

function contactUriOf(message: SipMessage): string | undefined {
  const contact = headersOf(message, 'Contact')[0];
  return contact === undefined ? undefined : parseNameAddr(contact)?.uri;
}
