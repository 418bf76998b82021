/** The frames an event socket answers with, each complete in one string: one write per frame. */
import type { EslEvent, EventFormat } from './event.ts';
import { encodeEvent } from './event.ts';

export const AUTH_REQUEST = 'Content-Type: auth/request\n\n';

/** Answer to everything but `api`. */
export function commandReply(replyText: string): string {
  return `Content-Type: command/reply\nReply-Text: ${replyText}\n\n`;
}

/** `bgapi` answers with the job's id twice: in the text, and as a header of its own. */
export function jobReply(jobUuid: string): string {
  return `Content-Type: command/reply\nReply-Text: +OK Job-UUID: ${jobUuid}\nJob-UUID: ${jobUuid}\n\n`;
}

/** FreeSWITCH never sends an empty body here: clients that wait for one would wait for ever. */
export function apiResponse(body: string): string {
  const sent = body === '' ? '-ERR no reply\n' : body;
  return `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(sent)}\n\n${sent}`;
}

export function eventFrame(event: EslEvent, format: EventFormat): string {
  const encoded = encodeEvent(event, format);
  return `Content-Length: ${Buffer.byteLength(encoded)}\nContent-Type: text/event-${format}\n\n${encoded}`;
}

const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';

/** Last frame before the switch closes the socket. `sessionUuid` is there on outbound sockets only. */
export function disconnectNotice(sessionUuid: string | undefined, message = GOODBYE): string {
  const session =
    sessionUuid === undefined
      ? ''
      : `Controlled-Session-UUID: ${sessionUuid}\nContent-Disposition: disconnect\n`;
  return `Content-Type: text/disconnect-notice\n${session}Content-Length: ${Buffer.byteLength(message)}\n\n${message}`;
}

/** Sent instead of the disconnect notice when the client asked to `linger`. Seconds; -1 = for ever. */
export function lingerNotice(sessionUuid: string, channelName: string, seconds: number): string {
  return (
    `Content-Type: text/disconnect-notice\nControlled-Session-UUID: ${sessionUuid}\n` +
    `Content-Disposition: linger\nChannel-Name: ${channelName}\nLinger-Time: ${seconds}\nContent-Length: 0\n\n`
  );
}
