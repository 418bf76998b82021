/** Where a representative's phone wants its customer to go: the number in a Refer-To (RFC 3515 §2.1). */

/**
 * Undefined when it is no number. Only numbers are dialled for a phone, by all rules of the attempt's
 * trunk: a SIP URI would let whoever has the phone send calls past every one of them.
 */
export function referredNumber(referTo: string): string | undefined {
  const uri = /<([^>]*)>/.exec(referTo)?.[1] ?? referTo.trim();
  const user = /^(?:sips?:([^@;?]*)(?:;[^@]*)?@|tel:([^;?]*))/i.exec(uri);
  const number = (user?.[1] ?? user?.[2] ?? '').replaceAll(/[\s().-]/g, '');
  return /^\+?[0-9]{3,15}$/.test(number) ? number : undefined;
}
