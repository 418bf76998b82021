/**
 * The torture messages of RFC 4475, by their names there: what a reader must take, and what it must
 * refuse without falling over. Written out from the RFC's descriptions; the long ones are generated.
 */
import { sipText } from './sip-text.ts';

export interface TortureMessage {
  readonly name: string;
  readonly section: string;
  readonly bytes: Buffer;
  /**
   * 'taken': a request or response like any other. A number: refused, with that status code for a
   * request. 'dropped': a response, or something so broken that nobody can be answered.
   */
  readonly fate: 'taken' | 'dropped' | 400 | 505;
  /** Parts a reader must have understood. */
  readonly expected?: {
    readonly method?: string;
    readonly uri?: string;
    readonly headers?: Readonly<Record<string, readonly string[]>>;
    readonly bodyLength?: number;
  };
}

const SDP = [
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
].join('\r\n');

function invite(
  changes: Readonly<Record<string, string | undefined>>,
  startLine?: string,
  body = SDP,
): Buffer {
  const fields: Record<string, string | undefined> = {
    To: 'sip:j.user@example.com',
    From: 'sip:caller@example.net;tag=134161461246',
    'Max-Forwards': '7',
    'Call-ID': 'badinv01.0ha0isndaksdjasdf3234nas',
    CSeq: '8 INVITE',
    Via: 'SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw',
    Contact: '<sip:caller@host5.example.net>',
    'Content-Type': 'application/sdp',
    'Content-Length': String(Buffer.byteLength(body)),
    ...changes,
  };
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value ?? ''}`);
  return sipText([startLine ?? 'INVITE sip:user@example.com SIP/2.0', ...lines], body);
}

function options(
  changes: Readonly<Record<string, string | undefined>>,
  startLine?: string,
): Buffer {
  const own = { CSeq: '8 OPTIONS', 'Content-Type': undefined, 'Content-Length': '0', ...changes };
  return invite(own, startLine ?? 'OPTIONS sip:user@example.com SIP/2.0', '');
}

const INTMETH = "!interesting-Method0123456789_*+`.%indeed'~";
const LONG = 'long'.repeat(100);

