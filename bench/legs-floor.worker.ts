/**
 * The floor below the `legs` benchmark: a socket a leg, a packet out and one in every 20 ms, paced as the
 * switch paces them, and nothing done with any. What is left is Node's and the kernel's.
 */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { MediaClock } from '../softswitch/media/media-clock.ts';
import { ReceiveRest } from '../softswitch/media/receive-rest.ts';
import { PACKET_BYTES, type FloorLegs } from './legs-plan.ts';

assert(parentPort !== null, 'this module runs as a worker thread');
const { host, farEndPort, legs } = workerData as FloorLegs;
const clock = new MediaClock();
const rest = new ReceiveRest(clock);
const packet = Buffer.alloc(PACKET_BYTES);
const sockets: Socket[] = [];
for (let index = 0; index < legs; index += 1) {
  // As the switch has them: without a look-up a send leaves at once.
  const socket = createSocket({
    type: 'udp4',
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  socket.on('message', () => rest.received());
  await new Promise<void>((bound) => socket.bind(0, host, bound));
  sockets.push(socket);
  clock.add({ tick: () => socket.send(packet, farEndPort, host) });
}
parentPort.postMessage(sockets.map((socket) => socket.address().port));
