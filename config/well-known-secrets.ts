/** Secrets that everybody knows are as good as none. */
import type { ConfigPath } from './config-path.ts';
import type { SchemaFault } from './schema-faults.ts';

/** Defaults of the servers we connect to, and what people write while meaning to change it. */
const WELL_KNOWN_SECRETS = [
  'cymru', // drachtio-server
  'cluecon', // FreeSWITCH
  'foobared', // Redis
  'changeme',
  'change-me',
  'change_me',
  'password',
  'passw0rd',
  'secret',
  'admin',
  'default',
  'example',
  'test',
  '1234',
  '12345',
  '123456',
];

export function isWellKnownSecret(secret: string): boolean {
  return WELL_KNOWN_SECRETS.includes(secret.trim().toLowerCase());
}

export function secretFault(path: ConfigPath, secret: string, needed: boolean): SchemaFault[] {
  if (secret === '' && !needed) return [];
  if (secret.trim() === '') {
    return [
      {
        path,
        problem: 'is empty, and an outside server is used',
        remedy: 'give the secret that the server is set to, or set gateway.embedded: true',
      },
    ];
  }
  if (!isWellKnownSecret(secret)) return [];
  return [
    {
      path,
      problem: 'is a default that everybody knows',
      remedy: 'set a secret of your own here and on the server (openssl rand -hex 16)',
    },
  ];
}
