/** What an attempt is made of and works with. */
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import type { ListeningPort } from '../audio-taps/listening.port.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { CallQuality } from '../media/call-quality.ts';
import type { EndpointPool } from '../media/endpoint-pool.ts';
import type { Lobbies } from '../lobby/lobby-desk.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import type { RecordingFiles } from '../recordings/recording-files.ts';
import type { DialogEnder } from '../sip/dialog-ender.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { CallRoute } from '../trunks/call-route.ts';
import type { DialAdmission } from './dial-admission.ts';
import type { Attempt } from './attempt.ts';
import type { EventOutlet } from './event-outlet.ts';

/** Shared by all attempts of a gateway. */
export interface AttemptServices {
  readonly link: SipLink;
  readonly ender: DialogEnder;
  readonly pool: EndpointPool<MediaEndpoint>;
  /** Where a call over that trunk gets its endpoint. Default: `pool`. */
  readonly poolFor?: (trunk: TrunkConfig) => EndpointPool<MediaEndpoint>;
  readonly prompts: PromptFiles;
  readonly listening: ListeningPort;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
  readonly counters: GatewayCounters;
  /** How well the far end of a call was heard, a moment after its end. */
  readonly onQuality: (trunk: string, quality: CallQuality) => void;
  readonly lobbies: Lobbies;
  readonly recordings: RecordingFiles;
}

export interface AttemptParts {
  readonly dial: AttemptDial;
  /** Its trunk, with a channel taken, and those to try should that one fail. */
  readonly route: CallRoute;
  readonly events: EventOutlet;
  readonly services: AttemptServices;
  /** A number to which its customer is to be passed on, by all rules of a dial. */
  readonly admitTransfer: (destination: string) => DialAdmission;
  /** The attempt has ended or was refused: nothing more will be told. */
  readonly onOver: (attempt: Attempt) => void;
  /** And nothing of it is left on the wire: the trunk's channel is free. */
  readonly onReleased: (attempt: Attempt) => void;
}
