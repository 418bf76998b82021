/** Workstreams as `/v1` takes and shows them. */
import { Type } from 'typebox';
import { workstreamInput, workstreamSettings } from '../../../engagements/change-settings.ts';
import {
  WORKSTREAM_SETTINGS,
  WorkstreamInput,
} from '../../../engagements/engagement-inputs.schema.ts';
import type { WorkstreamRow } from '../../../store/schema/engagement-tables.ts';
import { Id, pageOf, Time, timeText } from '../wire-types.ts';

const example = {
  name: 'Reminders',
  channel: 'voice',
  trunk: 'my-carrier',
  number: '+12025550100',
  language: 'en',
  aiAgent: null,
  settings: { prompts: ['tone_stream://%(1000,0,440)'] },
};

export const NewWorkstream = Type.Object(
  {
    ...WorkstreamInput.properties,
    settings: Type.Object(WORKSTREAM_SETTINGS, { additionalProperties: false, default: {} }),
  },
  { additionalProperties: false, examples: [example] },
);

export const Workstream = Type.Object(
  {
    id: Id,
    ...NewWorkstream.properties,
    direction: Type.Literal('outbound'),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11',
        ...example,
        settings: workstreamSettings(JSON.stringify(example.settings)),
        direction: 'outbound',
        version: 1,
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
export const WorkstreamPage = pageOf(Workstream);

export function workstreamBody(row: WorkstreamRow) {
  return {
    id: row.id,
    ...workstreamInput(row),
    direction: 'outbound',
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}
