/** What no single entry can say: values that contradict one another, and secrets everybody knows. */
import type { ConfigPath } from './config-path.ts';
import type { RingfenceConfig } from './ringfence.schema.ts';
import type { SchemaFault } from './schema-faults.ts';
import { isLoopback, readTrunkAddress } from './trunk-address.ts';
import type { TrunkConfig } from './trunk.schema.ts';

/** Defaults of the servers we connect to, and what people write while meaning to change it. */
const WELL_KNOWN_SECRETS = [
  'cymru', // drachtio-server
  'cluecon', // FreeSWITCH
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

export function consistencyFaults(config: RingfenceConfig): SchemaFault[] {
  return [
    ...secretFaults(config),
    ...orderFaults(config),
    ...portFaults(config),
    ...tlsFaults(config),
    ...labFaults(config),
    ...httpFaults(config),
    ...duplicateNames(config.gateway.trunks),
    ...config.gateway.trunks.flatMap(trunkFaults),
  ];
}

function secretFaults({ gateway, softswitch }: RingfenceConfig): SchemaFault[] {
  const needed = !gateway.embedded;
  return [
    ...secretFault(['gateway', 'drachtio', 'secret'], gateway.drachtio.secret, needed),
    ...secretFault(['gateway', 'freeswitch', 'password'], gateway.freeswitch.password, needed),
    ...secretFault(['softswitch', 'controlSecret'], softswitch.controlSecret, false),
    ...secretFault(['softswitch', 'eslPassword'], softswitch.eslPassword, false),
  ];
}

function secretFault(path: ConfigPath, secret: string, needed: boolean): SchemaFault[] {
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

function orderFaults({ gateway, softswitch, dialing }: RingfenceConfig): SchemaFault[] {
  const pairs: [ConfigPath, number | string, string, number | string][] = [
    [['gateway', 'endpointsWarm'], gateway.endpointsWarm, 'endpointsMax', gateway.endpointsMax],
    [
      ['gateway', 'reconnectDelayMinMs'],
      gateway.reconnectDelayMinMs,
      'reconnectDelayMaxMs',
      gateway.reconnectDelayMaxMs,
    ],
    [['softswitch', 'rtpPortMin'], softswitch.rtpPortMin, 'rtpPortMax', softswitch.rtpPortMax],
    [
      ['dialing', 'callingHoursFrom'],
      dialing.callingHoursFrom,
      'callingHoursTo',
      dialing.callingHoursTo,
    ],
  ];
  return pairs
    .filter(([, low, , high]) => low > high)
    .map(([path, low, name, high]) => ({
      path,
      problem: `is ${String(low)}, beyond ${name}, which is ${String(high)}`,
      remedy: 'lower the one or raise the other',
    }));
}

function portFaults({ softswitch }: RingfenceConfig): SchemaFault[] {
  const ports = ['sipPort', 'sipTlsPort', 'controlPort', 'eslPort', 'mediaSipPort'] as const;
  return ports.flatMap((name, index) => {
    const port = softswitch[name];
    const other = ports.slice(0, index).find((earlier) => softswitch[earlier] === port);
    if (port === 0 || other === undefined) return [];
    return [
      {
        path: ['softswitch', name],
        problem: `is ${String(port)}, which is ${other} already`,
        remedy: 'give each its own port, or 0 for any free one',
      },
    ];
  });
}

/** TLS needs something to show; a trunk that wants TLS needs a switch that speaks it. */
function tlsFaults({ gateway, softswitch }: RingfenceConfig): SchemaFault[] {
  if (softswitch.sipProtocols.includes('tls')) {
    return (['tlsCertificateFile', 'tlsKeyFile'] as const)
      .filter((name) => softswitch[name] === '')
      .map((name) => ({
        path: ['softswitch', name],
        problem: 'is empty, and softswitch.sipProtocols names tls',
        remedy: 'give a PEM file, or take tls out of sipProtocols',
      }));
  }
  if (!gateway.embedded) return [];
  return gateway.trunks.flatMap(({ address }, index) => {
    const read = readTrunkAddress(address);
    if ('problem' in read || read.transport !== 'tls') return [];
    return [
      {
        path: ['gateway', 'trunks', index, 'address'],
        problem: 'wants TLS, which the embedded switch does not speak as it is set up',
        remedy: 'add tls to softswitch.sipProtocols, with a certificate and its key',
      },
    ];
  });
}

/** What is made for trials must not reach a telephone. */
function labFaults({ dialer, gateway }: RingfenceConfig): SchemaFault[] {
  if (dialer.labNumberGapMinMs === undefined) return [];
  const outside = gateway.trunks.filter(({ address }) => {
    const read = readTrunkAddress(address);
    return 'problem' in read || !isLoopback(read);
  });
  if (outside.length === 0) return [];
  const names = outside.map(({ name }) => name).join(', ');
  return [
    {
      path: ['dialer', 'labNumberGapMinMs'],
      problem: `is set, and these trunks are not on loopback: ${names}`,
      remedy: 'delete it, or the trunks; numberGapMinMs holds for real numbers',
    },
  ];
}

/** Keys and numbers never cross a network in the clear by accident. */
function httpFaults({ http }: RingfenceConfig): SchemaFault[] {
  const { host, allowInsecure, tlsCertificateFile: certificate, tlsKeyFile: key } = http;
  const faults = secretFault(['http', 'adminKey'], http.adminKey, false);
  if ((certificate === '') !== (key === '')) {
    faults.push({
      path: ['http', certificate === '' ? 'tlsKeyFile' : 'tlsCertificateFile'],
      problem: 'stands alone',
      remedy: 'give both files, of the certificate and of its key, or neither',
    });
  }
  if (!isLoopback({ host }) && certificate === '' && !allowInsecure) {
    faults.push({
      path: ['http', 'host'],
      problem: `is ${host}, beyond loopback, without TLS`,
      remedy: 'give tlsCertificateFile and tlsKeyFile, or allowInsecure: true behind a proxy',
    });
  }
  return faults;
}

function duplicateNames(trunks: readonly TrunkConfig[]): SchemaFault[] {
  return trunks.flatMap(({ name }, index) => {
    const first = trunks.findIndex((trunk) => trunk.name === name);
    if (first === index) return [];
    return [
      {
        path: ['gateway', 'trunks', index, 'name'],
        problem: `is '${name}', which names trunks[${String(first)}] already`,
        remedy: 'give each trunk its own name',
      },
    ];
  });
}

function trunkFaults(trunk: TrunkConfig, index: number): SchemaFault[] {
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
  if (trunk.password !== undefined)
    faults.push(...secretFault(at('password'), trunk.password, true));
  return faults;
}
