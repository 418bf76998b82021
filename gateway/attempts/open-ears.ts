/** The ears of one attempt: what they hear before the answer is told with the response it came with. */
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { AttemptAccount } from './attempt-account.ts';
import type { AttemptServices } from './attempt-parts.ts';
import { CustomerEars } from './customer-ears.ts';
import type { EventOutlet } from './event-outlet.ts';

export function openEars(
  endpoint: MediaEndpoint,
  { listening, clock }: Pick<AttemptServices, 'listening' | 'clock'>,
  events: EventOutlet,
  account: AttemptAccount,
): CustomerEars {
  return new CustomerEars({
    ...{ endpoint, listening, clock },
    emit: (body) => events.emit(body),
    onEarlyMedia: (verdict) => {
      const { lastProvisional: statusCode, afterSentMs } = account;
      events.emit({ type: 'attempt.earlyMedia', statusCode, afterSentMs, verdict });
    },
  });
}
