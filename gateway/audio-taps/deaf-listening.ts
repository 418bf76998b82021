/** A gateway that hears nothing: whoever answers is undecided, and so a person. */
import type { ListeningPort } from './listening.port.ts';

export const deafListening: ListeningPort = {
  capabilities: { survivesPlayback: false, survivesBridge: false, reachesOtherHosts: true },
  listen: (_channel, tell) => {
    queueMicrotask(() => tell({ type: 'deaf', problem: 'this gateway has no detectors' }));
    return { order: () => undefined, stop: () => undefined };
  },
};
