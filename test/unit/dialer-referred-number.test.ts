/** Goal: a representative's phone sends its customer to numbers, and nowhere else. */
import t from 'tap';
import { referredNumber } from '../../dialer/representatives/referred-number.ts';

const REFERRALS: readonly (readonly [referTo: string, number: string | undefined])[] = [
  ['<sip:+31201230000@pbx.example>', '+31201230000'],
  ['"Front desk" <sips:2001@pbx.example;transport=tls>', '2001'],
  ['sip:+31201230000@pbx.example', '+31201230000'],
  ['<sip:+31201230000;phone-context=x@pbx.example;user=phone>', '+31201230000'],
  ['<tel:+31-20-123(00)00>', '+31201230000'],
  ['tel:+31.20.1230000;ext=5', '+31201230000'],
  ['<sip:mallory@elsewhere.example>', undefined],
  ['<sip:pbx.example>', undefined],
  ['<sip:12@pbx.example>', undefined],
  ['<sip:+3120123000012345@pbx.example>', undefined],
  ['<sip:%2B31201230000@pbx.example>', undefined],
  ['<https://elsewhere.example/31201230000>', undefined],
  ['', undefined],
];

for (const [referTo, number] of REFERRALS) {
  t.test(`${referTo === '' ? 'nothing' : referTo}: ${number ?? 'refused'}`, async (t) => {
    t.equal(referredNumber(referTo), number);
  });
}
