/** Goal: descriptions are read as RFC 8866 writes them, and answered as RFC 3264 asks. */
import t from 'tap';
import { AudioNegotiation } from '../../softswitch/media/audio-negotiation.ts';
import { parseSdp } from '../../softswitch/media/sdp.ts';

/** An offer of a usual phone; `media` replaces its m-line and what belongs to it. */
function sdp(
  media: readonly string[],
  session: readonly string[] = ['c=IN IP4 192.0.2.10'],
): string {
  const head = ['v=0', 'o=alice 2890844526 2890844527 IN IP4 192.0.2.10', 's=-'];
  return [...head, ...session, 't=0 0', ...media, ''].join('\r\n');
}
const phone = [
  'm=audio 49170 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=ptime:20',
];
const local = { address: '198.51.100.1', port: 20_000 };
const mLines = (text: string) => text.split('\r\n').filter((line) => line.startsWith('m='));
const lineOf = (text: string, type: string) =>
  text.split('\r\n').find((line) => line.startsWith(type));

t.test('parseSdp: a usual offer', async (t) => {
  t.match(parseSdp(sdp(phone)), {
    origin: { user: 'alice', sessionId: '2890844526', version: '2890844527' },
    media: [
      {
        kind: 'audio',
        port: 49_170,
        protocol: 'RTP/AVP',
        address: '192.0.2.10',
        ptimeMs: 20,
        direction: 'sendrecv',
        formats: [
          { payloadType: 0, encoding: 'PCMU' },
          { payloadType: 8, encoding: 'PCMA' },
          { payloadType: 101, encoding: 'TELEPHONE-EVENT', fmtp: '0-15' },
        ],
      },
    ],
  });
});

t.test(
  'parseSdp: bare LF, a static type without rtpmap, media level over session level',
  async (t) => {
    const text = sdp(
      ['m=audio 4000/2 RTP/AVP 8 96', 'c=IN IP4 203.0.113.5/127', 'a=rtcp:4005', 'a=sendrecv'],
      ['c=IN IP4 192.0.2.10', 'a=recvonly', 'a=ptime:30'],
    ).replaceAll('\r\n', '\n');
    t.match(parseSdp(text).media[0], {
      address: '203.0.113.5',
      rtcpPort: 4_005,
      ptimeMs: 30,
      direction: 'sendrecv',
      formats: [{ payloadType: 8, encoding: 'PCMA', clockRateHz: 8_000 }],
    });
    t.equal(
      parseSdp(sdp(phone, ['c=IN IP4 1.2.3.4', 'a=inactive'])).media[0]?.direction,
      'inactive',
    );
  },
);

const malformed = [
  { name: 'nothing', text: '', message: /no v= line/ },
  { name: 'no SDP at all', text: 'hello there', message: /not a line of SDP: "hello there"/ },
  { name: 'another version', text: 'v=1\r\n', message: /version is not 0/ },
  { name: 'no origin', text: 'v=0\r\ns=-\r\n', message: /no o= line/ },
  { name: 'half an origin', text: 'v=0\r\no=a 1 1 IN\r\n', message: /6 fields/ },
  { name: 'an m-line without port', text: sdp(['m=audio RTP/AVP 0']), message: /m= is not/ },
  { name: 'a port above 65535', text: sdp(['m=audio 70000 RTP/AVP 0']), message: /above 65535/ },
  {
    name: 'a payload type above 127',
    text: sdp(['m=audio 4000 RTP/AVP 200']),
    message: /outside 0-127: "200"/,
  },
  {
    name: 'a broken rtpmap',
    text: sdp(['m=audio 4000 RTP/AVP 0', 'a=rtpmap:0']),
    message: /a=rtpmap/,
  },
  { name: 'a broken c-line', text: sdp(phone, ['c=192.0.2.1']), message: /c= is not/ },
  {
    name: 'too many streams',
    text: sdp(Array<string>(17).fill('m=audio 0 RTP/AVP 0')),
    message: /more than 16/,
  },
  { name: 'far too long', text: `${sdp(phone)}${'a=x\r\n'.repeat(8_000)}`, message: /longer than/ },
];
for (const { name, text, message } of malformed) {
  t.test(`parseSdp refuses ${name}`, async (t) => {
    t.throws(() => parseSdp(text), { code: 'INVALID_SDP', message });
  });
}

