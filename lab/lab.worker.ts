/** The lab's thread: the carrier's SIP and RTP, away from the thread that dials it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Carrier, type CarrierOptions } from './carrier.ts';
import type { FromLab, ToLab } from './lab-messages.ts';

const port = parentPort;
if (port === null) throw new Error('lab.worker runs as a worker thread only');

function say(message: FromLab): void {
  port?.postMessage(message);
}

try {
  const carrier = await Carrier.open(workerData as CarrierOptions);
  port.on('message', (message: ToLab) => {
    if (message.type === 'records') {
      const { records, liveCalls } = carrier;
      say({ type: 'records', requestId: message.requestId, records: [...records], liveCalls });
      return;
    }
    void carrier.close().then(() => {
      say({ type: 'stopped' });
      port.close();
    });
  });
  say({ type: 'ready', sipPort: carrier.sipPort });
} catch (error) {
  say({ type: 'failed', problem: error instanceof Error ? error.message : String(error) });
  port.close();
}
