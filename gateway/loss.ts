/**
 * Loss of one half of the switch.
 *
 * drachtio away: no dialog can be steered and no answer heard. What was being dialled or talked ends
 * now, told as ended by the switch, its endpoint is hung up over its own event socket, and the far end
 * gets CANCEL or BYE by stored id as soon as drachtio is back (dialog-ender.ts).
 *
 * FreeSWITCH away: channels tell their own end, and their attempts follow. Channels whose event
 * sockets live on stay in their calls: only the connection for making new ones is gone.
 *
 * Either way new dials are refused until both are back.
 */
import type { AttemptRegistry } from './attempts/attempt-registry.ts';
import type { GatewayLog } from './gateway-log.ts';
import type { EndpointPool } from './media/endpoint-pool.ts';
import type { MediaEndpoint } from './media/media-endpoint.ts';
import type { MediaLink } from './media/media-link.ts';
import type { SipLink } from './sip/sip-link.ts';

export interface LossParts {
  readonly link: SipLink;
  readonly media: MediaLink;
  readonly pool: Pick<EndpointPool<MediaEndpoint>, 'resume' | 'pause'>;
  readonly registry: AttemptRegistry;
  readonly log: GatewayLog;
  readonly onChange: () => void;
}

export function watchLoss(parts: LossParts): void {
  const { link, media, pool, registry, log, onChange } = parts;
  const resume = (): void => {
    if (link.isUp && media.isUp) pool.resume();
    onChange();
  };
  link.onUp(resume);
  media.onUp(resume);
  link.onDown(({ detail }) => {
    pool.pause(`drachtio: ${detail}`);
    const attempts = [...registry.active];
    for (const attempt of attempts) attempt.switchLost(`drachtio: ${detail}`);
    if (attempts.length > 0) log.warn({ attempts: attempts.length }, 'attempts ended by the loss');
    onChange();
  });
  media.onDown((problem) => {
    pool.pause(`FreeSWITCH: ${problem}`);
    onChange();
  });
}

/** Why nothing can be dialled, or undefined. */
export function switchProblem(parts: Pick<LossParts, 'link' | 'media'>): string | undefined {
  if (!parts.link.isUp) return `drachtio: ${parts.link.problem.detail}`;
  if (!parts.media.isUp) return `FreeSWITCH: ${parts.media.problem}`;
  return undefined;
}
