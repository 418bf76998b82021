/** The HTTP server: where it listens, who may ask, and how much. */
import { Type, type Static } from 'typebox';

export const HttpConfig = Type.Object(
  {
    host: Type.String({
      description:
        'Address to listen on. Loopback, unless a proxy on another machine stands before.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_HTTP_HOST',
    }),
    port: Type.Integer({
      description: 'Port to listen on; 0 takes any free one.',
      default: 8_080,
      minimum: 0,
      maximum: 65_535,
      env: 'RINGFENCE_HTTP_PORT',
    }),
    publicUrl: Type.String({
      description:
        'Where AI agents reach this server, without a slash at the end, when that is not where it ' +
        'listens: the address of a proxy that speaks HTTPS. Empty: they reach it where it listens.',
      default: '',
      pattern: '^(?:|https?://[^\\s/]+(?:/[^\\s]*[^\\s/])?)$',
      maxLength: 500,
      env: 'RINGFENCE_HTTP_PUBLIC_URL',
    }),
    allowInsecure: Type.Boolean({
      description:
        'Listen on an address beyond loopback without TLS: a proxy in front of it speaks HTTPS. Keys ' +
        'and numbers cross the network in the clear otherwise.',
      default: false,
      env: 'RINGFENCE_HTTP_ALLOW_INSECURE',
    }),
    tlsCertificateFile: Type.String({
      description: 'PEM file of the certificate with its chain. With it HTTPS is spoken.',
      default: '',
      env: 'RINGFENCE_HTTP_TLS_CERTIFICATE_FILE',
    }),
    tlsKeyFile: Type.String({
      description: 'PEM file of the private key of that certificate.',
      default: '',
      env: 'RINGFENCE_HTTP_TLS_KEY_FILE',
    }),
    adminKey: Type.String({
      description:
        'An admin key of your own, at least 32 characters; it holds for as long as it stands here. ' +
        'Empty: one is made on the first start, and shown once.',
      default: '',
      pattern: '^(?:|[!-~]{32,200})$',
      env: 'RINGFENCE_HTTP_ADMIN_KEY',
      secret: true,
    }),
    requestsPerSecondMax: Type.Integer({
      description: 'Requests of one key, as a steady rate; four seconds of it may come at once.',
      default: 100,
      minimum: 1,
      maximum: 100_000,
      env: 'RINGFENCE_HTTP_REQUESTS_PER_SECOND_MAX',
    }),
    uploadFolder: Type.String({
      description:
        'Where an uploaded file waits until its last row is in the store. It is deleted then.',
      default: 'data/uploads',
      minLength: 1,
      env: 'RINGFENCE_HTTP_UPLOAD_FOLDER',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'HTTP: the interface under /v1, and AI agents with what they return.',
  },
);
export type HttpConfig = Static<typeof HttpConfig>;
