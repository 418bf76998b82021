/** What no single entry of a trunk or of a group can say: names, credentials, addresses that clash. */
import type { ConfigPath } from './config-path.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import type { SchemaFault } from './schema-faults.ts';
import { readTrunkAddress } from './trunk-address.ts';
import type { TrunkConfig, TrunkGroupConfig } from './trunk.schema.ts';
import { secretFault } from './well-known-secrets.ts';

export function trunkFaults({ trunks, trunkGroups }: GatewayConfig): SchemaFault[] {
  return [
    ...duplicateNames(trunks, 'trunks'),
    ...trunks.flatMap(faultsOfTrunk),
    ...duplicateNames(trunkGroups, 'trunkGroups'),
    ...trunkGroups.flatMap((group, index) => faultsOfGroup(group, index, trunks)),
  ];
}

function duplicateNames(
  entries: readonly { readonly name: string }[],
  list: 'trunks' | 'trunkGroups',
): SchemaFault[] {
  return entries.flatMap(({ name }, index) => {
    const first = entries.findIndex((entry) => entry.name === name);
    if (first === index) return [];
    return [
      {
        path: ['gateway', list, index, 'name'],
        problem: `is '${name}', which names ${list}[${String(first)}] already`,
        remedy: `give each ${list === 'trunks' ? 'trunk' : 'group'} its own name`,
      },
    ];
  });
}

function faultsOfTrunk(trunk: TrunkConfig, index: number): SchemaFault[] {
  const at = (key: string): ConfigPath => ['gateway', 'trunks', index, key];
  const faults: SchemaFault[] = [];
  const address = readTrunkAddress(trunk.address);
  if ('problem' in address) {
    faults.push({
      path: at('address'),
      problem: `cannot be used: ${address.problem}`,
      remedy: 'write it like sip:198.51.100.7:5060;transport=udp',
    });
  }
  if (trunk.username !== undefined && trunk.password === undefined) {
    faults.push({
      path: at('username'),
      problem: 'stands without a password',
      remedy: 'add password (or its environment variable), or delete username',
    });
  }
  if (trunk.password !== undefined && trunk.username === undefined) {
    faults.push({
      path: at('password'),
      problem: 'stands without a username',
      remedy: 'add username, or delete password',
    });
  }
  if (trunk.registerSeconds > 0 && trunk.username === undefined) {
    faults.push({
      path: at('registerSeconds'),
      problem: 'asks to register, and there is no username',
      remedy: 'add username and password, or set registerSeconds: 0',
    });
  }
  if (trunk.sessionSeconds > 0 && trunk.sessionSeconds < SESSION_SECONDS_MIN) {
    faults.push({
      path: at('sessionSeconds'),
      problem: `is ${String(trunk.sessionSeconds)}, less than any trunk may take (RFC 4028 §5)`,
      remedy: `set ${String(SESSION_SECONDS_MIN)} or more, or 0 for none`,
    });
  }
  const unreplaced = trunk.identityHeaders.find((name) => name !== 'P-Asserted-Identity');
  if (unreplaced !== undefined && trunk.domain === undefined) {
    faults.push({
      path: at('identityHeaders'),
      problem: `names ${unreplaced}, into which the switch does not write its own address`,
      remedy: 'add domain, the host that the trunk expects there',
    });
  }
  if (trunk.password !== undefined)
    faults.push(...secretFault(at('password'), trunk.password, true));
  return faults;
}

const SESSION_SECONDS_MIN = 90;

function faultsOfGroup(
  { name, members }: TrunkGroupConfig,
  index: number,
  trunks: readonly TrunkConfig[],
): SchemaFault[] {
  const faults: SchemaFault[] = [];
  if (trunks.some((trunk) => trunk.name === name)) {
    faults.push({
      path: ['gateway', 'trunkGroups', index, 'name'],
      problem: `is '${name}', which names a trunk`,
      remedy: 'give the group a name of its own',
    });
  }
  for (const [position, { trunk }] of members.entries()) {
    const path = ['gateway', 'trunkGroups', index, 'members', position, 'trunk'];
    const isFirst = members.findIndex((member) => member.trunk === trunk) === position;
    if (!trunks.some((known) => known.name === trunk)) {
      const problem = `is '${trunk}', and there is no such trunk`;
      faults.push({ path, problem, remedy: 'name one of gateway.trunks' });
    } else if (!isFirst) {
      const problem = `is '${trunk}', which the group has already`;
      faults.push({ path, problem, remedy: 'name each trunk once, and give it more weight' });
    }
  }
  return faults;
}
