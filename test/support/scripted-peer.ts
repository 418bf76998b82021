/**
 * A SIP far end that does exactly what a test tells it, and nothing by itself: no retransmission, no
 * automatic answer, no state. For the cases a well-behaved user agent cannot produce on purpose (a
 * lost ACK, two forks that both answer, a CANCEL that crosses the 200). UDP on the loopback.
 */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { cseqOf } from '../../softswitch/sip/cseq.ts';
import {
  headerOf,
  headersOf,
  serializeSipMessage,
  type SipHeaderField,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../softswitch/sip/message.ts';
import { parseNameAddr, tagOf, withTag } from '../../softswitch/sip/name-addr.ts';
import { parseSipMessage } from '../../softswitch/sip/parse-message.ts';
import { newBranch, newCallId, newTag } from '../../softswitch/sip/sip-ids.ts';

/** A request or response as it came, with where it came from. */
export type Received<M extends SipMessage = SipMessage> = M & { readonly from: RemoteInfo };

/** `INVITE` for a request, `200` or `200 INVITE` for a response. */
export type Pattern = string;

interface Waiter {
  readonly pattern: Pattern;
  readonly resolve: (message: Received) => void;
}

/** Far longer than anything takes: reached only when a test would otherwise hang. */
const WAIT_MAX_MS = 20_000;

export const SDP_LINES = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 40000 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', 'a=sendrecv', ''],
];
export const SDP = SDP_LINES.join('\r\n');

export interface ReplyOptions {
  readonly toTag?: string;
  readonly sdp?: string;
  readonly headers?: readonly SipHeaderField[];
  /** Default: a Contact at this peer, except on 100. */
  readonly contact?: string | false;
  readonly reason?: string;
}

export class ScriptedPeer {
  readonly host = '127.0.0.1';
  readonly port: number;
  /** Everything that came, consumed or not. */
  readonly log: Received[] = [];
  /** The tag this peer answers with unless told otherwise. */
  readonly tag = newTag();
  readonly #socket: Socket;
  readonly #unread: Received[] = [];
  readonly #waiters: Waiter[] = [];

  static async open(): Promise<ScriptedPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ScriptedPeer(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => this.#receive(datagram, from));
    socket.on('error', () => undefined); // ICMP for what we sent to a closed port
  }

  uri(user: string): string {
    return `sip:${user}@${this.host}:${this.port}`;
  }

  get contact(): string {
    return `<${this.uri('peer')}>`;
  }

  /** The next request of that method, in order of arrival; a repeated one counts again. */
  async request(method: string): Promise<Received<SipRequest>> {
    return (await this.#next(method)) as Received<SipRequest>;
  }

  /** The next response with that status, to a request of that method if one is given. */
  async response(statusCode: number, method?: string): Promise<Received<SipResponse>> {
    const pattern = method === undefined ? String(statusCode) : `${statusCode} ${method}`;
    return (await this.#next(pattern)) as Received<SipResponse>;
  }

  /** How many messages of that kind have come so far. */
  count(pattern: Pattern): number {
    return this.log.filter((message) => matches(message, pattern)).length;
  }

  reply(request: Received<SipRequest>, statusCode: number, options: ReplyOptions = {}): void {
    const headers: SipHeaderField[] = headersOf(request, 'Via').map((value) => {
      return { name: 'Via', value };
    });
    for (const name of ['Record-Route', 'From', 'To', 'Call-ID', 'CSeq']) {
      for (const value of headersOf(request, name)) headers.push({ name, value });
    }
    const to = headers.find(({ name }) => name === 'To');
    if (to !== undefined && statusCode > 100) {
      headers[headers.indexOf(to)] = {
        name: 'To',
        value: withTag(to.value, options.toTag ?? this.tag),
      };
    }
    const contact = options.contact ?? (statusCode > 100 ? this.contact : false);
    if (contact !== false) headers.push({ name: 'Contact', value: contact });
    headers.push(...(options.headers ?? []));
    if (options.sdp !== undefined) headers.push({ name: 'Content-Type', value: 'application/sdp' });
    const body = Buffer.from(options.sdp ?? '');
    const reason = options.reason ?? 'Scripted';
    this.#send({ kind: 'response', statusCode, reason, headers, body }, request.from.port);
  }

  /** Sends a request outside a dialog and returns it, for CANCEL and for dialogs it opens. */
  start(
    method: string,
    uri: string,
    options: { sdp?: string; headers?: readonly SipHeaderField[]; contact?: false } = {},
  ): SipRequest {
    const port = Number(/:(\d+)(?:;|$)/.exec(uri)?.[1]);
    assert(port > 0, `no port in ${uri}`);
    const headers: SipHeaderField[] = [
      { name: 'Via', value: this.#via() },
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: `<${this.uri('caller')}>;tag=${newTag()}` },
      { name: 'To', value: `<${uri}>` },
      { name: 'Call-ID', value: newCallId() },
      { name: 'CSeq', value: `1 ${method}` },
    ];
    if (options.contact !== false) headers.push({ name: 'Contact', value: this.contact });
    headers.push(...(options.headers ?? []));
    if (options.sdp !== undefined) headers.push({ name: 'Content-Type', value: 'application/sdp' });
    const body = Buffer.from(options.sdp ?? '');
    const request: SipRequest = { kind: 'request', method, uri, headers, body };
    this.#send(request, port);
    return request;
  }

  /** CANCEL or ACK of a failure: the branch, CSeq number and parties of the INVITE. */
  follow(method: 'CANCEL' | 'ACK', invite: SipRequest, to?: string): void {
    const headers = invite.headers
      .filter(({ name }) => ['Via', 'Max-Forwards', 'From', 'To', 'Call-ID'].includes(name))
      .map((field) => (field.name === 'To' && to !== undefined ? { ...field, value: to } : field));
    headers.push({ name: 'CSeq', value: `${cseqOf(invite)?.number ?? 0} ${method}` });
    const { uri } = invite;
    const port = Number(/:(\d+)(?:;|$)/.exec(uri)?.[1]);
    this.#send({ kind: 'request', method, uri, headers, body: Buffer.alloc(0) }, port);
  }

  /** The peer's side of the dialog an INVITE it answered has opened. */
  dialogAsUas(invite: Received<SipRequest>, toTag = this.tag): PeerDialog {
    const local = withTag(headerOf(invite, 'To') ?? '', toTag);
    const remote = headerOf(invite, 'From') ?? '';
    return this.#dialog(invite, local, remote, headersOf(invite, 'Contact')[0], invite.from.port);
  }

  /** The peer's side of the dialog a 2xx (or a provisional response) to its INVITE has opened. */
  dialogAsUac(invite: SipRequest, response: Received<SipResponse>): PeerDialog {
    const local = headerOf(invite, 'From') ?? '';
    const remote = headerOf(response, 'To') ?? '';
    const contact = headersOf(response, 'Contact')[0] ?? `<${invite.uri}>`;
    return this.#dialog(invite, local, remote, contact, response.from.port);
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #dialog(
    invite: SipRequest,
    local: string,
    remote: string,
    contact: string | undefined,
    port: number,
  ): PeerDialog {
    return new PeerDialog({
      callId: headerOf(invite, 'Call-ID') ?? '',
      local,
      remote,
      target: parseNameAddr(contact ?? '')?.uri ?? '',
      contact: this.contact,
      inviteCSeq: cseqOf(invite)?.number ?? 0,
      via: () => this.#via(),
      send: (request) => this.#send(request, port),
    });
  }

  #via(): string {
    return `SIP/2.0/UDP ${this.host}:${this.port};rport;branch=${newBranch()}`;
  }

  #send(message: SipMessage, port: number): void {
    this.#socket.send(serializeSipMessage(message), port, this.host);
  }

