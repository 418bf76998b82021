/** The embedded switch: the ports it opens and the secrets its two control sides ask for. */
import { Type, type Static } from 'typebox';

const port = (description: string, env: string, fallback = 0) =>
  Type.Integer({
    description: `${description} 0 takes any free port.`,
    default: fallback,
    minimum: 0,
    maximum: 65_535,
    env,
  });

const file = (description: string, env: string) =>
  Type.String({ description, default: '', maxLength: 4_096, env });

export const SoftswitchConfig = Type.Object(
  {
    host: Type.String({
      description:
        'Address the SIP and RTP sockets are bound to, and which is written into Contact and ' +
        'SDP. Must be reachable from the trunks.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_SOFTSWITCH_HOST',
    }),
    innerHost: Type.String({
      description:
        'Address of the control port, the event socket and the SIP between the two halves. ' +
        'Leave it on loopback unless the gateway runs on another machine.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_SOFTSWITCH_INNER_HOST',
    }),
    sipPort: port('SIP port towards the trunks.', 'RINGFENCE_SOFTSWITCH_SIP_PORT'),
    sipProtocols: Type.Array(
      Type.Enum(['udp', 'tcp', 'tls'], { description: 'A SIP transport.' }),
      {
        description:
          'Transports towards the trunks. `tls` needs `tlsCertificateFile` and `tlsKeyFile`.',
        default: ['udp', 'tcp'],
        minItems: 1,
        maxItems: 3,
        uniqueItems: true,
        env: 'RINGFENCE_SOFTSWITCH_SIP_PROTOCOLS',
        source: 'RFC 3261 §18: an element implements UDP and TCP',
      },
    ),
    sipTlsPort: port('SIP port for TLS.', 'RINGFENCE_SOFTSWITCH_SIP_TLS_PORT'),
    tlsCertificateFile: file(
      'Certificate for SIP over TLS, with the chain below it (PEM). Shown to trunks that connect, ' +
        'and to those that ask for one.',
      'RINGFENCE_SOFTSWITCH_TLS_CERTIFICATE_FILE',
    ),
    tlsKeyFile: file(
      'Private key of `tlsCertificateFile` (PEM).',
      'RINGFENCE_SOFTSWITCH_TLS_KEY_FILE',
    ),
    tlsAuthoritiesFile: file(
      'Authorities whose certificates a trunk may show (PEM). Empty: those that Node.js ships with.',
      'RINGFENCE_SOFTSWITCH_TLS_AUTHORITIES_FILE',
    ),
    tlsVerifyServers: Type.Boolean({
      description:
        'Call a trunk over TLS only when its certificate names it and an authority vouches for it. ' +
        'Without, anybody on the way can pose as the trunk.',
      default: true,
      env: 'RINGFENCE_SOFTSWITCH_TLS_VERIFY_SERVERS',
      source: 'RFC 5922 §7.2',
    }),
    dnsServers: Type.Array(
      Type.String({
        description: 'Address of a DNS server, `:PORT` behind it where it is not 53.',
        pattern: '^(?:[0-9.]+|[0-9A-Fa-f:]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?$',
        maxLength: 64,
      }),
      {
        description:
          'Whom to ask for the SRV, A and AAAA records of trunks that are given by name. Empty: as ' +
          'the machine is set up.',
        default: [],
        maxItems: 8,
        env: 'RINGFENCE_SOFTSWITCH_DNS_SERVERS',
        source: 'RFC 3263 §4',
      },
    ),
    controlPort: port("Port of drachtio's control protocol.", 'RINGFENCE_SOFTSWITCH_CONTROL_PORT'),
    controlSecret: Type.String({
      description: 'Secret that control connections give. Empty: one is made at start.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_SOFTSWITCH_CONTROL_SECRET',
      secret: true,
    }),
    controlClientGoneMs: Type.Integer({
      description:
        'Calls of a gateway whose control connection ended, and that has not connected again within ' +
        'this, are ended: nobody attends them.',
      default: 120_000,
      minimum: 1_000,
      maximum: 3_600_000,
      env: 'RINGFENCE_SOFTSWITCH_CONTROL_CLIENT_GONE_MS',
    }),
    eslPort: port('Event-socket port.', 'RINGFENCE_SOFTSWITCH_ESL_PORT'),
    eslPassword: Type.String({
      description: 'Password that event-socket connections give. Empty: one is made at start.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_SOFTSWITCH_ESL_PASSWORD',
      secret: true,
    }),
    mediaSipPort: port(
      'SIP port between the two halves of the switch.',
      'RINGFENCE_SOFTSWITCH_MEDIA_SIP_PORT',
    ),
    rtpPortMin: Type.Integer({
      description: 'First RTP port; only even ones are used.',
      default: 20_000,
      minimum: 1_024,
      maximum: 65_534,
      env: 'RINGFENCE_SOFTSWITCH_RTP_PORT_MIN',
      source: 'RFC 3550 §11',
    }),
    rtpPortMax: Type.Integer({
      description: 'Last RTP port. One call takes one even port.',
      default: 29_998,
      minimum: 1_024,
      maximum: 65_534,
      env: 'RINGFENCE_SOFTSWITCH_RTP_PORT_MAX',
      source: 'RFC 3550 §11',
    }),
    secureMedia: Type.Enum(['forbidden', 'optional', 'mandatory'], {
      description:
        'Encryption of calls’ audio (SRTP, keys in SDP). `mandatory`: a far end without it is ' +
        'refused; use it with SIP over TLS, since whoever reads the SDP has the keys. `optional` ' +
        'offers both, as FreeSWITCH does by default, with its trap: once SRTP was agreed in a ' +
        'call, plain audio is no longer heard in it.',
      default: 'forbidden',
      env: 'RINGFENCE_SOFTSWITCH_SECURE_MEDIA',
      source: 'RFC 4568; FreeSWITCH rtp_secure_media',
    }),
    rtpQuarantineMs: Type.Integer({
      description:
        'How long an RTP port rests after a call, so that late packets of the last call never ' +
        'reach the next.',
      default: 5_000,
      minimum: 0,
      maximum: 600_000,
      env: 'RINGFENCE_SOFTSWITCH_RTP_QUARANTINE_MS',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The embedded switch.' },
);

export type SoftswitchConfig = Static<typeof SoftswitchConfig>;
