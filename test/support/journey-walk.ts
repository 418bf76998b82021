/** A journey in real time whose every way is decided by the person alone: killed or not, it is the same. */
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import type { OutcomeOf } from './journey-scene.ts';

const RESULTS = ['Busy', 'Busy', 'LiveAnswer', 'InvalidAddress', 'NoAnswer'] as const;

/** By the last letters of the contact's id, and which call it is. */
export const outcomesByContact: OutcomeOf = ({ key, contact_id: contactId }) => {
  const n = Buffer.from(contactId.slice(-6)).reduce((sum, byte) => sum + byte, 0);
  const visit = Number(key.slice(key.lastIndexOf(':') + 1));
  const result = RESULTS[(n + visit) % RESULTS.length] ?? 'Busy';
  const afterMs = (n % 4) * 20;
  return { afterMs, event: { type: 'conversationResult', key, result } };
};

/** Waits for outcomes have limits that nobody comes near; what ends by time ends by time alone. */
export const WALK: Pick<Journey, 'entry' | 'steps' | 'exits'> = {
  entry: { kind: 'trigger', trigger: 'start' },
  exits: { on: [{ trigger: 'leave' }] },
  steps: [
    {
      ...{ id: 'calls', type: 'voice', engagement: 'confirm', next: 'hears' },
      compliance: { profile: 'calls', purpose: 'updates' },
    },
    {
      ...{ id: 'hears', type: 'waitFor' },
      on: [
        { step: 'calls', is: 'attempted', next: 'asks' },
        { step: 'calls', is: 'notAttempted', next: 'plan' },
      ],
      timeout: { after: '1d', next: 'late' },
    },
    {
      ...{ id: 'asks', type: 'branch', otherwise: 'rests' },
      branches: [
        {
          when: { from: 'calls', attribute: 'Result', operator: 'is', value: 'Busy' },
          next: 'loop',
        },
        {
          when: { from: 'calls', attribute: 'Result', operator: 'is', value: 'LiveAnswer' },
          next: 'plan',
        },
      ],
    },
    { id: 'loop', type: 'repeat', to: 'calls', timesMax: 2, next: 'plan' },
    { id: 'rests', type: 'wait', for: '1s', next: 'tells' },
    {
      ...{ id: 'tells', type: 'activateTrigger', trigger: 'told', next: 'hearsAgain' },
      attributes: {},
    },
    {
      ...{ id: 'hearsAgain', type: 'waitFor' },
      on: [{ trigger: 'told', next: 'plan' }],
      timeout: { after: '1d', next: 'late' },
    },
    { id: 'plan', type: 'activity', activity: 'task', subject: 'Plan', next: 'end' },
    { id: 'late', type: 'activity', activity: 'task', subject: 'Too late', next: 'end' },
    { id: 'end', type: 'exit' },
  ],
};
