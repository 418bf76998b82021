/** Live events: the log of everything that happens, as server-sent events. */
import { Type } from 'typebox';
import type { StoredEvent } from '../../../store/event-reader.ts';
import { Id, orNull, Time, timeText } from '../wire-types.ts';

/** What stands behind `data:`; `id:` is where to go on, `event:` is the type again. */
export const LiveEvent = Type.Object(
  {
    type: Type.String({ description: 'Such as `attempt.recorded` or `engagement.suspended`.' }),
    at: Time,
    stream: Type.String({ description: 'What it is about: `task:<id>`, `attempt:<id>` …' }),
    engagementId: orNull(Id),
    actor: Type.String(),
    before: Type.Unknown(),
    after: Type.Unknown(),
    payload: Type.Record(Type.String(), Type.Unknown()),
  },
  {
    examples: [
      {
        type: 'attempt.recorded',
        at: '2026-03-02T17:00:04.731Z',
        stream: 'task:019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a15',
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        actor: 'dialer:dialer-1',
        before: null,
        after: null,
        payload: { result: 'Busy' },
      },
    ],
  },
);

export const EventFilters = Type.Object(
  {
    engagementId: Type.Optional(Id),
    types: Type.Optional(
      Type.String({
        description: 'Only these types, with commas between; `attempt.*` stands for all of them.',
        pattern: '^[A-Za-z*.]{1,60}(?:,[A-Za-z*.]{1,60}){0,19}$',
        examples: ['attempt.recorded,engagement.*'],
      }),
    ),
    from: Type.Enum(['now', 'start'], {
      description: 'Where to begin without Last-Event-ID.',
      default: 'now',
    }),
  },
  { additionalProperties: false },
);

export const EventHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description:
        'The `id` of the last event that was seen: goes on behind it, nothing is left out.',
      pattern: '^\\d{1,15}-\\d{1,15}$',
      examples: ['0-4711'],
    }),
  ),
});

export function eventText(event: StoredEvent, engagementId: string | null): string {
  const data = JSON.stringify({
    type: event.type,
    at: timeText(event.at_ms),
    stream: event.stream_id,
    engagementId,
    actor: event.actor,
    before: event.before === null ? null : (JSON.parse(event.before) as unknown),
    after: event.after === null ? null : (JSON.parse(event.after) as unknown),
    payload: JSON.parse(event.payload) as unknown,
  });
  return `id: ${event.tx}-${event.seq}\nevent: ${event.type}\ndata: ${data}\n\n`;
}