t.test('answer: one codec, the offerer’s first, with its event type', async (t) => {
  const negotiation = new AudioNegotiation(local);
  const offer = sdp(['m=audio 49170 RTP/AVP 9 8 0 96', 'a=rtpmap:96 telephone-event/8000']);
  const { sdp: answer, remote } = negotiation.answer(offer);
  t.same(remote, {
    address: '192.0.2.10',
    port: 49_170,
    payloadType: 8,
    telephoneEventPayloadType: 96,
    telephoneEventReceivePayloadType: 96,
    direction: 'sendrecv',
  });
  t.same(mLines(answer), ['m=audio 20000 RTP/AVP 8 96']);
  t.equal(lineOf(answer, 'c='), 'c=IN IP4 198.51.100.1');
  t.match(answer, /a=ptime:20\r\na=sendrecv\r\n$/);
  t.match(parseSdp(answer).media[0], { formats: [{ encoding: 'PCMA' }, { payloadType: 96 }] });
  t.same(
    [negotiation.remoteSdp, negotiation.localSdp, negotiation.remote],
    [offer, answer, remote],
  );
});

t.test('answer: only our codecs, and no events where there are none to be had', async (t) => {
  const alawOnly = new AudioNegotiation({ ...local, codecs: ['PCMA'] });
  t.equal(alawOnly.answer(sdp(phone)).remote.payloadType, 8);
  const withoutEvents = new AudioNegotiation({ ...local, telephoneEvents: false });
  const { sdp: answer, remote } = withoutEvents.answer(sdp(phone));
  t.notMatch(answer, /telephone-event/);
  t.equal(remote.telephoneEventPayloadType, undefined);
  const none = new AudioNegotiation(local).answer(sdp(['m=audio 4000 RTP/AVP 0']));
  t.equal(none.remote.telephoneEventPayloadType, undefined);
  const wide = sdp(['m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/48000']);
  t.equal(new AudioNegotiation(local).answer(wide).remote.telephoneEventPayloadType, undefined);
});

t.test('answer: the first stream we can take, every other rejected in its place', async (t) => {
  const offer = sdp([
    'm=audio 5000 RTP/SAVP 0',
    'm=video 5002 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    'm=audio 5004 RTP/AVP 18',
    ...phone,
    'm=audio 5008 RTP/AVP 0',
    'm=image 5010 udptl t38',
  ]);
  const { sdp: answer, remote } = new AudioNegotiation(local).answer(offer);
  t.equal(remote.port, 49_170);
  t.same(mLines(answer), [
    'm=audio 0 RTP/SAVP 0',
    'm=video 0 RTP/AVP 96',
    'm=audio 0 RTP/AVP 18',
    'm=audio 20000 RTP/AVP 0 101',
    'm=audio 0 RTP/AVP 0',
    'm=image 0 udptl t38',
  ]);
});

const directions = [
  { offered: 'sendrecv', wanted: 'sendrecv', answered: 'sendrecv' },
  { offered: 'sendonly', wanted: 'sendrecv', answered: 'recvonly' },
  { offered: 'recvonly', wanted: 'sendrecv', answered: 'sendonly' },
  { offered: 'inactive', wanted: 'sendrecv', answered: 'inactive' },
  { offered: 'sendrecv', wanted: 'sendonly', answered: 'sendonly' },
  { offered: 'sendonly', wanted: 'sendonly', answered: 'inactive' },
  { offered: 'recvonly', wanted: 'inactive', answered: 'inactive' },
] as const;
for (const { offered, wanted, answered } of directions) {
  t.test(`answer: ${offered} offered, ${wanted} wanted: ${answered}`, async (t) => {
    const negotiation = new AudioNegotiation(local);
    const { sdp: answer, remote } = negotiation.answer(sdp([...phone, `a=${offered}`]), wanted);
    t.match(answer, new RegExp(`a=${answered}\r\n$`));
    t.equal(remote.direction, answered);
  });
}

