import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseClientMessage, parseSipDraft } from '../../softswitch/control/client-message.ts';
import { ClientRouter } from '../../softswitch/control/client-router.ts';
import { encodeFrame, FrameError, FrameReader } from '../../softswitch/control/frame.ts';
import { stackTime } from '../../softswitch/control/stack-time.ts';

/** Reads a stream cut at the given places and returns the messages as text. */
function readAll(stream: Buffer, cuts: readonly number[] = []): string[] {
  const messages: string[] = [];
  const reader = new FrameReader((message) => messages.push(message.toString()));
  const places = [...cuts].sort((a, b) => a - b);
  let from = 0;
  for (const place of [...places, stream.length]) {
    reader.push(stream.subarray(from, Math.max(from, Math.min(place, stream.length))));
    from = Math.max(from, Math.min(place, stream.length));
  }
  return messages;
}

t.test('frames', (t) => {
  t.test('a message survives any splitting and merging of the byte stream', (t) => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 8 }),
        fc.array(fc.nat(2_000), { maxLength: 12 }),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map((message) => encodeFrame(message)));
          assert.deepEqual(readAll(stream, cuts), messages);
        },
      ),
    );
    t.end();
  });

  t.test('a stream read one byte at a time gives the same messages', (t) => {
    const stream = Buffer.concat([encodeFrame('a|ping'), encodeFrame('b|route|invite')]);
    const everywhere = Array.from({ length: stream.length }, (_, index) => index);
    t.strictSame(readAll(stream, everywhere), ['a|ping', 'b|route|invite']);
    t.end();
  });

  t.test('the length counts UTF-8 bytes, not characters', (t) => {
    t.equal(encodeFrame('é|€').toString(), '6#é|€');
    t.equal(encodeFrame('x', Buffer.from('€')).toString(), '6#x\r\n€');
    t.end();
  });

  for (const { name, given } of [
    { name: 'text where the length belongs', given: 'hello' },
    { name: 'a negative length', given: '-5#hello' },
    { name: 'a length of zero', given: '0#' },
    { name: 'no length at all', given: '#hello' },
    { name: 'six digits, even with leading zeros', given: '000005#hello' },
    { name: 'a space after the digits', given: '5 #hello' },
  ]) {
    t.test(`${name} breaks the stream`, (t) => {
      t.throws(() => readAll(Buffer.from(given)), FrameError);
      t.end();
    });
  }

  t.test('99,999 bytes are the longest message that is read', (t) => {
    const longest = 'x'.repeat(99_999);
    t.strictSame(readAll(encodeFrame(longest), [10, 50_000]), [longest]);
    t.throws(() => readAll(encodeFrame(`${longest}x`)), FrameError);
    t.end();
  });

  t.test('random bytes are read or refused, never anything else', (t) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          for (const message of readAll(Buffer.from(bytes))) {
            parseSipDraft(parseClientMessage(Buffer.from(message)).sip ?? Buffer.alloc(0));
          }
        } catch (error) {
          assert(error instanceof FrameError, String(error));
        }
      }),
      { numRuns: 500 },
    );
    t.end();
  });
  t.end();
});

