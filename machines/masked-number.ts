/** Phone numbers as logs and accounts may show them. */

/** ITU-T E.164 country codes of two digits; zones 1 and 7 have one digit, all others three. */
const TWO_DIGIT_COUNTRY_CODES = new Set(
  (
    '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 ' +
    '60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'
  ).split(' '),
);

/** `+436641234567` becomes `+43…67`: the country stays, two digits tell calls apart, no person. */
export function maskNumber(number: string): string {
  const tail = number.length > 4 ? number.slice(-2) : '';
  return `${number.startsWith('+') ? `+${countryCode(number.slice(1))}` : ''}…${tail}`;
}

function countryCode(digits: string): string {
  if (digits.startsWith('1') || digits.startsWith('7')) return digits.slice(0, 1);
  const two = digits.slice(0, 2);
  return TWO_DIGIT_COUNTRY_CODES.has(two) ? two : digits.slice(0, 3);
}