t.test('answer: c=0.0.0.0 is hold as RFC 2543 had it', async (t) => {
  const { sdp: answer, remote } = new AudioNegotiation(local).answer(
    sdp(phone, ['c=IN IP4 0.0.0.0']),
  );
  t.match(answer, /a=recvonly/);
  t.match(remote, { address: '0.0.0.0', direction: 'recvonly' });
});

const unacceptable = [
  {
    name: 'only SRTP',
    media: ['m=audio 5000 RTP/SAVP 0'],
    message: /there is: audio 5000 RTP\/SAVP PCMU/,
  },
  {
    name: 'only other codecs',
    media: ['m=audio 5000 RTP/AVP 18 9'],
    message: /audio 5000 RTP\/AVP G729,G722/,
  },
  {
    name: 'PCMU under another number only',
    media: ['m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 PCMU/8000'],
    message: /no audio/,
  },
  {
    name: 'number 0 with another meaning',
    media: ['m=audio 5000 RTP/AVP 0', 'a=rtpmap:0 opus/48000'],
    message: /OPUS/,
  },
  { name: 'a rejected stream', media: ['m=audio 0 RTP/AVP 0'], message: /audio 0 RTP/ },
  { name: 'no stream', media: [], message: /there is: none/ },
  {
    name: 'an IPv6 address, which our socket cannot reach',
    media: ['m=audio 5000 RTP/AVP 0', 'c=IN IP6 2001:db8::1'],
    message: /no IP4 address or host name: "2001:db8::1"/,
  },
  {
    name: 'a host name that cannot be one',
    media: ['m=audio 5000 RTP/AVP 0', 'c=IN IP4 -pbx_.example'],
    message: /no IP4 address or host name/,
  },
];
for (const { name, media, message } of unacceptable) {
  t.test(`answer: refuses ${name}`, async (t) => {
    const negotiation = new AudioNegotiation(local);
    t.throws(() => negotiation.answer(sdp(media)), { code: 'SDP_NOT_ACCEPTABLE', message });
    t.equal(negotiation.remote, undefined, 'and nothing has changed');
  });
}

t.test('answer: a host name is taken as it is, to be looked up', async (t) => {
  const { remote } = new AudioNegotiation(local).answer(
    sdp(['m=audio 5000 RTP/AVP 0', 'c=IN IP4 pbx.example']),
  );
  t.equal(remote.address, 'pbx.example');
});

t.test('IPv6: written into c= and o=, read in any of its spellings', async (t) => {
  const negotiation = new AudioNegotiation({ ...local, address: '2001:db8::9' });
  t.match(negotiation.offer(), /^c=IN IP6 2001:db8::9\r$/m);
  t.match(negotiation.offer(), /^o=\S+ \d+ \d+ IN IP6 2001:db8::9\r$/m);
  const offer = ['m=audio 5000 RTP/AVP 0', 'c=IN IP6 2001:0DB8:0:0:0:0:0:1'];
  t.equal(negotiation.answer(sdp(offer)).remote.address, '2001:db8::1', 'as sockets report it');
  t.throws(() => negotiation.answer(sdp(['m=audio 5000 RTP/AVP 0', 'c=IN IP4 192.0.2.1'])), {
    code: 'SDP_NOT_ACCEPTABLE',
  });
});

t.test('answer: audio without any address is malformed', async (t) => {
  t.throws(() => new AudioNegotiation(local).answer(sdp(phone, [])), { code: 'INVALID_SDP' });
});