t.test('client messages', (t) => {
  t.test('tokens, then SIP after the first CRLF', (t) => {
    const message = parseClientMessage(
      Buffer.from('id-1|sip||call;from-tag=x\r\nBYE sip:placeholder SIP/2.0\r\n\r\n'),
    );
    t.match(message, { id: 'id-1', type: 'sip', args: ['', 'call;from-tag=x'] });
    t.equal(message.sip?.toString(), 'BYE sip:placeholder SIP/2.0\r\n\r\n');
    t.end();
  });

  t.test('header names get their usual spelling, private ones keep theirs', (t) => {
    const draft = parseSipDraft(
      Buffer.from(
        'INVITE sip:a@b SIP/2.0\r\nfrom: <sip:x@y>\r\ncseq: 2 INVITE\r\ncall-id: c\r\n' +
          'p-asserted-identity: <sip:z@y>\r\nX-MyApp: 1\r\nx-lower: 2\r\ni: d\r\n\r\nv=0\r\n',
      ),
    );
    t.strictSame(
      draft?.headers.map(({ name }) => name),
      ['From', 'CSeq', 'Call-ID', 'P-Asserted-Identity', 'X-MyApp', 'x-lower', 'Call-ID'],
    );
    t.equal(draft?.body.toString(), 'v=0\r\n');
    t.end();
  });

  t.test('a line that is no header field is left out, and cannot smuggle another', (t) => {
    const draft = parseSipDraft(
      Buffer.from('INVITE sip:a@b SIP/2.0\r\nno colon\r\nbad name: 1\r\nX-A: 1\rVia: x\r\n\r\n'),
    );
    t.strictSame(draft?.headers, [
      { name: 'X-A', value: '1' },
      { name: 'Via', value: 'x' },
    ]);
    t.end();
  });

  for (const { name, given, expected } of [
    { name: 'a response', given: 'SIP/2.0 200 OK', expected: { kind: 'response', reason: 'OK' } },
    { name: 'a response without a phrase', given: 'SIP/2.0 486', expected: { statusCode: 486 } },
    { name: 'a phrase with spaces', given: 'SIP/2.0 486 a b', expected: { reason: 'a b' } },
    { name: 'a request', given: 'OPTIONS sip:a SIP/2.0', expected: { method: 'OPTIONS' } },
  ]) {
    t.test(`${name} is recognised by its start line`, (t) => {
      t.match(parseSipDraft(Buffer.from(`${given}\r\n\r\n`))?.start, expected);
      t.end();
    });
  }

  for (const given of ['', 'INVITE', 'INVITE sip:a b SIP/2.0', 'SIP/2.0 99 x', 'SIP/2.0 700 x']) {
    t.test(`"${given}" is no start line`, (t) => {
      t.equal(parseSipDraft(Buffer.from(`${given}\r\n\r\n`)), undefined);
      t.end();
    });
  }
  t.end();
});

t.test('routing to clients', (t) => {
  interface Client {
    readonly name: string;
    readonly tags: ReadonlySet<string>;
  }
  const client = (name: string, ...tags: string[]): Client => ({ name, tags: new Set(tags) });

  function routerOf(...clients: Client[]): ClientRouter<Client> {
    const router = new ClientRouter<Client>();
    for (const each of clients) router.join(each);
    return router;
  }

  t.test('clients that want a verb take turns', (t) => {
    const [a, b, c] = [client('a'), client('b'), client('c')] as const;
    const router = routerOf(a, b, c);
    for (const each of [a, b, c]) router.addRoute(each, 'invite');
    const turns = Array.from({ length: 6 }, () => router.select('INVITE')?.name);
    t.strictSame(turns, ['a', 'b', 'c', 'a', 'b', 'c']);
    t.end();
  });

  t.test('asking twice does not give a client two turns', (t) => {
    const [a, b] = [client('a'), client('b')] as const;
    const router = routerOf(a, b);
    for (const each of [a, a, b, a]) router.addRoute(each, 'options');
    t.strictSame(
      Array.from({ length: 4 }, () => router.select('options')?.name),
      ['a', 'b', 'a', 'b'],
    );
    t.end();
  });

  t.test('a client that leaves gets nothing more, and nobody loses a turn', (t) => {
    const [a, b, c] = [client('a'), client('b'), client('c')] as const;
    const router = routerOf(a, b, c);
    for (const each of [a, b, c]) router.addRoute(each, 'invite');
    t.equal(router.select('invite')?.name, 'a');
    router.leave(a);
    t.equal(router.select('invite')?.name, 'b');
    t.equal(router.select('invite')?.name, 'c');
    t.equal(router.select('invite')?.name, 'b');
    t.equal(router.isConnected(a), false);
    t.end();
  });

  t.test('a removed verb is gone, other verbs stay', (t) => {
    const a = client('a');
    const router = routerOf(a);
    router.addRoute(a, 'invite');
    router.addRoute(a, 'bye');
    router.removeRoute(a, 'INVITE');
    router.removeRoute(a, 'never-asked-for');
    t.equal(router.select('invite'), undefined);
    t.equal(router.select('bye'), a);
    t.end();
  });

  t.test('a dialog passes to a client with a tag in common, and only to such', (t) => {
    const gone = client('gone', 'gateway', 'blue');
    const heir = client('heir', 'blue');
    const stranger = client('stranger', 'red');
    const router = routerOf(stranger, heir);
    t.equal(router.successorOf(gone), heir);
    router.leave(heir);
    t.equal(router.successorOf(gone), undefined);
    t.end();
  });
  t.end();
});

t.test('the clock of a frame is UTC with microseconds', (t) => {
  const before = new Date().toISOString().slice(11, 19);
  const text = stackTime();
  const after = new Date().toISOString().slice(11, 19);
  t.match(text, /^\d\d:\d\d:\d\d\.\d{6}$/);
  t.ok(text.slice(0, 8) === before || text.slice(0, 8) === after);
  t.end();
});
