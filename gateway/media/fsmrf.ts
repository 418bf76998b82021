/**
 * Loads drachtio-fsmrf. `Mrf#connect` is not used: it hides the connection it makes, which then tries
 * for ever with growing pauses behind our back, never settles when the password is refused, and is
 * given one second in all. Its two halves are used instead: the connection and the MediaServer.
 */
import { createRequire } from 'node:module';
import type { EslConnectionClass, MediaServerClass } from './fsmrf.port.ts';

const fromHere = createRequire(import.meta.url);
/** The event-socket library is fsmrf's own dependency: resolved from there, to be the same copy. */
const fromFsmrf = createRequire(fromHere.resolve('drachtio-fsmrf'));

export const MediaServer = fromHere('drachtio-fsmrf/lib/mediaserver.js') as MediaServerClass;

export const EslConnection = (fromFsmrf('drachtio-modesl') as { Connection: EslConnectionClass })
  .Connection;
