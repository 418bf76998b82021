/** The one place that makes a drachtio-srf instance. */
import Srf from 'drachtio-srf';
import type { SrfPort } from './srf.port.ts';

/** All gateways use one tag, so that drachtio lets any of them end the dialogs of another. */
export function makeSrf(sharedTag: string): SrfPort {
  return new Srf([sharedTag]) as unknown as SrfPort;
}
