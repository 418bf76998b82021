/**
 * `http://` where a file is named, as FreeSWITCH's mod_httapi has it: what is played is read by GET,
 * what was recorded is delivered by PUT. By `node:http` and not by `fetch`, which takes 30 ms to load:
 * time in which the thread that paces every call's audio would stand still.
 */
import { createReadStream } from 'node:fs';
import { get, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

/** Ms until everything has arrived: the call waits meanwhile. The shipped httapi.conf has the same. */
const DOWNLOAD_MS_MAX = 10_000;
const UPLOAD_MS_MAX = 60_000;

export function isHttpFile(file: string): boolean {
  return /^http:\/\//i.test(file);
}

/** Rejects when it is not given, not in time, or longer than `bytesMax`. */
export async function download(url: string, bytesMax: number): Promise<Buffer> {
  const asked = get(url, { agent: false, signal: AbortSignal.timeout(DOWNLOAD_MS_MAX) });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`${url}: HTTP ${response.statusCode ?? 0}`);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) throw new RangeError(`${url}: longer than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Rejects unless the server said that it has it. */
export async function deliver(file: string, url: string): Promise<void> {
  const sent = request(url, {
    method: 'PUT',
    agent: false,
    signal: AbortSignal.timeout(UPLOAD_MS_MAX),
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined); // the pipeline fails with it
  await pipeline(createReadStream(file), sent);
  const [response] = await answered;
  response.resume();
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw new Error(`${url}: HTTP ${status}`);
}
