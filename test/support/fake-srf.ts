/**
 * drachtio-srf as the gateway uses it, without a switch: the test is the switch. It says when the
 * connection is up, what each INVITE meets, and which requests are never answered, which is what real
 * srf does when its connection drops.
 */
import { EventEmitter } from 'node:events';
import type {
  DrachtioAgent,
  InviteOptions,
  RequestOptions,
  SipDialog,
  SipFailure,
  SipRequest,
  SipResponse,
  SrfPort,
} from '../../gateway/sip/srf.port.ts';

type Headers = Record<string, string>;

/** Anything with headers: requests and responses alike, with the emitter that srf gives both. */
class FakeMessage extends EventEmitter {
  body: string | undefined;
  source: 'network' | 'application' = 'network';
  source_address = '192.0.2.9';
  stackTxnId = 'txn-1';
  stackDialogId: string | undefined;
  method = '';
  uri = '';
  status = 0;
  reason = '';
  readonly headers: Headers;
  readonly sent: { status: number; body?: string }[] = [];
  cancelled = 0;

  constructor(headers: Headers) {
    super();
    this.headers = headers;
  }

  get(name: string): string | undefined {
    const found = Object.keys(this.headers).find((key) => key.toLowerCase() === name.toLowerCase());
    return found === undefined ? undefined : this.headers[found];
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Of the last response sent. */
  sentHeaders: Headers = {};

  send(status: number, options: { body?: string; headers?: Headers } = {}): void {
    this.sentHeaders = options.headers ?? {};
    this.sent.push({ status, ...(options.body === undefined ? {} : { body: options.body }) });
  }

  cancel(callback: (error: Error | null) => void): void {
    this.cancelled += 1;
    callback(null);
  }
}

export type FakeSipMessage = FakeMessage & SipRequest & SipResponse;

export function fakeResponse(
  status: number,
  reason: string,
  more: { headers?: Headers; body?: string; madeUp?: boolean; dialogId?: string } = {},
): FakeSipMessage {
  const response = new FakeMessage({ 'Call-ID': 'call-1', ...more.headers });
  Object.assign(response, { status, reason, body: more.body, stackDialogId: more.dialogId });
  if (more.madeUp === true) response.source_address = '';
  return response;
}

export function fakeRequest(method: string, more: { headers?: Headers; body?: string } = {}) {
  const request = new FakeMessage({ ...more.headers });
  Object.assign(request, { method, uri: 'sip:us@192.0.2.1', body: more.body });
  return request;
}

export const FAR_SDP = [
  ...['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0'],
  ...['m=audio 40000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', ''],
].join('\r\n');

/** One INVITE as the switch sees it. */
export class FakeInvite {
  readonly uri: string;
  readonly options: InviteOptions;
  readonly callId: string;
  readonly request: FakeSipMessage;
  dialog: (SipDialog & EventEmitter) | undefined;
  readonly #progress: Parameters<SrfPort['createUAC']>[2];
  readonly #done: Parameters<SrfPort['createUAC']>[3];

