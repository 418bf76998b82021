/**
 * The real servers that the environment names: DRACHTIO=host:port:secret and
 * FREESWITCH=host:port:password, with the far ends at CONTRACT_HOST where that FreeSWITCH is on another
 * host.
 */
import type { EslTarget } from './mrf-client.ts';
import type { ControlTarget } from './srf-client.ts';

export interface NamedServers {
  readonly control: ControlTarget;
  readonly esl: EslTarget;
}

/** Where far ends of tests are: the loopback, unless FreeSWITCH is on another host. */
export const OUR_HOST = process.env['CONTRACT_HOST'] ?? '127.0.0.1';

/** Undefined unless both are named. */
export function namedServers(): NamedServers | undefined {
  const control = process.env['DRACHTIO']?.split(':');
  const esl = process.env['FREESWITCH']?.split(':');
  if (control === undefined || esl === undefined) return undefined;
  return {
    control: { host: control[0] ?? '', port: Number(control[1]), secret: control[2] ?? '' },
    esl: {
      ...{ host: esl[0] ?? '', port: Number(esl[1]), password: esl[2] ?? '' },
      ourHost: OUR_HOST,
    },
  };
}
