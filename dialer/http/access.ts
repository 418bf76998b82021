/**
 * Who may ask: a key in `Authorization: Bearer`, whose role must reach what the route asks for. In a
 * browser `/docs` takes the key as the password of Basic authentication.
 */
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { mayActAs, type Role } from '../api-keys/api-key.ts';
import { callerOf, type Caller } from '../api-keys/api-keys.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { HttpError } from './http-error.ts';
import type { RateLimit } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The role that a caller needs; `agentToken` is the business of the route, `none` of nobody. */
    access?: Role | 'agentToken' | 'none';
    /** What the answer is, when it is not JSON. */
    produces?: string;
    /** A browser may ask with Basic authentication. */
    asksBrowser?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

export interface AccessOptions {
  readonly database: OpenDatabase;
  readonly limit: RateLimit;
}

/** For every route that is registered in `app` after this. One without `access` is refused at once. */
export function guardRoutes(app: FastifyInstance, options: AccessOptions): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.access !== undefined) return;
    throw new Error(`the route ${route.url} does not say who may ask for it`);
  });
  app.addHook('onRequest', guard(options));
}

export function guard({ database, limit }: AccessOptions): onRequestAsyncHookHandler {
  return async (request) => {
    const { access, asksBrowser = false } = request.routeOptions.config;
    if (access === undefined || access === 'none' || access === 'agentToken') return;
    const key = keyOfRequest(request, asksBrowser);
    const caller = key === undefined ? undefined : await callerOf(database, key);
    if (caller === undefined) throw unauthorized(asksBrowser);
    limit.take(caller.keyId);
    if (!mayActAs(caller.role, access)) {
      throw new HttpError('KEY_FORBIDDEN', `the key has the role ${caller.role}, not ${access}`);
    }
    request.caller = caller;
  };
}

/** Of a guarded route. */
export function callerOfRequest({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new Error('a route that asks for its caller has to be guarded');
  return caller;
}

function unauthorized(asksBrowser: boolean): HttpError {
  const challenge = asksBrowser ? 'Basic realm="the key is the password"' : 'Bearer';
  return new HttpError('KEY_UNAUTHORIZED', 'send a valid key: Authorization: Bearer rf_…', {
    'www-authenticate': challenge,
  });
}

/** RFC 6750 §2.1. In no other place: a key in a URL ends up in logs. */
function keyOfRequest({ headers }: FastifyRequest, asksBrowser: boolean): string | undefined {
  const { authorization = '' } = headers;
  const bearer = /^Bearer +([\x21-\x7e]{16,200}) *$/i.exec(authorization)?.[1];
  if (bearer !== undefined || !asksBrowser) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/=]{1,600}) *$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const password = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('latin1'))?.[1];
  return password !== undefined && /^[\x21-\x7e]{16,200}$/.test(password) ? password : undefined;
}