  constructor(number: number, args: Parameters<SrfPort['createUAC']>) {
    [this.uri, this.options, this.#progress, this.#done] = args;
    this.callId = `call-${number}`;
    this.request = fakeRequest('INVITE', {
      headers: { 'Call-ID': this.callId, From: '<sip:us@h>;tag=our', CSeq: '10 INVITE' },
    });
    Object.assign(this.request, { uri: this.uri, stackTxnId: `txn-${number}` });
  }

  /** The switch says that the INVITE has left. */
  echo(): this {
    this.#progress.cbRequest(null, this.request);
    return this;
  }

  provisional(status: number, sdp?: string): this {
    this.#progress.cbProvisional(fakeResponse(status, '', sdp === undefined ? {} : { body: sdp }));
    return this;
  }

  /** 407, or 401, with one or several challenges; the next INVITE answers it. */
  challenge(asked = 'Digest realm="r", nonce="n", qop="auth"', status = 407): this {
    const name = status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const headers = {
      ...{ 'Call-ID': this.callId, CSeq: this.options.headers['CSeq'] ?? '10 INVITE' },
      ...{ From: '<sip:us@h>;tag=our', To: '<sip:them@h>;tag=proxy', [name]: asked },
    };
    return this.reject(fakeResponse(status, 'Authentication Required', { headers }));
  }

  /** null: a 200 without a body. */
  answer(sdp: string | null = FAR_SDP): this {
    const headers = {
      ...{ 'Call-ID': this.callId, Contact: '<sip:far@192.0.2.9:5070>', CSeq: '10 INVITE' },
      ...{ From: '<sip:us@h>;tag=our', To: '<sip:far@h>;tag=far' },
    };
    const res = fakeResponse(200, 'OK', { headers, ...(sdp === null ? {} : { body: sdp }) });
    const dialog = Object.assign(new EventEmitter(), {
      id: `${this.callId};from-tag=our`,
      sip: { callId: this.callId, localTag: 'our', remoteTag: 'far' },
      local: { sdp: this.options.localSdp ?? '' },
      remote: { sdp: sdp ?? undefined, uri: 'sip:far@192.0.2.9:5070' },
      req: this.request,
      res,
      modify: () => Promise.resolve(''),
      destroy: () => Promise.resolve(undefined),
    }) as EventEmitter & SipDialog;
    this.dialog = dialog;
    this.#done(null, dialog);
    return this;
  }

  /** srf's error for a final response that builds no dialog: also 202, and a 200 without Contact. */
  reject(response: SipResponse): this {
    const error: SipFailure = Object.assign(new Error(`Sip non-success response`), {
      status: response.status,
      res: response,
    });
    this.#done(error);
    return this;
  }

  refuse(problem: string): this {
    this.#done(new Error(problem));
    return this;
  }

  /** The far end hangs up; or the switch by itself. */
  bye(more: { headers?: Headers; body?: string; bySwitch?: boolean } = {}): this {
    const { headers = {}, body } = more;
    const bye = fakeRequest('BYE', { headers, ...(body === undefined ? {} : { body }) });
    if (more.bySwitch === true) bye.source = 'application';
    this.dialog?.emit('destroy', bye, '');
    return this;
  }
}

/** The far end asks something inside the dialog; the answer's sent codes come back. */
export function askInDialog(
  invite: FakeInvite,
  method: 'INFO' | 'REFER',
  more: { headers?: Headers; body?: string } = {},
): number[] {
  const request = fakeRequest(method, more);
  const response = fakeResponse(0, '');
  invite.dialog?.emit(method.toLowerCase(), request, response);
  return response.sent.map(({ status }) => status);
}

/** One request outside createUAC: BYE, OPTIONS, CANCEL by transaction. */
export class FakeSentRequest {
  readonly uri: string;
  readonly options: RequestOptions;
  readonly request: FakeSipMessage;
  readonly #sent: Parameters<SrfPort['request']>[2];

  constructor([uri, options, sent]: Parameters<SrfPort['request']>) {
    this.uri = uri;
    this.options = options;
    this.#sent = sent;
    this.request = fakeRequest(options.method);
  }

  respond(response: SipResponse): void {
    this.#sent(null, this.request);
    this.request.emit('response', response);
  }

  refuse(problem: string, code?: string): void {
    this.#sent(Object.assign(new Error(problem), code === undefined ? {} : { code }));
  }
}

export class FakeSrf extends EventEmitter implements SrfPort {
  readonly connects: object[] = [];
  readonly invites: FakeInvite[] = [];
  readonly requests: FakeSentRequest[] = [];
  readonly forgotten: SipDialog[] = [];
  /** Answers every request by itself: 200 to all. */
  autoAnswerRequests = false;
  abandoned = 0;
  readonly app: { client: DrachtioAgent } = {
    client: {
      mapServer: new Map(),
      wp: { on: () => undefined },
      on: () => undefined,
      removeAllListeners: () => {
        this.abandoned += 1;
      },
    },
  };

  connect(options: object): void {
    this.connects.push(options);
  }

  up(): void {
    this.emit('connect', null, 'udp/192.0.2.1:5060', 'v0.9.10');
  }

  down(): void {
    this.emit('close');
  }

  use(): void {
    /* stray requests are not what these tests are about */
  }

  createUAC(...args: Parameters<SrfPort['createUAC']>): void {
    this.invites.push(new FakeInvite(this.invites.length + 1, args));
  }

  /** INVITEs of the network that were answered. */
  readonly answered: Parameters<SrfPort['createUAS']>[] = [];

  createUAS(...args: Parameters<SrfPort['createUAS']>): void {
    this.answered.push(args);
  }

  request(...args: Parameters<SrfPort['request']>): void {
    const sent = new FakeSentRequest(args);
    this.requests.push(sent);
    if (this.autoAnswerRequests) sent.respond(fakeResponse(200, 'OK'));
  }

  removeDialog(dialog: SipDialog): void {
    this.forgotten.push(dialog);
  }

  byes(): FakeSentRequest[] {
    return this.requests.filter(({ options }) => options.method === 'BYE');
  }
}
