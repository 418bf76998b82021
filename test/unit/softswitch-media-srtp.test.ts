/** Goal: SRTP as RFC 3711 defines it, agreed as RFC 4568 says, and never plain where it is mandatory. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { AudioNegotiation } from '../../softswitch/media/audio-negotiation.ts';
import type { SecureMedia } from '../../softswitch/media/audio-stream.ts';
import type { DatagramHandler, RtpTransport } from '../../softswitch/media/rtp-transport.ts';
import { cryptoLine, readCrypto } from '../../softswitch/media/srtp/crypto-attribute.ts';
import { ReplayWindow } from '../../softswitch/media/srtp/replay-window.ts';
import { SecureTransport } from '../../softswitch/media/srtp/secure-transport.ts';
import { keyStream, sessionKeys } from '../../softswitch/media/srtp/srtp-keys.ts';
import { SrtpStream } from '../../softswitch/media/srtp/srtp-stream.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const SUITE_80 = 'AES_CM_128_HMAC_SHA1_80';
const SUITE_32 = 'AES_CM_128_HMAC_SHA1_32';
/** Master key and salt of RFC 3711 B.3, which libsrtp's own test packets use as well. */
const MASTER = hex('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6');

/** A packet as a sender would make it: 12 octets of header, then the sequence number again and again. */
function packet(sequence: number, ssrc = 0xcafe_babe): Buffer {
  const bytes = Buffer.alloc(172, sequence & 0xff);
  bytes.writeUInt16BE(0x8000, 0);
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt32BE(sequence * 160, 4);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
}

t.test('the key stream of RFC 3711 B.2', (t) => {
  const key = hex('2B7E151628AED2A6ABF7158809CF4F3C');
  const counter = hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000');
  t.same(
    keyStream(key, counter, 48),
    hex(
      'E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB' +
        '41E95B3BB0A2E8DD477901E4FCA894C0',
    ),
  );
  t.end();
});

t.test('the session keys of RFC 3711 B.3', (t) => {
  t.same(sessionKeys(MASTER, 'rtp'), {
    cipherKey: hex('C61E7A93744F39EE10734AFE3FF7A087'),
    salt: hex('30CBBC08863D8C85D49DB34A9AE1'),
    authKey: hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'),
  });
  t.end();
});

t.test('the packets of libsrtp, an independent implementation', (t) => {
  const plain = hex('800f1234 decafbad cafebabe abababababababababababababababab');
  const secured = hex(
    '800f1234 decafbad cafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb',
  );
  t.same(new SrtpStream(SUITE_80, MASTER).protect(plain), secured);
  t.same(new SrtpStream(SUITE_80, MASTER).unprotect(secured), plain);
  const report = hex('81c8000b cafebabe abababababababababababababababab');
  const securedReport = hex(
    '81c8000b cafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798',
  );
  t.same(new SrtpStream(SUITE_80, MASTER).protectRtcp(report), securedReport);
  t.same(new SrtpStream(SUITE_80, MASTER).unprotectRtcp(securedReport), report);
  t.end();
});

for (const suite of [SUITE_80, SUITE_32] as const) {
  t.test(`${suite}: what was sent is what is received, across the sequence's end`, (t) => {
    const [sender, receiver] = [new SrtpStream(suite, MASTER), new SrtpStream(suite, MASTER)];
    for (let i = 0; i < 200; i += 1) {
      const plain = packet((65_436 + i) % 65_536);
      const secured = sender.protect(plain);
      t.equal(secured.length, plain.length + (suite === SUITE_80 ? 10 : 4));
      if (!receiver.unprotect(secured)?.equals(plain)) t.fail(`packet ${i}`);
    }
    t.equal(receiver.refused, 0);
    t.end();
  });
}

t.test('packets out of order around the rollover are told apart', (t) => {
  const [sender, receiver] = [new SrtpStream(SUITE_80, MASTER), new SrtpStream(SUITE_80, MASTER)];
  const sequences = [65_533, 65_534, 65_535, 0, 1, 2];
  const secured = sequences.map((sequence) => sender.protect(packet(sequence)));
  for (const index of [0, 3, 1, 5, 2, 4]) {
    const plain = receiver.unprotect(secured[index] as Buffer);
    t.same(plain, packet(sequences[index] as number), `sequence ${sequences[index]}`);
  }
  t.end();
});

