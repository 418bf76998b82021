/**
 * Damaged RTP, RTCP and event-socket commands, by seed: what a far end and a client really send, with
 * bytes changed, cut off, doubled and put elsewhere. A failing run is replayed with its seed.
 */
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Random } from './sip-mutation.ts';

/** Audio, digits, comfort noise, an extension header, sender and receiver reports, BYE. */
const PACKETS: readonly Buffer[] = [
  rtp(0, Buffer.alloc(160, 0x55)),
  rtp(8, Buffer.alloc(240, 0xd5)),
  rtp(101, Buffer.from([5, 0x0a, 0, 160])),
  rtp(101, Buffer.from([5, 0x8a, 3, 32])),
  rtp(13, Buffer.from([40])),
  rtp(0, Buffer.concat([Buffer.from('bede0001', 'hex'), Buffer.alloc(164)]), 0x90),
  Buffer.from(`80c80006${'0102030405060708'.repeat(3)}`, 'hex'),
  Buffer.from(`81c90007${'0102030405060708'.repeat(3)}00000001`, 'hex'),
  Buffer.from('81cb000101020304', 'hex'),
];

function rtp(payloadType: number, payload: Buffer, first = 0x80): Buffer {
  const header = Buffer.alloc(12);
  header[0] = first;
  header[1] = payloadType;
  header.writeUInt32BE(0x1234_5678, 8);
  return Buffer.concat([header, payload]);
}

/**
 * Commands by the name of a channel, `%u`. The file of a recording, `%f`, is never damaged: what it
 * became would be made, somewhere on this machine.
 */
const COMMANDS: readonly string[] = [
  'api status',
  'api show channels as json',
  'api uuid_dump %u json',
  'api uuid_setvar %u a b',
  'api uuid_record %u%f 3 {a=b}',
  'api uuid_record %u stop all',
  'api uuid_break %u all',
  'api uuid_bridge %u %u',
  'api conference room list',
  'api conference room relate 1,2 3 nospeak',
  'api conference room play tone_stream://%(10,0,440) 1',
  'api uuid_send_dtmf %u 1w2@100',
  'bgapi create_uuid',
  'event json ALL CUSTOM conference::maintenance',
  'event plain CHANNEL_EXECUTE DTMF',
  'filter Unique-ID %u',
  'filter delete Unique-ID',
  'nixevent ALL',
  'linger 1',
  'sendmsg %u\ncall-command: execute\nexecute-app-name: set\nexecute-app-arg: a=${b:1:2}',
  'sendmsg %u\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(20,0,300)',
  'sendmsg %u\ncall-command: execute\nexecute-app-name: sleep\nexecute-app-arg: 10',
  'sendmsg %u\ncall-command: unicast\nlocal-port: 0\nremote-port: 9\ntransport: udp',
  'sendevent NOTIFY\ncontent-length: 5\n\nhello',
];

const COMMANDS_PER_CONNECTION = 10;

/** Text that belongs nowhere. */
const ODD = [
  '\0',
  '\n',
  '\r\n',
  ':',
  '%',
  '${',
  '{',
  '}',
  "'",
  '^^',
  'content-length: 99999\n',
  '-1',
];

export function damagedPacket(random: Random): Buffer {
  const bytes = Buffer.from(PACKETS[random(PACKETS.length)] as Buffer);
  bytes.writeUInt16BE(random(65_536), 2);
  bytes.writeUInt32BE(random(2 ** 32), 4);
  for (let change = random(4); change > 0; change -= 1) bytes[random(bytes.length)] = random(256);
  switch (random(4)) {
    case 0:
      return bytes.subarray(0, random(bytes.length + 1));
    case 1:
      return Buffer.concat([bytes, bytes].slice(random(2)));
    default:
      return bytes;
  }
}

export function damagedCommand(random: Random, channelId: string, file: string): string {
  const template = COMMANDS[random(COMMANDS.length)] as string;
  const parts = template.replaceAll('%u', channelId).split('%f');
  const whole = (): string => parts.join(` start ${file}`);
  const kind = random(5);
  if (kind === 3) {
    const length = random(3) === 0 ? -1 : random(40);
    return `${whole()}\ncontent-length: ${length}\n\n${whole()}\n\n`;
  }
  const damaged = random(parts.length);
  parts[damaged] = damage(parts[damaged] as string, kind, random);
  return `${whole()}\n\n`;
}

function damage(text: string, kind: number, random: Random): string {
  const at = random(text.length + 1);
  switch (kind) {
    case 0:
      return `${text.slice(0, at)}${ODD[random(ODD.length)] as string}${text.slice(at)}`;
    case 1:
      return `${text.slice(0, at)}${text.slice(at + random(6))}`;
    case 2:
      return `${text.slice(0, at)}${String.fromCharCode(random(256))}${text.slice(at + 1)}`;
    default:
      return text;
  }
}

/** Sends damaged packets to RTP and RTCP in turn, no faster than the socket takes them. */
export async function rtpBarrage(
  socket: UdpSocket,
  to: { readonly port: number; readonly host: string },
  count: number,
  random: Random,
): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const bytes = damagedPacket(random);
    await new Promise((resolve) => socket.send(bytes, to.port + (sent % 2), to.host, resolve));
  }
}

/**
 * Sends damaged commands over connections of ten each; every tenth is never logged in. They record the
 * channel to `file`. Resolves with how many frames came back: a damaged length swallows what follows it, most commands get their answer.
 */
export async function eslBarrage(
  target: { readonly host: string; readonly port: number; readonly password: string },
  { channelId, file }: { readonly channelId: string; readonly file: string },
  count: number,
  random: Random,
): Promise<number> {
  let answers = 0;
  for (let sent = 0; sent < count; sent += COMMANDS_PER_CONNECTION) {
    const socket = connect(target.port, target.host);
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    let text = random(10) === 0 ? '' : `auth ${target.password}\n\n`;
    for (let i = 0; i < COMMANDS_PER_CONNECTION; i += 1) {
      text += damagedCommand(random, channelId, file);
    }
    socket.on('data', (bytes: Buffer) => {
      answers += bytes.toString('latin1').split('Content-Type: ').length - 1;
    });
    socket.end(`${text}exit\n\n`);
    await closed;
  }
  return answers;
}
