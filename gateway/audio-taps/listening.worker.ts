/** A listening room in a thread of its own: the audio of all calls never touches the main one. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { TappedChannel } from './audio-tap.port.ts';
import { detectors } from './detectors.ts';
import type { Listening } from './listening.port.ts';
import { ListeningRoom } from './listening-room.ts';
import type { FromRoom, ToRoom } from './room-messages.ts';
import { tapsOf, type TapChoice } from './tap-choice.ts';

assert(parentPort !== null, 'this module runs as a worker thread');
const port = parentPort;
const post = (message: FromRoom): void => port.postMessage(message);

const room = new ListeningRoom(tapsOf(workerData as TapChoice), detectors);
const listenings = new Map<number, Listening>();
const requests = new Map<number, PromiseWithResolvers<string>>();
let lastRequestId = 0;

interface PromiseWithResolvers<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function ask(send: (requestId: number) => void): Promise<string> {
  lastRequestId += 1;
  const requestId = lastRequestId;
  return new Promise((resolve, reject) => {
    requests.set(requestId, { resolve, reject });
    send(requestId);
  });
}

function channelOf(id: number, channelId: string): TappedChannel {
  return {
    channelId,
    api: (command, args) => ask((requestId) => post({ type: 'api', id, requestId, command, args })),
    message: (headers) => ask((requestId) => post({ type: 'message', id, requestId, headers })),
  };
}

port.on('message', (message: ToRoom) => {
  switch (message.type) {
    case 'listen': {
      const { id, channelId } = message;
      const tell = (heard: Parameters<Parameters<ListeningRoom['listen']>[1]>[0]): void =>
        post({ type: 'heard', id, heard });
      listenings.set(id, room.listen(channelOf(id, channelId), tell));
      break;
    }
    case 'order':
      listenings.get(message.id)?.order(message.order);
      break;
    case 'stop':
      listenings.get(message.id)?.stop();
      listenings.delete(message.id);
      break;
    case 'answered':
    case 'unanswered': {
      const request = requests.get(message.requestId);
      requests.delete(message.requestId);
      if (message.type === 'answered') request?.resolve(message.text);
      else request?.reject(new Error(message.problem));
      break;
    }
  }
});

post({ type: 'ready' });
