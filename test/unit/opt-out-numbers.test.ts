/** Goal: whoever calls us to be called no more is known by each number that a contact may have of them. */
import t from 'tap';
import { Value } from 'typebox/value';
import { numbersOfCaller, type ToldCaller } from '../../dialer/opt-outs/caller-numbers.ts';
import { callerAsReceived, callerOf } from '../../gateway/inbound/called-number.ts';
import { InboundOptOut } from '../../machines/inbound-events.ts';

const AMERICAN = '+12025550100';
const GERMAN = '+493099999999';
const BRITISH = '+442079460000';

interface Case {
  readonly name: string;
  readonly received: string;
  readonly called: string;
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'with a plus it is E.164, whoever was called',
    ...{ received: '+493012345678', called: AMERICAN, expected: ['+493012345678'] },
  },
  {
    name: 'with a plus it needs only be possible: plans are ahead of what is known of them',
    ...{ received: '+15555550100', called: AMERICAN, expected: ['+15555550100'] },
  },
  {
    name: 'without one it is national',
    ...{ received: '2025550144', called: AMERICAN, expected: ['+12025550144'] },
  },
  {
    name: 'or national with the prefix of its country',
    ...{ received: '03012345678', called: GERMAN, expected: ['+493012345678'] },
  },
  {
    name: 'or with signs between the digits',
    ...{ received: '(0)20-7946.0018', called: BRITISH, expected: ['+442079460018'] },
  },
  {
    name: 'or international behind 00',
    ...{ received: '00493012345678', called: GERMAN, expected: ['+493012345678'] },
  },
  {
    name: 'or behind 00 where that is not the prefix',
    ...{ received: '00493012345678', called: AMERICAN, expected: ['+493012345678'] },
  },
  {
    name: 'or behind the prefix of the country that was called',
    ...{ received: '011493012345678', called: AMERICAN, expected: ['+493012345678'] },
  },
  {
    name: 'or with its country code first',
    ...{ received: '12025550144', called: AMERICAN, expected: ['+12025550144'] },
  },
  {
    name: 'or with the code of another country first',
    ...{ received: '442079460018', called: AMERICAN, expected: ['+442079460018'] },
  },
  {
    name: 'where it may be two, it is both',
    ...{ received: '3212345678', called: AMERICAN, expected: ['+13212345678', '+3212345678'] },
  },
  { name: 'a short one is none', received: '99999', called: AMERICAN, expected: [] },
  { name: 'nor is one too long', received: '+1202555014412345', called: AMERICAN, expected: [] },
];

for (const { name, received, called, expected } of CASES) {
  t.test(`${name}: ${received} to ${called}`, (t) => {
    const callerNumber = `+${received.replaceAll(/\D/g, '')}`;
    const told = { callerNumber, callerAsReceived: received, calledNumber: called };
    t.same(numbersOfCaller(told), expected);
    t.end();
  });
}

t.test('of a gateway that does not tell whether there was a plus', (t) => {
  const of = (callerNumber: string, calledNumber: string): readonly string[] =>
    numbersOfCaller({ callerNumber, calledNumber } satisfies ToldCaller);
  t.same(of('+493012345678', AMERICAN), ['+493012345678']);
  t.same(of('+2025550144', AMERICAN), ['+12025550144'], 'nobody has what it says');
  t.same(of('+03012345678', GERMAN), ['+493012345678']);
  t.end();
});

t.test('the gateway tells the number as it came, and by its digits', (t) => {
  const from = (headers: Record<string, string>) => {
    const request = { get: (name: string) => headers[name] };
    return [callerAsReceived(request), callerOf(request)];
  };
  t.same(from({ From: '<sip:2025550144@carrier.example>;tag=1' }), ['2025550144', '+2025550144']);
  t.same(from({ From: '<sip:+12025550144@carrier.example>' }), ['+12025550144', '+12025550144']);
  t.same(
    from({ 'P-Asserted-Identity': '<tel:030-12345678>', From: '<sip:+12025550144@x>' }),
    ['030-12345678', '+03012345678'],
    'whom the trunk vouches for',
  );
  t.same(from({ From: '"Anonymous" <sip:anonymous@anonymous.invalid>' }), [null, null]);
  t.end();
});

t.test('the event is taken with the number as it came, and without', (t) => {
  const event = {
    ...{ type: 'inbound.optOut', gatewayId: 'g', seq: 1, atMs: 1, inboundId: 'i' },
    ...{ callerNumber: '+2025550144', calledNumber: AMERICAN, digit: '9', source: 'rtp' },
  };
  t.ok(Value.Check(InboundOptOut, event));
  t.ok(Value.Check(InboundOptOut, { ...event, callerAsReceived: '2025550144' }));
  t.notOk(Value.Check(InboundOptOut, { ...event, callerAsReceived: 2_025_550_144 }));
  t.end();
});
