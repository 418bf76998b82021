/** Goal: a sealed text is read by the one whose key it was sealed with, once, and by nobody else. */
import t from 'tap';
import { OneTimeKeys, sealed } from '../../telephony-bus/sealed-text.ts';

const ABOUT = 'g1 life 2001';

t.test('a sealed text is opened once, by who made the key', async (t) => {
  const keys = new OneTimeKeys(() => 0);
  const key = keys.make();
  const text = sealed('839214', key, ABOUT);
  t.equal(keys.open(text, ABOUT), '839214');
  t.equal(keys.open(text, ABOUT), undefined, 'not again');
  const others = new OneTimeKeys(() => 0);
  others.make();
  t.equal(others.open(sealed('839214', keys.make(), ABOUT), ABOUT), undefined, 'nor elsewhere');
});

t.test('it opens with what it was sealed about, unchanged, and in time', async (t) => {
  let nowMs = 0;
  const keys = new OneTimeKeys(() => nowMs);
  const fresh = () => sealed('839214', keys.make(), ABOUT);
  t.equal(keys.open(fresh(), 'g1 life 2002'), undefined, 'another number');
  const text = fresh();
  const bytes = Buffer.from(text.ciphertext, 'base64');
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
  t.equal(keys.open({ ...text, ciphertext: bytes.toString('base64') }, ABOUT), undefined);
  for (const publicKey of ['', 'AAAA', Buffer.alloc(44).toString('base64')]) {
    t.equal(keys.open({ ...fresh(), publicKey }, ABOUT), undefined, 'no key');
  }
  t.equal(keys.open({ ...fresh(), ciphertext: '' }, ABOUT), undefined, 'nothing in it');
  const late = fresh();
  nowMs = 60_001;
  t.equal(keys.open(late, ABOUT), undefined, 'a minute later');
});

t.test('nothing of it shows: neither its length nor that two are the same', async (t) => {
  const keys = new OneTimeKeys(() => 0);
  const longest = 'x'.repeat(1_022);
  const texts = ['1', longest, longest].map((text) => sealed(text, keys.make(), ABOUT));
  t.equal(new Set(texts.map(({ ciphertext }) => ciphertext.length)).size, 1);
  t.equal(new Set(texts.map(({ ciphertext }) => ciphertext)).size, 3);
  t.throws(() => sealed(`${longest}x`, keys.make(), ABOUT), RangeError);
  const key = keys.make();
  t.equal(keys.open(sealed(longest, key, ABOUT), ABOUT), longest);
});

t.test('keys that are asked for and never used do not pile up', async (t) => {
  const keys = new OneTimeKeys(() => 0);
  const [first, ...rest] = Array.from({ length: 1_001 }, () => keys.make());
  const last = rest.at(-1);
  if (first === undefined || last === undefined) throw new Error('no keys');
  t.equal(keys.open(sealed('1', first, ABOUT), ABOUT), undefined, 'the oldest has gone');
  t.equal(keys.open(sealed('1', last, ABOUT), ABOUT), '1');
});
