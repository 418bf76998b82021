/** The HTTP server: where it listens, and where others reach it. */
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
  },
  {
    additionalProperties: false,
    default: {},
    description: 'HTTP, for now for AI agents: their context, and what they return.',
  },
);
export type HttpConfig = Static<typeof HttpConfig>;