t.test('a packet that was changed, comes twice, or is plain is refused', (t) => {
  const [sender, receiver] = [new SrtpStream(SUITE_80, MASTER), new SrtpStream(SUITE_80, MASTER)];
  const secured = sender.protect(packet(100));
  for (let bit = 0; bit < secured.length * 8; bit += 7) {
    const forged = Buffer.from(secured);
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
    if (receiver.unprotect(forged) !== undefined) t.fail(`bit ${bit} may be changed`);
  }
  t.ok(receiver.unprotect(secured), 'forgeries have not spoilt the true one');
  t.equal(receiver.unprotect(secured), undefined, 'a second time');
  t.equal(receiver.unprotect(packet(101)), undefined, 'plain RTP');
  for (let length = 0; length < 30; length += 1) {
    t.equal(receiver.unprotect(Buffer.alloc(length, 0x80)), undefined);
    t.equal(receiver.unprotectRtcp(Buffer.alloc(length, 0x81)), undefined);
  }
  const report = sender.protectRtcp(packet(1).subarray(0, 28));
  t.ok(receiver.unprotectRtcp(report));
  t.equal(receiver.unprotectRtcp(report), undefined, 'a report a second time');
  t.end();
});

t.test('the replay window knows 64 packets, and nothing older', (t) => {
  const window = new ReplayWindow();
  for (const index of [10, 200, 150, 137]) {
    t.ok(window.admits(index), `${index}`);
    window.note(index);
  }
  t.notOk(window.admits(200) || window.admits(150) || window.admits(137), 'seen');
  t.ok(window.admits(199) && window.admits(138), 'not seen');
  t.notOk(window.admits(136) || window.admits(10), 'too old to tell');
  window.note(1_000);
  t.notOk(window.admits(200));
  t.end();
});

t.test('crypto attributes: what can be used and what must not', (t) => {
  const key = MASTER.toString('base64');
  t.match(readCrypto(`3 ${SUITE_32} inline:${key}`), { tag: 3, suite: SUITE_32, master: MASTER });
  t.ok(readCrypto(`1 ${SUITE_80} inline:${key}|2^20`), 'a lifetime is fine');
  for (const bad of [
    '',
    `1 AES_CM_256_HMAC_SHA1_80 inline:${key}`,
    `1 ${SUITE_80} inline:${key}|2^20|1:4`,
    `1 ${SUITE_80} inline:${key} UNENCRYPTED_SRTP`,
    `1 ${SUITE_80} inline:${key.slice(4)}`,
    `1 ${SUITE_80} uri:https://keys.example`,
    `x ${SUITE_80} inline:${key}`,
  ]) {
    t.equal(readCrypto(bad), undefined, bad);
  }
  const attribute = { tag: 1, suite: SUITE_80, master: MASTER } as const;
  t.equal(cryptoLine(attribute), `a=crypto:1 ${SUITE_80} inline:${key}`);
  t.end();
});

const party = (secureMedia: SecureMedia): AudioNegotiation =>
  new AudioNegotiation({ address: '192.0.2.1', port: 4_000, secureMedia });

/** Both sides' keys after offer and answer, or the refusal. */
function agree(offerer: SecureMedia, answerer: SecureMedia): 'srtp' | 'plain' | 'refused' {
  const [a, b] = [party(offerer), party(answerer)];
  try {
    const { sdp, remote } = b.answer(a.offer());
    const ofA = a.accept(sdp).srtp;
    const ofB = remote.srtp;
    if (ofA === undefined && ofB === undefined) return 'plain';
    const crossed =
      ofA?.send?.master.equals(ofB?.receive.master ?? Buffer.alloc(0)) === true &&
      ofB?.send?.master.equals(ofA.receive.master) === true;
    if (!crossed) throw new Error('the keys do not fit');
    return 'srtp';
  } catch (error) {
    if ((error as { code?: string }).code === 'SDP_NOT_ACCEPTABLE') return 'refused';
    throw error;
  }
}

t.test('who agrees with whom', (t) => {
  const table = [
    ['mandatory', 'mandatory', 'srtp'],
    ['mandatory', 'optional', 'srtp'],
    ['mandatory', 'forbidden', 'refused'],
    ['optional', 'mandatory', 'srtp'],
    ['optional', 'optional', 'srtp'],
    ['optional', 'forbidden', 'plain'],
    ['forbidden', 'mandatory', 'refused'],
    ['forbidden', 'optional', 'plain'],
    ['forbidden', 'forbidden', 'plain'],
  ] as const;
  for (const [offerer, answerer, expected] of table) {
    t.equal(agree(offerer, answerer), expected, `${offerer} offers to ${answerer}`);
  }
  t.end();
});

