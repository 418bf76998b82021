/** The SIP edge gateway: its switch, its pool of media endpoints, its patience, its trunks. */
import { Type, type Static } from 'typebox';
import { DialInConfig, InboundConfig, RegistrarConfig } from './representatives.schema.ts';
import { SpeechConfig } from './speech.schema.ts';
import { TranscriptionConfig } from './transcription.schema.ts';
import { TrunkConfig, TrunkGroupConfig } from './trunk.schema.ts';

const DrachtioConfig = Type.Object(
  {
    host: Type.String({
      description: 'Where drachtio-server takes control connections. Not used while `embedded`.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_DRACHTIO_HOST',
    }),
    port: Type.Integer({
      description: 'Control port of drachtio-server. Not used while `embedded`.',
      default: 9022,
      minimum: 1,
      maximum: 65_535,
      env: 'RINGFENCE_DRACHTIO_PORT',
    }),
    secret: Type.String({
      description:
        'Shared secret of the control connection. Empty while `embedded`: one is made at start. ' +
        'The default of a fresh drachtio installation is refused.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_DRACHTIO_SECRET',
      secret: true,
    }),
    sharedTag: Type.String({
      description:
        'Application tag of the control connection. The same on every gateway, so that any of ' +
        'them may end the dialogs of one that died.',
      default: 'ringfence',
      pattern: '^[A-Za-z0-9_-]{1,32}$',
      env: 'RINGFENCE_DRACHTIO_SHARED_TAG',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The SIP signalling server.' },
);

const FreeswitchConfig = Type.Object(
  {
    host: Type.String({
      description: 'Where FreeSWITCH takes event-socket connections. Not used while `embedded`.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_FREESWITCH_HOST',
    }),
    port: Type.Integer({
      description: 'Event-socket port of FreeSWITCH. Not used while `embedded`.',
      default: 8021,
      minimum: 1,
      maximum: 65_535,
      env: 'RINGFENCE_FREESWITCH_PORT',
    }),
    password: Type.String({
      description:
        'Event-socket password. Empty while `embedded`: one is made at start. The default of a ' +
        'fresh FreeSWITCH installation is refused.',
      default: '',
      maxLength: 256,
      env: 'RINGFENCE_FREESWITCH_PASSWORD',
      secret: true,
    }),
    listenHost: Type.String({
      description:
        'Address of ours that FreeSWITCH connects back to, one socket per endpoint. Must be ' +
        'reachable from FreeSWITCH.',
      default: '127.0.0.1',
      minLength: 1,
      maxLength: 253,
      env: 'RINGFENCE_FREESWITCH_LISTEN_HOST',
    }),
    filesPort: Type.Integer({
      description:
        'Port on `listenHost` where FreeSWITCH reads prompts and delivers recordings over HTTP. 0 ' +
        'takes any free port.',
      default: 0,
      minimum: 0,
      maximum: 65_535,
      env: 'RINGFENCE_FREESWITCH_FILES_PORT',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The media server.' },
);

export const GatewayConfig = Type.Object(
  {
    id: Type.String({
      description:
        'Name of this gateway. Dials go to one named gateway, so it is unique and survives a ' +
        'restart.',
      default: 'gateway-1',
      pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
      env: 'RINGFENCE_GATEWAY_ID',
    }),
    embedded: Type.Boolean({
      description:
        'Start the embedded switch instead of connecting to drachtio-server and FreeSWITCH.',
      default: true,
      env: 'RINGFENCE_GATEWAY_EMBEDDED',
    }),
    drachtio: DrachtioConfig,
    freeswitch: FreeswitchConfig,
    endpointsWarm: Type.Integer({
      description:
        'Media endpoints kept ready before a dial asks for one. An endpoint serves one call and ' +
        'is then destroyed. 0 makes each when it is needed.',
      default: 4,
      minimum: 0,
      maximum: 1_000,
      env: 'RINGFENCE_GATEWAY_ENDPOINTS_WARM',
    }),
    endpointsMax: Type.Integer({
      description: 'Media endpoints at one moment, warm and in calls together.',
      default: 500,
      minimum: 1,
      maximum: 10_000,
      env: 'RINGFENCE_GATEWAY_ENDPOINTS_MAX',
    }),
    connectTimeoutMs: Type.Integer({
      description: 'How long the switch may take to accept a connection before we try again.',
      default: 10_000,
      minimum: 100,
      maximum: 120_000,
      env: 'RINGFENCE_GATEWAY_CONNECT_TIMEOUT_MS',
    }),
    reconnectDelayMinMs: Type.Integer({
      description: 'Pause before the first reconnection; doubles up to the maximum.',
      default: 250,
      minimum: 10,
      maximum: 60_000,
      env: 'RINGFENCE_GATEWAY_RECONNECT_DELAY_MIN_MS',
    }),
    reconnectDelayMaxMs: Type.Integer({
      description: 'Longest pause between two reconnections.',
      default: 10_000,
      minimum: 10,
      maximum: 600_000,
      env: 'RINGFENCE_GATEWAY_RECONNECT_DELAY_MAX_MS',
    }),
    endpointTimeoutMs: Type.Integer({
      description: 'How long the media server may take to make an endpoint.',
      default: 4_000,
      minimum: 100,
      maximum: 60_000,
      env: 'RINGFENCE_GATEWAY_ENDPOINT_TIMEOUT_MS',
    }),
    mediaCommandTimeoutMs: Type.Integer({
      description:
        'How long the media server may take to answer a command. Playback is bounded by its ' +
        'own length and by the hang-up, not by this.',
      default: 5_000,
      minimum: 100,
      maximum: 60_000,
      env: 'RINGFENCE_GATEWAY_MEDIA_COMMAND_TIMEOUT_MS',
    }),
    trunkCheckTimeoutMs: Type.Integer({
      description: 'How long a trunk may take to answer OPTIONS before it counts as silent.',
      default: 4_000,
      minimum: 100,
      maximum: 32_000,
      env: 'RINGFENCE_GATEWAY_TRUNK_CHECK_TIMEOUT_MS',
      source: 'RFC 3261 §17.1.2.2: timer F ends the transaction after 32 s',
    }),
    trunkCheckIntervalMs: Type.Integer({
      description: 'Pause between two OPTIONS to a trunk. 0 turns the checks off.',
      default: 30_000,
      minimum: 0,
      maximum: 3_600_000,
      env: 'RINGFENCE_GATEWAY_TRUNK_CHECK_INTERVAL_MS',
    }),
    promptsDir: Type.String({
      description:
        'Folder of prompts: prompt `welcome` is `welcome.wav` in it. Media servers read them from ' +
        'the gateway, over HTTP: they need no access to the folder.',
      default: 'prompts',
      minLength: 1,
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_PROMPTS_DIR',
    }),
    speech: SpeechConfig,
    registrar: RegistrarConfig,
    inbound: InboundConfig,
    dialIn: DialInConfig,
    tapsDir: Type.String({
      description:
        'Folder through which FreeSWITCH hands over what customers say: on the same host, or a disk ' +
        'with FIFOs that both see by this name, writable for both. Empty: a folder of its own while ' +
        '`embedded`, else datagrams, which end with the first prompt or bridge.',
      default: '',
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_TAPS_DIR',
    }),
    listenInThread: Type.Boolean({
      description:
        'Listen to customers (answering machines, tones, digits) in a thread of its own. Off: in the ' +
        'main one, which is enough for a few calls.',
      default: true,
      env: 'RINGFENCE_GATEWAY_LISTEN_IN_THREAD',
    }),
    recordingsDir: Type.String({
      description:
        'Folder of recordings, made when the first one begins. Media servers deliver them to the ' +
        'gateway, over HTTP: they need no access to the folder.',
      default: 'recordings',
      minLength: 1,
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_RECORDINGS_DIR',
    }),
    transcription: TranscriptionConfig,
    trunks: Type.Array(TrunkConfig, {
      description: 'The trunks, in no order of preference.',
      default: [],
      maxItems: 200,
    }),
    trunkGroups: Type.Array(TrunkGroupConfig, {
      description:
        'Groups of trunks: a call goes to one by priority and weight, and to another when that one ' +
        'fails before anything can be ringing.',
      default: [],
      maxItems: 50,
    }),
  },
  { additionalProperties: false, default: {}, description: 'The SIP edge gateway.' },
);

export type GatewayConfig = Static<typeof GatewayConfig>;
