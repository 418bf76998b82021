/** The registrar as it is configured; undefined when no phone can register. */
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import type { RepresentativeDirectory } from '../../machines/representative-directory.port.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { Registrar } from './registrar.ts';

export function openRegistrar(
  { registrar }: GatewayConfig,
  directory: RepresentativeDirectory | undefined,
  parts: { readonly clock: GatewayClock; readonly log: GatewayLog },
): Registrar | undefined {
  const { realm, expiresMinS, expiresMaxS, expiresDefaultS, nonceLifetimeMs } = registrar;
  if (realm === '' || directory === undefined) return undefined;
  const expires = { minS: expiresMinS, maxS: expiresMaxS, defaultS: expiresDefaultS };
  return new Registrar({ options: { realm, expires, nonceLifetimeMs }, directory, ...parts });
}