t.test('an offer keeps its keys; mandatory offers nothing in clear', (t) => {
  const mandatory = party('mandatory');
  const first = mandatory.offer();
  t.match(first, /^m=audio 4000 RTP\/SAVP 0 8 101\r$/m);
  t.notMatch(first, /RTP\/AVP/);
  t.equal(first.match(/^a=crypto:/gm)?.length, 2);
  t.equal(mandatory.offer(), first);
  t.notMatch(party('forbidden').offer(), /SAVP|crypto/);
  t.equal(
    party('optional')
      .offer()
      .match(/^m=audio 4000 /gm)?.length,
    2,
    'one of each',
  );
  t.end();
});

t.test('FreeSWITCH’s keys: another one for another offered, the same for an answer', (t) => {
  const b = party('mandatory');
  const [first, second] = [party('mandatory'), party('mandatory')];
  const keyOf = (sdp: string): string => /^a=crypto:.*$/m.exec(sdp)?.[0] ?? '';
  const offered = first.offer();
  const key = keyOf(b.answer(offered).sdp);
  t.equal(keyOf(b.answer(offered).sdp), key, 'offered the same again');
  const reoffer = b.offer();
  t.equal(keyOf(reoffer), key);
  b.accept(second.answer(reoffer).sdp);
  t.equal(keyOf(b.offer()), key, 'another far end has answered');
  t.not(keyOf(b.answer(party('mandatory').offer()).sdp), key, 'another far end has offered');
  t.end();
});

t.test('an answer with a tag that was not offered is refused, and so is one in clear', (t) => {
  const [a, b] = [party('mandatory'), party('mandatory')];
  const { sdp } = b.answer(a.offer());
  t.throws(() => a.accept(sdp.replace('a=crypto:1', 'a=crypto:7')), { code: 'SDP_NOT_ACCEPTABLE' });
  a.offer();
  const plain = sdp.replace('RTP/SAVP', 'RTP/AVP').replace(/a=crypto.*\r\n/, '');
  t.throws(() => a.accept(plain), { code: 'SDP_NOT_ACCEPTABLE' });
  t.throws(() => a.answer(party('forbidden').offer()), { code: 'SDP_NOT_ACCEPTABLE' });
  t.end();
});

t.test('FreeSWITCH’s trap: optional, agreed once, then plain: what comes is not heard', (t) => {
  const b = party('optional');
  const keys = b.answer(party('mandatory').offer()).remote.srtp;
  const later = b.answer(party('forbidden').offer());
  t.match(later.sdp, /RTP\/AVP/);
  t.equal(later.remote.srtp?.send, undefined, 'sent in clear');
  t.same(later.remote.srtp?.receive, keys?.receive, 'and still decrypted');
  t.end();
});

interface Wire extends RtpTransport {
  readonly sent: Buffer[];
}

function wire(): Wire {
  const sent: Buffer[] = [];
  const ignore: DatagramHandler = () => undefined;
  return {
    sent,
    localPort: 4_000,
    errorCount: 0,
    onRtp: ignore,
    onRtcp: ignore,
    sendRtp: (bytes) => sent.push(Buffer.from(bytes)),
    sendRtcp: (bytes) => sent.push(Buffer.from(bytes)),
    close: () => Promise.resolve(),
  };
}

t.test(
  'sockets: keys that stay keep their counters, new keys begin anew, none passes as it is',
  (t) => {
    const inner = wire();
    const transport = new SecureTransport(inner);
    const heard: Buffer[] = [];
    transport.onRtp = (bytes) => heard.push(Buffer.from(bytes));
    transport.sendRtp(packet(1), 5_000, '192.0.2.2');
    t.same(inner.sent.pop(), packet(1), 'in clear');
    const key = (): { suite: typeof SUITE_80; master: Buffer } => ({
      suite: SUITE_80,
      master: randomBytes(30),
    });
    const [ours, theirs] = [key(), key()];
    transport.secure({ send: ours, receive: theirs });
    transport.sendRtp(packet(65_535), 5_000, '192.0.2.2');
    transport.secure({ send: { ...ours }, receive: { ...theirs } });
    transport.sendRtp(packet(0), 5_000, '192.0.2.2');
    const far = new SrtpStream(SUITE_80, ours.master);
    t.same(
      inner.sent.splice(0).map((bytes) => far.unprotect(bytes)),
      [packet(65_535), packet(0)],
      'the rollover is not forgotten with a re-INVITE',
    );
    inner.onRtp(new SrtpStream(SUITE_80, theirs.master).protect(packet(7)), '192.0.2.2', 5_000);
    inner.onRtp(packet(8), '192.0.2.2', 5_000);
    t.same(heard, [packet(7)], 'plain RTP is not taken');
    t.equal(transport.refusedPackets, 1);
    t.end();
  },
);
