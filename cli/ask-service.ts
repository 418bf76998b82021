/**
 * One request to the service that runs, for commands that operate it. The key is `http.adminKey` of the
 * configuration, which the environment may hold.
 */
import { Command } from 'commander';
import { loadProcessConfig } from '../config/process-config.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { CliError } from './cli-error.ts';

export interface ServiceOptions {
  readonly config?: string;
  /** Where it is; default: as the configuration has it. */
  readonly url?: string;
}

/** A command that asks it. */
export function serviceCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <url>', 'where the service is; default: as the configuration has it')
    .option('--config <file>', 'configuration, with the key that may do it')
    .option('--json', 'one JSON value on stdout', false);
}

export interface ServiceRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** Sent as JSON; a text as it is, with its type. */
  readonly body?: object | { readonly mediaType: string; readonly text: string };
  /** The version that is to be changed, and no other. */
  readonly ifVersion?: number;
}

/** Throws KEY_MISSING, SERVICE_UNREACHABLE, and the code of the problem when it refuses. */
export async function askService(
  options: ServiceOptions,
  { method = 'GET', path, body, ifVersion }: ServiceRequest,
): Promise<unknown> {
  const { config } = loadProcessConfig(options.config);
  const { adminKey } = config.http;
  if (adminKey === '') {
    throw new CliError('KEY_MISSING', 'No key: set RINGFENCE_HTTP_ADMIN_KEY, or http.adminKey.');
  }
  const url = new URL(path, baseUrl(options.url, config));
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` }),
      ...(body === undefined ? {} : { 'content-type': mediaTypeOf(body) }),
    },
    ...(body === undefined ? {} : { body: 'mediaType' in body ? body.text : JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new CliError(
      'SERVICE_UNREACHABLE',
      `The service at ${url.origin} is not there: ${reasonOf(error)}.`,
    );
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { code = 'SERVICE_REFUSED', detail = `it answered ${response.status}` } = answer as {
    code?: string;
    detail?: string;
  };
  throw new CliError(code, `The service refused: ${detail}.`);
}

function mediaTypeOf(body: NonNullable<ServiceRequest['body']>): string {
  return 'mediaType' in body ? body.mediaType : 'application/json';
}

/** What the socket said is the cause of what `fetch` says, which is only that it failed. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const said = cause instanceof Error && cause.message !== '' ? cause : error;
  return said instanceof Error ? said.message : String(said);
}

function baseUrl(given: string | undefined, { http }: RingfenceConfig): URL {
  if (given !== undefined) {
    if (!/^https?:\/\//.test(given) || !URL.canParse(given)) {
      throw new CliError('USAGE', `--url ${given} is no http or https address.`);
    }
    return new URL(given);
  }
  const scheme = http.tlsCertificateFile === '' ? 'http' : 'https';
  return new URL(`${scheme}://${http.host}:${http.port}`);
}