t.test('offer: all our codecs and events; the answer’s first codec is used', async (t) => {
  const negotiation = new AudioNegotiation({ ...local, originUser: 'FreeSWITCH' });
  const offer = negotiation.offer();
  t.match(offer, /^v=0\r\no=FreeSWITCH \d+ \d+ IN IP4 198\.51\.100\.1\r\ns=FreeSWITCH\r\n/);
  t.same(mLines(offer), ['m=audio 20000 RTP/AVP 0 8 101']);
  const answer = sdp(['m=audio 6000 RTP/AVP 8 0 97', 'a=rtpmap:97 telephone-event/8000']);
  t.same(negotiation.accept(answer), {
    address: '192.0.2.10',
    port: 6_000,
    payloadType: 8,
    telephoneEventPayloadType: 97,
    telephoneEventReceivePayloadType: 101,
    direction: 'sendrecv',
  });
  t.throws(
    () => negotiation.accept(answer),
    { code: 'SDP_NOT_ACCEPTABLE' },
    'one answer per offer',
  );
});

t.test('offer: an answer that rejects, holds, or takes less', async (t) => {
  const negotiation = new AudioNegotiation(local);
  negotiation.offer();
  t.throws(() => negotiation.accept(sdp(['m=audio 0 RTP/AVP 0'])), { code: 'SDP_NOT_ACCEPTABLE' });
  const held = negotiation.accept(sdp(['m=audio 6000 RTP/AVP 0', 'a=recvonly']));
  t.match(held, { direction: 'sendonly', payloadType: 0 });
  t.equal(held.telephoneEventPayloadType, undefined);
  negotiation.offer('sendonly');
  t.equal(negotiation.accept(sdp([...phone, 'a=recvonly'])).direction, 'sendonly');
});

t.test('offer: the echo of our own offer, as a third-party ACK carries it, is taken', async (t) => {
  const negotiation = new AudioNegotiation({ address: '127.0.0.1', port: 29_536 });
  const echo = negotiation
    .offer()
    .replace('t=0 0\r\n', 't=0 0\r\na=recvonly\r\n')
    .replace('a=sendrecv\r\n', '');
  t.match(negotiation.accept(echo), { address: '127.0.0.1', port: 29_536, direction: 'sendonly' });
});

t.test('versions: the session id stays, the version counts changes and only those', async (t) => {
  const negotiation = new AudioNegotiation(local);
  const origin = (text: string) => parseSdp(text).origin;
  const first = origin(negotiation.answer(sdp(phone)).sdp);
  const same = origin(negotiation.answer(sdp(phone)).sdp);
  t.equal(same.version, first.version, 'the same description, the same version');
  const held = origin(negotiation.answer(sdp([...phone, 'a=sendonly'])).sdp);
  t.equal(BigInt(held.version), BigInt(first.version) + 1n);
  const back = origin(negotiation.offer());
  t.equal(BigInt(back.version), BigInt(first.version) + 2n);
  t.equal(new Set([first, same, held, back].map(({ sessionId }) => sessionId)).size, 1);
});

t.test('streams keep their places and event types their numbers in later offers', async (t) => {
  const negotiation = new AudioNegotiation(local);
  negotiation.answer(
    sdp([
      'm=video 5002 RTP/AVP 96',
      'm=audio 5004 RTP/AVP 0 99',
      'a=rtpmap:99 telephone-event/8000',
    ]),
  );
  t.same(mLines(negotiation.offer()), ['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 0 8 99']);
  const answer = sdp(['m=video 0 RTP/AVP 96', 'm=audio 5004 RTP/AVP 0 99']);
  t.equal(negotiation.accept(answer).port, 5_004);
});

t.test(
  'parseSdp: mutations of an offer give a description or INVALID_SDP, nothing else',
  async (t) => {
    const offer = Buffer.from(sdp(phone));
    let seed = 7;
    const random = (below: number) =>
      Math.floor(((seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647) * below);
    const wrong: unknown[] = [];
    for (let round = 0; round < 3_000; round += 1) {
      const bytes = Buffer.from(offer);
      for (let n = 1 + random(8); n > 0; n -= 1) bytes[random(bytes.length)] = random(256);
      try {
        new AudioNegotiation(local).answer(bytes.toString('latin1'));
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'INVALID_SDP' && code !== 'SDP_NOT_ACCEPTABLE') wrong.push(error);
      }
    }
    t.same(wrong, []);
  },
);
