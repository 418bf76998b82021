/** Phone numbers as the gateway's logs and ladders may show them. */
import { maskNumber } from '../machines/masked-number.ts';

export { maskNumber };

/** Masks the user part of every SIP URI in a line, such as the first line of a request. */
export function maskSipUris(line: string): string {
  return line.replace(/(sips?:)([^@\s<>;]+)@/gi, (_, scheme: string, user: string) => {
    return `${scheme}${maskNumber(user)}@`;
  });
}
