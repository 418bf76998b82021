/**
 * Cuts an event socket's byte stream into commands, as mod_event_socket's reader does: a command is
 * a line, then `name: value` lines, then a blank line, then as many body bytes as `content-length`
 * says. Blank lines before a command are skipped and CR is optional.
 */

export interface EslCommand {
  /** The command line as sent, without its line end: `api status`, `sendmsg <uuid>`. */
  readonly line: string;
  /** Header names in lower case; of repeated names the first wins, as in FreeSWITCH. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What one delivery of bytes held; `problem` ends the connection, and nothing after it is read. */
export interface ReadOutcome {
  readonly commands: EslCommand[];
  readonly problem?: string;
}

interface Head {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly bodyBytes: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** Far above any real command, far below what could hurt: nothing is buffered beyond it. */
const HEAD_BYTES_MAX = 64 * 1024;
const BODY_BYTES_MAX = 1024 * 1024;

const NOTHING = Buffer.alloc(0);

export class CommandReader {
  #pending: Buffer = NOTHING;
  /** Bytes of `#pending` already searched for a blank line, so that dribbled input costs O(n). */
  #searched = 0;
  #awaitingBody: Head | undefined;

  push(chunk: Buffer): ReadOutcome {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const commands: EslCommand[] = [];
    for (;;) {
      const outcome = this.#next();
      if (outcome === undefined) return { commands };
      if (typeof outcome === 'string') return { commands, problem: outcome };
      commands.push(outcome);
    }
  }

  /** One command, a problem in words, or undefined when more bytes are needed. */
  #next(): EslCommand | string | undefined {
    const head = this.#awaitingBody ?? this.#readHead();
    if (head === undefined || typeof head === 'string') return head;
    const { line, headers, bodyBytes } = head;
    this.#awaitingBody = head;
    if (this.#pending.length < bodyBytes) return undefined;
    const body = bodyBytes === 0 ? '' : this.#pending.toString('utf8', 0, bodyBytes);
    this.#consume(bodyBytes);
    this.#awaitingBody = undefined;
    return { line, headers, body };
  }

  #readHead(): Head | string | undefined {
    this.#skipBlankLines();
    const end = this.#headEnd();
    if (end === undefined) {
      if (this.#pending.length > HEAD_BYTES_MAX) return 'command headers too long';
      return undefined;
    }
    const [line, ...rest] = this.#pending.toString('utf8', 0, end.at).split('\n');
    this.#consume(end.next);
    const headers = new Map<string, string>();
    for (const text of rest) addHeader(headers, text);
    const declared = headers.get('content-length');
    const bodyBytes = declared === undefined ? 0 : Number.parseInt(declared, 10) || 0;
    if (bodyBytes < 0 || bodyBytes > BODY_BYTES_MAX) {
      return `content-length out of range: ${bodyBytes}`;
    }
    return { line: withoutCr(line ?? ''), headers, bodyBytes };
  }

  #skipBlankLines(): void {
    let at = 0;
    while (this.#pending[at] === LF || this.#pending[at] === CR) at += 1;
    if (at > 0) this.#consume(at);
  }

  /** Where the head's last line ends, and where what follows its blank line begins. */
  #headEnd(): { at: number; next: number } | undefined {
    let at = this.#pending.indexOf(LF, this.#searched);
    while (at !== -1) {
      let next = at + 1;
      while (this.#pending[next] === CR) next += 1;
      if (next >= this.#pending.length) {
        this.#searched = at; // the line ended, but what comes after it is not here yet
        return undefined;
      }
      if (this.#pending[next] === LF) return { at, next: next + 1 };
      at = this.#pending.indexOf(LF, next);
    }
    this.#searched = this.#pending.length;
    return undefined;
  }

  #consume(bytes: number): void {
    this.#pending = bytes >= this.#pending.length ? NOTHING : this.#pending.subarray(bytes);
    this.#searched = 0;
  }
}

function addHeader(headers: Map<string, string>, text: string): void {
  const colon = text.indexOf(':');
  if (colon <= 0) return;
  const name = text.slice(0, colon).trim().toLowerCase();
  if (headers.has(name)) return;
  headers.set(name, withoutCr(text.slice(colon + 1)).replace(/^ +/, ''));
}

function withoutCr(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
