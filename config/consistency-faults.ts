/** What no single entry can say: values that contradict one another, and secrets everybody knows. */
import { busFaults } from './bus-faults.ts';
import type { ConfigPath } from './config-path.ts';
import { rulePackFaults } from './rule-pack-faults.ts';
import type { RingfenceConfig } from './ringfence.schema.ts';
import type { SchemaFault } from './schema-faults.ts';
import { journeyFaults } from './journey-faults.ts';
import { transcriptionFaults } from './transcription-faults.ts';
import { isLoopback, readTrunkAddress } from './trunk-address.ts';
import { trunkFaults } from './trunk-faults.ts';
import { secretFault } from './well-known-secrets.ts';

export function consistencyFaults(config: RingfenceConfig): SchemaFault[] {
  return [
    ...secretFaults(config),
    ...orderFaults(config),
    ...portFaults(config),
    ...tlsFaults(config),
    ...busFaults(config),
    ...labFaults(config),
    ...httpFaults(config),
    ...rulePackFaults(config.abandonment),
    ...trunkFaults(config.gateway),
    ...transcriptionFaults(config.gateway.transcription),
    ...journeyFaults(config.journeys),
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

function orderFaults({ bus, gateway, softswitch, dialing }: RingfenceConfig): SchemaFault[] {
  const pairs: [ConfigPath, number | string, string, number | string][] = [
    [['gateway', 'endpointsWarm'], gateway.endpointsWarm, 'endpointsMax', gateway.endpointsMax],
    [
      ['gateway', 'reconnectDelayMinMs'],
      gateway.reconnectDelayMinMs,
      'reconnectDelayMaxMs',
      gateway.reconnectDelayMaxMs,
    ],
    [
      ['bus', 'reconnectDelayMinMs'],
      bus.reconnectDelayMinMs,
      'reconnectDelayMaxMs',
      bus.reconnectDelayMaxMs,
    ],
    [['bus', 'heartbeatMs'], bus.heartbeatMs * 2, 'gatewayLostMs', bus.gatewayLostMs],
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