  #receive(datagram: Buffer, from: RemoteInfo): void {
    const outcome = parseSipMessage(datagram);
    assert(outcome.ok, `the peer got something unreadable: ${datagram.toString()}`);
    const message: Received = Object.assign(outcome.message, { from });
    this.log.push(message);
    const index = this.#waiters.findIndex(({ pattern }) => matches(message, pattern));
    if (index < 0) this.#unread.push(message);
    else this.#waiters.splice(index, 1)[0]?.resolve(message);
  }

  async #next(pattern: Pattern): Promise<Received> {
    const index = this.#unread.findIndex((message) => matches(message, pattern));
    const unread = index < 0 ? undefined : this.#unread.splice(index, 1)[0];
    if (unread !== undefined) return unread;
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<Received>((resolve) => this.#waiters.push({ pattern, resolve }));
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const seen = this.log.map(describe).join(', ');
        reject(new Error(`no ${pattern} came within ${WAIT_MAX_MS} ms; what came: ${seen}`));
      }, WAIT_MAX_MS);
    });
    try {
      return await Promise.race([arrived, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface PeerDialogState {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly contact: string;
  readonly inviteCSeq: number;
  readonly via: () => string;
  readonly send: (request: SipRequest) => void;
}

export class PeerDialog {
  readonly #state: PeerDialogState;
  #cseq = 100;

  constructor(state: PeerDialogState) {
    this.#state = state;
  }

  /** ACK to the 2xx of the INVITE that opened the dialog, or of a later one. */
  ack(sdp = '', cseq = this.#state.inviteCSeq): void {
    this.#request('ACK', cseq, sdp === '' ? {} : { sdp });
  }

  /** Sends a request with the next CSeq; returns its CSeq number. */
  request(
    method: string,
    options: { sdp?: string; headers?: readonly SipHeaderField[]; contact?: string } = {},
  ): number {
    this.#cseq += 1;
    this.#request(method, this.#cseq, options);
    return this.#cseq;
  }

  #request(
    method: string,
    cseq: number,
    options: { sdp?: string; headers?: readonly SipHeaderField[]; contact?: string },
  ): void {
    const { callId, local, remote, target, via } = this.#state;
    const { contact = this.#state.contact } = options;
    const headers: SipHeaderField[] = [
      { name: 'Via', value: via() },
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: local },
      { name: 'To', value: remote },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${cseq} ${method}` },
      { name: 'Contact', value: contact },
      ...(options.headers ?? []),
    ];
    if (options.sdp !== undefined) headers.push({ name: 'Content-Type', value: 'application/sdp' });
    const body = Buffer.from(options.sdp ?? '');
    this.#state.send({ kind: 'request', method, uri: target, headers, body });
  }
}

export function toTagOf(message: SipMessage): string | undefined {
  return tagOf(headerOf(message, 'To'));
}

function matches(message: SipMessage, pattern: Pattern): boolean {
  if (message.kind === 'request') return message.method === pattern;
  const [status, method] = pattern.split(' ');
  if (String(message.statusCode) !== status) return false;
  return method === undefined || cseqOf(message)?.method === method;
}

function describe(message: SipMessage): string {
  const method = cseqOf(message)?.method ?? '?';
  return message.kind === 'request' ? method : `${message.statusCode} ${method}`;
}
