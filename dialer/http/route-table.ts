/** Every route of an app, by address: to tell a wrong method from a wrong address, and for tests. */
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { Role } from '../api-keys/api-key.ts';

export interface ListedRoute {
  readonly method: string;
  readonly url: string;
  readonly access: Role | 'agentToken' | 'none' | undefined;
  readonly schema: FastifySchema | undefined;
}

export class RouteTable {
  readonly #options: RouteOptions[] = [];
  readonly #patterns = new Map<string, RegExp>();

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', (route) => {
      this.#options.push(route);
    });
  }

  /** As they are once everything is registered: a plugin may still change what it registers. */
  get routes(): readonly ListedRoute[] {
    return this.#options.flatMap(({ method, url, schema, config }) =>
      [method].flat().map((one) => ({ method: one, url, access: config?.access, schema })),
    );
  }

  /** Methods that an address takes; none when there is no such address. */
  methodsOf(path: string): string[] {
    const found = this.routes.filter(({ url }) => this.#patternOf(url).test(path));
    return [...new Set(found.map(({ method }) => method))].sort();
  }

  /** Of the route that an address belongs to. */
  schemaOf(method: string, path: string): FastifySchema | undefined {
    const own = this.routes.filter((route) => route.method === method);
    const exact = own.find(({ url }) => url === path);
    return (exact ?? own.find(({ url }) => this.#patternOf(url).test(path)))?.schema;
  }

  #patternOf(url: string): RegExp {
    const known = this.#patterns.get(url);
    if (known !== undefined) return known;
    const parts = url.split('/').map((part) => {
      if (part.startsWith(':')) return '[^/]+';
      return part === '*' ? '.*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
    });
    const pattern = new RegExp(`^${parts.join('/')}$`);
    this.#patterns.set(url, pattern);
    return pattern;
  }
}