export const VALID: readonly TortureMessage[] = [
  {
    name: 'wsinv',
    section: '3.1.1.1',
    fate: 'taken',
    bytes: Buffer.from(
      [
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :',
        ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        '  ;',
        '  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'Content-Length   : 150',
        'cseq: 0009',
        '  INVITE',
        'Via  : SIP  /   2.0',
        ' /UDP',
        '    192.0.2.2;branch=390skdjuw',
        's :',
        'NewFangledHeader:   newfangled value',
        ' continued newfangled value',
        'UnknownHeaderWithUnusualValue: ;;,,;;,;',
        'Content-Type: application/sdp',
        'Route:',
        ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
        '  branch  =   z9hG4bK9ikj8  ,',
        ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
        ' z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
        '      newvalue ;',
        '  secondparam ; q = 0.33',
        '',
        'v=0',
        'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
        's=-',
        'c=IN IP4 192.0.2.4',
        't=0 0',
        'm=audio 49217 RTP/AVP 0 12',
        'm=video 3227 RTP/AVP 31',
        'a=rtpmap:31 LPC',
        '',
      ].join('\r\n'),
    ),
    expected: {
      method: 'INVITE',
      headers: {
        Via: [
          'SIP  /   2.0 /UDP 192.0.2.2;branch=390skdjuw',
          'SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8',
          'SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239',
        ],
        'Max-Forwards': ['0068'],
        CSeq: ['0009 INVITE'],
        Subject: [''],
        newfangledheader: ['newfangled value continued newfangled value'],
        UnknownHeaderWithUnusualValue: [';;,,;;,;'],
      },
      bodyLength: 150,
    },
  },
  {
    name: 'intmeth',
    section: '3.1.1.2',
    fate: 'taken',
    bytes: sipText([
      `${INTMETH} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`,
      `Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+\`'~`,
      `To: "BEL:\u0007 NUL:\u0000 DEL:\u007f" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>`,
      `From: token1~\` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="работающий";tag=_token~1'+\`*%!-.`,
      'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
      `CSeq: 139122385 ${INTMETH}`,
      'Max-Forwards: 255',
      "extensionHeader-!.%*+_`'~:\ufeff大停電",
      'Content-Length: 0',
    ]),
    expected: { method: INTMETH, bodyLength: 0 },
  },
  {
    name: 'esc01',
    section: '3.1.1.3',
    fate: 'taken',
    bytes: invite(
      {
        To: 'sip:sips%3Auser%40example.com@example.net',
        From: '<sip:I%20have%20spaces@example.net>;tag=938',
        Contact: '<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>',
      },
      'INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0',
    ),
    expected: { uri: 'sip:sips%3Auser%40example.com@example.net' },
  },
  {
    name: 'escnull',
    section: '3.1.1.4',
    fate: 'taken',
    bytes: options(
      {
        To: 'sip:null-%00-null@example.com',
        From: 'sip:null-%00-null@example.com;tag=839923423',
        CSeq: '39203 REGISTER',
        Contact: '<sip:%00@host5.example.com>',
      },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'esc02',
    section: '3.1.1.5',
    fate: 'taken',
    bytes: options(
      {
        To: '"%Z%45" <sip:resource@example.com>',
        From: '"%Z%45" <sip:resource@example.com>;tag=f232jadfj23',
        CSeq: '234 RE%47IST%45R',
        Contact: '<sip:alias1@host1.example.com>',
      },
      'RE%47IST%45R sip:registrar.example.com SIP/2.0',
    ),
    expected: { method: 'RE%47IST%45R' },
  },
  {
    name: 'lwsdisp',
    section: '3.1.1.6',
    fate: 'taken',
    bytes: options({ From: 'caller<sip:caller@example.com>;tag=323' }),
  },
  {
    name: 'longreq',
    section: '3.1.1.7',
    fate: 'taken',
    bytes: invite(
      {
        To: `"I have a user name of ${LONG} proportion"<sip:user@example.com:6000;unknownparam1=very${LONG}value;longparam${LONG}name=shortvalue>`,
        From: `sip:amazinglylongcallername${LONG}@example.net;tag=12982${LONG}424;unknownheaderparam${LONG}name=unknownheaderparam${LONG}value;unknownValueless${LONG}paramname`,
        'Call-ID': `longreq.one${LONG}callid`,
        Unknown: `${LONG},${LONG}`,
        Via: Array.from(
          { length: 34 },
          (_, index) => `SIP/2.0/TCP sip${index}.example.com;branch=${LONG}${index}`,
        ).join(', '),
        Contact: `<sip:amazingly${LONG}callername@host5.example.net>`,
      },
      'INVITE sip:user@example.com SIP/2.0',
    ),
  },
  {
    name: 'dblreq',
    section: '3.1.1.8',
    fate: 'taken',
    bytes: Buffer.concat([
      options({ CSeq: '8 REGISTER' }, 'REGISTER sip:example.com SIP/2.0'),
      invite({}),
    ]),
    expected: { method: 'REGISTER', bodyLength: 0 },
  },
  {
    name: 'semiuri',
    section: '3.1.1.9',
    fate: 'taken',
    bytes: options({}, 'OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0'),
    expected: { uri: 'sip:user;par=u%40example.net@example.com' },
  },
  {
    name: 'transports',
    section: '3.1.1.10',
    fate: 'taken',
    bytes: options({
      Via: [
        'SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw',
        'SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf',
        'SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj',
        'SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en',
        'SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee',
      ].join(', '),
    }),
  },
  {
    name: 'mpart01',
    section: '3.1.1.11',
    fate: 'taken',
    bytes: Buffer.concat([
      sipText([
        'MESSAGE sip:kumiko@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport',
        'Max-Forwards: 70',
        'To: <sip:kumiko@example.org>',
        'From: <sip:fluffy@example.com>;tag=2fb0dcc9',
        'Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..',
        'CSeq: 1 MESSAGE',
        'Content-Type: multipart/mixed;boundary=7a9cbec02ceef655',
        'Content-Length: 10',
      ]),
      Buffer.from([0, 1, 0xff, 13, 10, 13, 10, 0x80, 0xfe, 0x30]),
    ]),
    expected: { bodyLength: 10 },
  },
  {
    name: 'unreason',
    section: '3.1.1.12',
    fate: 'taken',
    bytes: sipText([
      'SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое',
      'Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923',
      'Call-ID: unreason.1234ksdfak3j2erwedfsASdf',
      'CSeq: 35 INVITE',
      'From: sip:user@example.com;tag=11141343',
      'To: sip:user@example.edu;tag=2229',
      'Content-Length: 0',
    ]),
  },
  {
    name: 'noreason',
    section: '3.1.1.13',
    fate: 'taken',
    bytes: sipText([
      'SIP/2.0 100 ',
      'Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe',
      'Call-ID: noreason.asndj203insdf99223ndf',
      'CSeq: 35 INVITE',
      'From: <sip:user@example.com>;tag=39ansfi3',
      'To: <sip:user@example.edu>;tag=902jndnke3',
      'Content-Length: 0',
    ]),
  },
];

export const INVALID: readonly TortureMessage[] = [
  {
    name: 'badinv01: separators without values',
    section: '3.1.2.1',
    fate: 400,
    bytes: invite({
      Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,',
      Contact: '"Joe" <sip:joe@example.org>;;;;',
    }),
  },
  {
    name: 'clerr: Content-Length beyond the datagram',
    section: '3.1.2.2',
    fate: 400,
    bytes: invite({ 'Content-Length': '9999' }),
  },
  {
    name: 'ncl: negative Content-Length',
    section: '3.1.2.3',
    fate: 400,
    bytes: invite({ 'Content-Length': '-999' }),
  },
  {
    name: 'scalar02: numbers beyond their range in a request',
    section: '3.1.2.4',
    fate: 400,
    bytes: options(
      {
        CSeq: '36893488147419103232 REGISTER',
        'Max-Forwards': '300',
        Expires: '10000000000000000000000000000000000000000000000',
      },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'scalarlg: numbers beyond their range in a response',
    section: '3.1.2.5',
    fate: 'dropped',
    bytes: sipText([
      'SIP/2.0 503 Service Unavailable',
      'Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129',
      'To: <sip:user@example.com>',
      'From: <sip:other@example.net>;tag=2easdjfejw',
      'CSeq: 9292394834772304023312 OPTIONS',
      'Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r',
      'Retry-After: 949302838503028349304023988',
      'Warning: 1812 overture "In Progress"',
      'Content-Length: 0',
    ]),
  },
  {
    name: 'quotbal: unbalanced quote',
    section: '3.1.2.6',
    fate: 400,
    bytes: invite({ To: '"Mr. J. User <sip:j.user@example.com>' }),
  },
  {
    name: 'ltgtruri: Request-URI in angle brackets',
    section: '3.1.2.7',
    fate: 400,
    bytes: invite({}, 'INVITE <sip:user@example.com> SIP/2.0'),
  },
  {
    name: 'lwsruri: white space inside the Request-URI',
    section: '3.1.2.8',
    fate: 400,
    bytes: invite({}, 'INVITE sip:user@example.com; lr SIP/2.0'),
  },
  {
    name: 'lwsstart: several spaces in the start line',
    section: '3.1.2.9',
    fate: 400,
    bytes: invite({}, 'INVITE  sip:user@example.com  SIP/2.0'),
  },
  {
    name: 'trws: spaces after the start line, which an element may take',
    section: '3.1.2.10',
    fate: 'taken',
    bytes: options({}, 'OPTIONS sip:remote-target@example.com SIP/2.0  '),
  },
  {
    name: 'escruri: headers in the Request-URI',
    section: '3.1.2.11',
    fate: 400,
    bytes: invite({}, 'INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0'),
  },
  {
    name: 'baddate: a Date in another time zone, which does not concern us',
    section: '3.1.2.12',
    fate: 'taken',
    bytes: invite({ Date: 'Fri, 01 Jan 2010 16:00:00 EST' }),
  },
  {
    name: 'regbadct: a Contact that needs brackets, for the registrar to refuse',
    section: '3.1.2.13',
    fate: 'taken',
    bytes: options(
      { CSeq: '8 REGISTER', Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'badaspec: spaces inside the brackets, which an element may forgive',
    section: '3.1.2.14',
    fate: 'taken',
    bytes: options({ To: '"Watson, Thomas" < sip:t.watson@example.org >' }),
  },
  {
    name: 'baddn: a comma in a display name without quotes',
    section: '3.1.2.15',
    fate: 'taken',
    bytes: options({ From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }),
  },
  {
    name: 'badvers: SIP/7.0',
    section: '3.1.2.16',
    fate: 505,
    bytes: options(
      { Via: 'SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw' },
      'OPTIONS sip:t.watson@example.org SIP/7.0',
    ),
  },
  {
    name: 'mismatch01: CSeq of another method',
    section: '3.1.2.17',
    fate: 400,
    bytes: options({ CSeq: '8 INVITE' }),
  },
  {
    name: "mismatch02: CSeq of another method, the request line's unknown",
    section: '3.1.2.18',
    fate: 400,
    bytes: options({ CSeq: '8 INVITE' }, 'NEWMETHOD sip:user@example.com SIP/2.0'),
  },
  {
    name: 'bigcode: a status code of ten digits',
    section: '3.1.2.19',
    fate: 'dropped',
    bytes: sipText([
      'SIP/2.0 4294967301 better not break the receiver',
      'Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe',
      'Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i',
      'CSeq: 353494 INVITE',
      'From: <sip:user@example.com>;tag=39ansfi3',
      'To: <sip:user@example.edu>;tag=902jndnke3',
      'Content-Length: 0',
    ]),
  },
];

/** Sections 3.2 to 3.4: sound as messages, odd in what they ask for. */
export const ODD: readonly TortureMessage[] = [
  {
    name: 'badbranch: nothing after the magic cookie',
    section: '3.2.1',
    fate: 'taken',
    bytes: options({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
  },
  {
    name: 'insuf: CSeq, Call-ID, From, To and Max-Forwards are missing',
    section: '3.3.1',
    fate: 400,
    bytes: sipText([
      'INVITE sip:user@example.com SIP/2.0',
      'CSeq: 193942 INVITE',
      'Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf',
      'Content-Type: application/sdp',
      'l: 0',
    ]),
  },
  {
    name: 'unkscm: an unknown scheme in the Request-URI',
    section: '3.3.2',
    fate: 'taken',
    bytes: options({}, 'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0'),
  },
  {
    name: 'novelsc: a known, unusual scheme',
    section: '3.3.3',
    fate: 'taken',
    bytes: options({}, 'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0'),
  },
  {
    name: 'unksm2: unknown schemes in To and Contact',
    section: '3.3.4',
    fate: 'taken',
    bytes: options(
      {
        CSeq: '3923239 REGISTER',
        To: 'isbn:2983792873',
        From: '<http://www.example.com>;tag=3234233',
        Contact: '<name:John_Smith>',
      },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'bext01: Require and Proxy-Require of the unknown',
    section: '3.3.5',
    fate: 'taken',
    bytes: options({
      Require: 'nothingSupportsThis, nothingSupportsThisEither',
      'Proxy-Require': 'noProxiesSupportThis, norDoAnyProxiesSupportThis',
    }),
    expected: { headers: { Require: ['nothingSupportsThis', 'nothingSupportsThisEither'] } },
  },
  {
    name: 'invut: a body of unknown type',
    section: '3.3.6',
    fate: 'taken',
    bytes: invite(
      { 'Content-Type': 'application/unknownformat' },
      undefined,
      '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n',
    ),
  },
  {
    name: 'regaut01: an unknown authorization scheme',
    section: '3.3.7',
    fate: 'taken',
    bytes: options(
      { CSeq: '9338 REGISTER', Authorization: 'NoOneKnowsThisScheme opaque-data=here' },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'multi01: fields that may come once, twice',
    section: '3.3.8',
    fate: 400,
    bytes: sipText([
      'INVITE sip:user@company.com SIP/2.0',
      'Contact: <sip:caller@host25.example.net>',
      'Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw',
      'Max-Forwards: 70',
      'CSeq: 5 INVITE',
      'Call-ID: multi01.98asdh@192.0.2.1',
      'CSeq: 59 INVITE',
      'Call-ID: multi01.98asdh@192.0.2.2',
      'From: sip:caller@example.com;tag=3413415',
      'To: sip:user@example.com',
      'To: sip:other@example.net',
      'From: sip:caller@example.net;tag=2923420123',
      'Content-Length: 0',
    ]),
  },
  {
    name: 'mcl01: two Content-Lengths',
    section: '3.3.9',
    fate: 400,
    bytes: sipText(
      [
        'OPTIONS sip:user@example.com SIP/2.0',
        'Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423',
        'To: sip:user@example.com',
        'From: sip:other@example.net;tag=3923942',
        'Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf',
        'CSeq: 15932 OPTIONS',
        'Content-Length: 13',
        'Max-Forwards: 60',
        'Content-Length: 5',
        'Content-Type: text/plain',
      ],
      "There's no way",
    ),
  },
  {
    name: 'bcast: a 200 to a broadcast Via',
    section: '3.3.10',
    fate: 'taken',
    bytes: sipText([
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923',
      'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
      'Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf',
      'CSeq: 35 INVITE',
      'From: sip:user@example.com;tag=11141343',
      'To: sip:user@example.edu;tag=2229',
      'Content-Length: 0',
    ]),
  },
  {
    name: "zeromf: Max-Forwards 0, which is a proxy's business",
    section: '3.3.11',
    fate: 'taken',
    bytes: options({ 'Max-Forwards': '0' }),
  },
  {
    name: 'cparam01: an unknown Contact parameter outside brackets',
    section: '3.3.12',
    fate: 'taken',
    bytes: options(
      { CSeq: '8 REGISTER', Contact: 'sip:+19725552222@gw1.example.net;unknownparam' },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'cparam02: an unknown URI parameter',
    section: '3.3.13',
    fate: 'taken',
    bytes: options(
      { CSeq: '8 REGISTER', Contact: '<sip:+19725552222@gw1.example.net;unknownparam>' },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'regescrt: an escaped Route in a Contact',
    section: '3.3.14',
    fate: 'taken',
    bytes: options(
      {
        CSeq: '14398234 REGISTER',
        Contact: '<sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
      },
      'REGISTER sip:example.com SIP/2.0',
    ),
  },
  {
    name: 'sdp01: Accept of a type we cannot make',
    section: '3.3.15',
    fate: 'taken',
    bytes: invite({ Accept: 'text/nobodyKnowsThis', 'Content-Type': undefined }, undefined, ''),
  },
  {
    name: 'inv2543: an INVITE of RFC 2543, without branch, tag or Max-Forwards',
    section: '3.4.1',
    fate: 'taken',
    bytes: sipText(
      [
        'INVITE sip:UserB@example.com SIP/2.0',
        'Via: SIP/2.0/UDP iftgw.example.com',
        'From: <sip:+13035551111@ift.client.example.net;user=phone>',
        'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
        'To: sip:+16505552222@ss1.example.net;user=phone',
        'Call-ID: inv2543.1717@ift.client.example.com',
        'CSeq: 56 INVITE',
        'Content-Type: application/sdp',
      ],
      SDP,
    ),
    expected: { bodyLength: Buffer.byteLength(SDP) },
  },
];
