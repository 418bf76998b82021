/** Numbers to dial and tokens of AI agents pass over the bus: not in the clear by accident. */
import type { BusConfig } from './bus.schema.ts';
import type { SchemaFault } from './schema-faults.ts';
import { isLoopback } from './trunk-address.ts';
import { secretFault } from './well-known-secrets.ts';

export function busFaults({ bus }: { readonly bus: BusConfig }): SchemaFault[] {
  const isBeyond = bus.nodes.some((node) => !isLoopback({ host: hostOf(node) }));
  const faults = [
    ...secretFault(['bus', 'password'], bus.password, false),
    ...secretFault(['bus', 'sentinelPassword'], bus.sentinelPassword, false),
  ];
  if (isBeyond && bus.password === '') {
    faults.push({
      path: ['bus', 'password'],
      problem: 'is empty, and a node of Redis is beyond loopback',
      remedy: 'set one here and on the server (requirepass, openssl rand -hex 16)',
    });
  }
  if (isBeyond && !bus.tls && !bus.allowInsecure) {
    faults.push({
      path: ['bus', 'tls'],
      problem: 'is false, and a node of Redis is beyond loopback',
      remedy: 'set it to true, or allowInsecure: true on a network that is protected otherwise',
    });
  }
  if (bus.topology === 'single' && bus.nodes.length > 1) {
    faults.push({
      path: ['bus', 'nodes'],
      problem: `names ${String(bus.nodes.length)} servers, and topology is single`,
      remedy: 'name one, or set topology to sentinel or cluster',
    });
  }
  return faults;
}

function hostOf(node: string): string {
  return node.slice(0, node.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
