/** Names looked up for each connection, so that one cannot lead elsewhere than it may. */
import { lookup as lookUp } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** For `http.request`. Fails with `refusal` when no address of the name is allowed. */
export function guardedLookup(
  isAllowed: (address: string) => boolean,
  refusal: (hostname: string) => Error,
): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (first === undefined) callback(refusal(hostname), '');
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
