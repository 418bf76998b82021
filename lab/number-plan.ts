/**
 * What the lab's far end does, by the last two digits of the dialled number.
 *
 * Every number has a behaviour, so any contact list can be dialled into the lab. `expected` is what
 * a caller must conclude from the SIP and RTP alone, early media and whoever answered listened to.
 * docs/lab.md is this table in words, and a test keeps the two equal.
 */
import type { LabAudio } from './lab-audio.ts';

/** One thing the far end does, in order. Times in milliseconds. */
export type LabStep =
  | { readonly do: 'ring'; readonly forMs: number }
  | { readonly do: 'earlyMedia'; readonly audio: LabAudio; readonly forMs: number }
  | { readonly do: 'ringForEver' }
  | { readonly do: 'answer' }
  | { readonly do: 'wait'; readonly forMs: number }
  | { readonly do: 'play'; readonly audio: LabAudio }
  | { readonly do: 'listen' }
  | { readonly do: 'hangUp' }
  | {
      readonly do: 'reject';
      readonly statusCode: number;
      readonly phrase?: string;
      readonly reasonHeader?: string;
    }
  | { readonly do: 'ignore' };

export interface ExpectedOutcome {
  readonly result: string;
  readonly subReason: string | null;
}

export interface NumberPlanEntry {
  /** First and last value of the number's last two digits, both included. */
  readonly lastTwoDigits: readonly [number, number];
  readonly behaviour: string;
  readonly inWords: string;
  readonly steps: readonly LabStep[];
  readonly expected: ExpectedOutcome;
}

function outcome(result: string, subReason: string | null): NumberPlanEntry['expected'] {
  return { result, subReason };
}

