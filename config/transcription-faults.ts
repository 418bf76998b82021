/** What no single entry can say of transcription: each engine needs what it works with. */
import type { SchemaFault } from './schema-faults.ts';
import type { TranscriptionConfig } from './transcription.schema.ts';
import { isLoopback } from './trunk-address.ts';

const at = (key: keyof TranscriptionConfig) => ['gateway', 'transcription', key];

export function transcriptionFaults(config: TranscriptionConfig): SchemaFault[] {
  if (config.engine === 'http') return urlFaults(config.baseUrl);
  return config.engine === 'command' ? commandFaults(config.command) : [];
}

/** The value is not repeated: a URL may hold a password. */
function urlFaults(baseUrl: string): SchemaFault[] {
  const path = at('baseUrl');
  if (baseUrl === '') {
    const remedy = 'give the endpoint, such as https://host/v1';
    return [{ path, problem: 'is empty, and gateway.transcription.engine is http', remedy }];
  }
  if (!URL.canParse(baseUrl)) {
    return [{ path, problem: 'is no URL', remedy: 'write it as https://host/v1' }];
  }
  const { protocol, hostname, username, password, search, hash } = new URL(baseUrl);
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    const remedy = 'give scheme, host and path alone; the key is gateway.transcription.apiKey';
    return [{ path, problem: 'holds credentials, a query or a fragment', remedy }];
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback({ host }))) return [];
  const remedy = 'use https, or an endpoint on this machine';
  return [{ path, problem: 'would send recordings over a network in the clear', remedy }];
}

function commandFaults(command: readonly string[]): SchemaFault[] {
  const path = at('command');
  const [program = ''] = command;
  if (!program.startsWith('/')) {
    const remedy = 'name a program by its whole path, such as /usr/local/bin/transcribe';
    const problem = program === '' ? 'is empty' : 'does not begin with the path of a program';
    return [{ path, problem: `${problem}, and the engine is command`, remedy }];
  }
  if (command.slice(1).some((word) => word.includes('{file}'))) return [];
  return [{ path, problem: 'has no {file} among its arguments', remedy: 'put {file} in one' }];
}
