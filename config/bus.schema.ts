/** Redis, over which dialers and gateways in different processes speak. */
import { Type, type Static } from 'typebox';

export const BusConfig = Type.Object(
  {
    nodes: Type.Array(
      Type.String({ pattern: '^(?:\\[[0-9a-fA-F:]+\\]|[^:\\s]{1,253}):[0-9]{1,5}$' }),
      {
        description:
          'Redis servers as `host:port`: the server, or some of the Sentinels, or some of the nodes of ' +
          'a Cluster. Needed by `start --only`; a service in one process uses no Redis.',
        default: [],
        maxItems: 20,
        env: 'RINGFENCE_BUS_NODES',
        examples: [['redis.internal:6379']],
      },
    ),
    topology: Type.Enum(['single', 'sentinel', 'cluster'], {
      description: 'What `nodes` are.',
      default: 'single',
      env: 'RINGFENCE_BUS_TOPOLOGY',
    }),
    sentinelMaster: Type.String({
      description: 'Name under which the Sentinels know the server. Not used by the others.',
      default: 'mymaster',
      minLength: 1,
      maxLength: 100,
      env: 'RINGFENCE_BUS_SENTINEL_MASTER',
    }),
    sentinelPassword: Type.String({
      description: 'Password of the Sentinels themselves. Empty: they ask for none.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_BUS_SENTINEL_PASSWORD',
      secret: true,
    }),
    username: Type.String({
      description: 'User of the access control list. Empty: the default user.',
      default: '',
      maxLength: 100,
      env: 'RINGFENCE_BUS_USERNAME',
    }),
    password: Type.String({
      description: 'Password of Redis. May be empty only while every node is on loopback.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_BUS_PASSWORD',
      secret: true,
    }),
    tls: Type.Boolean({
      description: 'Connect by TLS. The certificate of the server is always verified.',
      default: false,
      env: 'RINGFENCE_BUS_TLS',
    }),
    tlsAuthoritiesFile: Type.String({
      description: 'PEM file of the authorities that sign it. Empty: those that Node.js knows.',
      default: '',
      maxLength: 1_024,
      env: 'RINGFENCE_BUS_TLS_AUTHORITIES_FILE',
    }),
    tlsServerName: Type.String({
      description: 'Name that stands in the certificate. Empty: the host of the node.',
      default: '',
      maxLength: 253,
      env: 'RINGFENCE_BUS_TLS_SERVER_NAME',
    }),
    allowInsecure: Type.Boolean({
      description:
        'Reach nodes beyond loopback without TLS: only on a network that is protected otherwise. ' +
        'What passes holds telephone numbers.',
      default: false,
      env: 'RINGFENCE_BUS_ALLOW_INSECURE',
    }),
    keyPrefix: Type.String({
      description: 'Begins every key. The same in every process of one installation.',
      default: 'ringfence',
      pattern: '^[A-Za-z0-9._-]{1,40}$',
      env: 'RINGFENCE_BUS_KEY_PREFIX',
    }),
    commandTimeoutMs: Type.Integer({
      description:
        'How long a gateway may take to answer a command. Later the attempt is in doubt, and the ' +
        'gateway is asked about it.',
      default: 4_000,
      minimum: 100,
      maximum: 60_000,
      env: 'RINGFENCE_BUS_COMMAND_TIMEOUT_MS',
    }),
    heartbeatMs: Type.Integer({
      description: 'How often a gateway says that it is there.',
      default: 1_000,
      minimum: 50,
      maximum: 30_000,
      env: 'RINGFENCE_BUS_HEARTBEAT_MS',
    }),
    gatewayLostMs: Type.Integer({
      description:
        'A gateway that was silent for this long counts as lost. Time in which this process itself ' +
        'was without Redis does not count.',
      default: 6_000,
      minimum: 200,
      maximum: 120_000,
      env: 'RINGFENCE_BUS_GATEWAY_LOST_MS',
    }),
    reclaimIdleMs: Type.Integer({
      description:
        'Events that a dialer took and did not confirm within this are taken by the one that owns ' +
        'the queue group now.',
      default: 10_000,
      minimum: 500,
      maximum: 600_000,
      env: 'RINGFENCE_BUS_RECLAIM_IDLE_MS',
    }),
    replayMs: Type.Integer({
      description:
        'Events this young are told again by the gateway when Redis turns out to have lost them.',
      default: 60_000,
      minimum: 1_000,
      maximum: 600_000,
      env: 'RINGFENCE_BUS_REPLAY_MS',
    }),
    waitingMax: Type.Integer({
      description:
        'Messages a process keeps for the time when Redis is back. Of more, the oldest are dropped.',
      default: 50_000,
      minimum: 100,
      maximum: 1_000_000,
      env: 'RINGFENCE_BUS_WAITING_MAX',
    }),
    reconnectDelayMinMs: Type.Integer({
      description: 'Pause before the first reconnection; doubles up to the maximum.',
      default: 50,
      minimum: 10,
      maximum: 60_000,
      env: 'RINGFENCE_BUS_RECONNECT_DELAY_MIN_MS',
    }),
    reconnectDelayMaxMs: Type.Integer({
      description: 'Longest pause between two reconnections.',
      default: 2_000,
      minimum: 10,
      maximum: 600_000,
      env: 'RINGFENCE_BUS_RECONNECT_DELAY_MAX_MS',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'Redis between dialers and gateways in different processes.',
  },
);
export type BusConfig = Static<typeof BusConfig>;