export const NUMBER_PLAN: readonly NumberPlanEntry[] = [
  {
    lastTwoDigits: [0, 19],
    behaviour: 'person',
    inWords: 'A person answers after two seconds of ringing, says hello and listens.',
    steps: [
      { do: 'ring', forMs: 2_000 },
      { do: 'answer' },
      { do: 'wait', forMs: 400 },
      { do: 'play', audio: 'hello' },
      { do: 'listen' },
    ],
    expected: outcome('LiveAnswer', null),
  },
  {
    lastTwoDigits: [20, 24],
    behaviour: 'personHangsUp',
    inWords: 'A person answers and hangs up at once, before the AI agent is on the line.',
    steps: [{ do: 'ring', forMs: 1_000 }, { do: 'answer' }, { do: 'hangUp' }],
    expected: outcome('Undetermined', 'abandoned_by_customer'),
  },
  {
    lastTwoDigits: [25, 29],
    behaviour: 'slowAnswer',
    inWords: 'A person answers only after eight seconds of ringing.',
    steps: [
      { do: 'ring', forMs: 8_000 },
      { do: 'answer' },
      { do: 'wait', forMs: 400 },
      { do: 'play', audio: 'hello' },
      { do: 'listen' },
    ],
    expected: outcome('LiveAnswer', null),
  },
  {
    lastTwoDigits: [30, 34],
    behaviour: 'busy',
    inWords: 'Busy: 486.',
    steps: [{ do: 'reject', statusCode: 486 }],
    expected: outcome('Busy', null),
  },
  {
    lastTwoDigits: [35, 39],
    behaviour: 'busyByCause',
    inWords: 'A gateway to ISDN reports busy as 480 with cause 17 in the Reason header.',
    steps: [
      { do: 'ring', forMs: 500 },
      { do: 'reject', statusCode: 480, reasonHeader: 'Q.850;cause=17;text="User busy"' },
    ],
    expected: outcome('Busy', null),
  },
  {
    lastTwoDigits: [40, 44],
    behaviour: 'noAnswer',
    inWords: 'Rings until the caller gives up.',
    steps: [{ do: 'ringForEver' }],
    expected: outcome('NoAnswer', 'ring_timeout'),
  },
  {
    lastTwoDigits: [45, 49],
    behaviour: 'vacantNumber',
    inWords: 'Not in service: 404.',
    steps: [{ do: 'reject', statusCode: 404 }],
    expected: outcome('InvalidAddress', 'unallocated'),
  },
  {
    lastTwoDigits: [50, 54],
    behaviour: 'unavailable',
    inWords: 'Temporarily unavailable: 480 after ringing.',
    steps: [
      { do: 'ring', forMs: 1_500 },
      { do: 'reject', statusCode: 480 },
    ],
    expected: outcome('NoAnswer', 'absent'),
  },
  {
    lastTwoDigits: [55, 57],
    behaviour: 'congestion',
    inWords: 'The network is congested: 503 with cause 34.',
    steps: [
      {
        do: 'reject',
        statusCode: 503,
        reasonHeader: 'Q.850;cause=34;text="No circuit/channel available"',
      },
    ],
    expected: outcome('CallFailed', 'congestion'),
  },
  {
    lastTwoDigits: [58, 61],
    behaviour: 'declined',
    inWords: 'The person presses decline: 603.',
    steps: [
      { do: 'ring', forMs: 1_500 },
      { do: 'reject', statusCode: 603 },
    ],
    expected: outcome('Busy', 'declined'),
  },
  {
    lastTwoDigits: [62, 64],
    behaviour: 'networkBlocked',
    inWords: 'Analytics in the network block the call: 603 "Network Blocked".',
    steps: [{ do: 'reject', statusCode: 603, phrase: 'Network Blocked' }],
    expected: outcome('CallFailed', 'blocked_by_analytics'),
  },
  {
    lastTwoDigits: [65, 69],
    behaviour: 'ringbackThenPerson',
    inWords: 'The network plays ringback as early media (183), then a person answers.',
    steps: [
      { do: 'earlyMedia', audio: 'ringback', forMs: 3_000 },
      { do: 'answer' },
      { do: 'wait', forMs: 400 },
      { do: 'play', audio: 'hello' },
      { do: 'listen' },
    ],
    expected: outcome('LiveAnswer', null),
  },
  {
    lastTwoDigits: [70, 79],
    behaviour: 'voicemail',
    inWords: 'An answering machine: greeting, beep, then it records.',
    steps: [
      { do: 'ring', forMs: 2_500 },
      { do: 'answer' },
      { do: 'wait', forMs: 200 },
      { do: 'play', audio: 'voicemail' },
      { do: 'listen' },
    ],
    expected: { result: 'AnsweringMachineHangup', subReason: null },
  },
  {
    lastTwoDigits: [80, 82],
    behaviour: 'vacantAnnouncement',
    inWords: 'Special information tones (vacant code) as early media, then 404.',
    steps: [
      { do: 'earlyMedia', audio: 'sitVacant', forMs: 2_500 },
      { do: 'reject', statusCode: 404 },
    ],
    expected: outcome('InvalidAddress', 'em_sit'),
  },
  {
    lastTwoDigits: [83, 84],
    behaviour: 'answeredAnnouncement',
    inWords: 'The network answers and plays special information tones.',
    steps: [
      { do: 'ring', forMs: 1_000 },
      { do: 'answer' },
      { do: 'play', audio: 'sitVacant' },
      { do: 'listen' },
    ],
    expected: { result: 'NotAHandset', subReason: 'sit' },
  },
  {
    lastTwoDigits: [85, 89],
    behaviour: 'fax',
    inWords: 'A fax machine answers with CED, 2100 Hz.',
    steps: [
      { do: 'ring', forMs: 1_000 },
      { do: 'answer' },
      { do: 'wait', forMs: 200 },
      { do: 'play', audio: 'faxCed' },
      { do: 'listen' },
    ],
    expected: { result: 'NotAHandset', subReason: 'fax' },
  },
  {
    lastTwoDigits: [90, 94],
    behaviour: 'silence',
    inWords: 'Answers and never makes a sound.',
    steps: [{ do: 'ring', forMs: 1_500 }, { do: 'answer' }, { do: 'listen' }],
    expected: { result: 'Undetermined', subReason: 'no_speech' },
  },
  {
    lastTwoDigits: [95, 97],
    behaviour: 'busyTone',
    inWords: 'Busy tone as early media and no final response: the caller must give up by itself.',
    steps: [{ do: 'earlyMedia', audio: 'busyTone', forMs: 120_000 }, { do: 'ringForEver' }],
    expected: outcome('Busy', 'em_busy'),
  },
  {
    lastTwoDigits: [98, 99],
    behaviour: 'silentPeer',
    inWords: 'The far end ignores the INVITE altogether: no SIP response of any kind.',
    steps: [{ do: 'ignore' }],
    expected: outcome('CallFailed', 'trunk_timeout'),
  },
];

/** The entry for a dialled number, by its last two digits. A number with fewer gets a person. */
export function planEntryFor(number: string): NumberPlanEntry {
  const digits = number.replaceAll(/\D/g, '').slice(-2);
  const value = digits.length === 2 ? Number(digits) : 0;
  const entry = NUMBER_PLAN.find(
    ({ lastTwoDigits: [first, last] }) => first <= value && value <= last,
  );
  if (entry === undefined) throw new Error(`the number plan has a hole at ${digits}`);
  return entry;
}
