/** The lab's thread: SIP and RTP of the carrier and the AI agent, away from the thread that dials. */
import { parentPort, workerData } from 'node:worker_threads';
import { AiAgent } from './ai-agent.ts';
import { Carrier } from './carrier.ts';
import type { FromLab, LabOptions, ToLab } from './lab-messages.ts';

const port = parentPort;
if (port === null) throw new Error('lab.worker runs as a worker thread only');

function say(message: FromLab): void {
  port?.postMessage(message);
}

try {
  const options = workerData as LabOptions;
  const carrier = await Carrier.open(options);
  carrier.onInvite = (invite) => say({ type: 'invited', invite });
  const { host, aiAgent } = options;
  const agent = aiAgent === undefined ? undefined : await AiAgent.open({ host, ...aiAgent });
  port.on('message', (message: ToLab) => {
    if (message.type === 'records') {
      const { records, liveCalls } = carrier;
      const { requestId } = message;
      const aiAgentRecords = [...(agent?.records ?? [])];
      say({ type: 'records', requestId, records: [...records], aiAgentRecords, liveCalls });
      return;
    }
    void Promise.all([carrier.close(), agent?.close()]).then(() => {
      say({ type: 'stopped' });
      port.close();
    });
  });
  say({ type: 'ready', sipPort: carrier.sipPort, aiAgentSipPort: agent?.sipPort });
} catch (error) {
  say({ type: 'failed', problem: error instanceof Error ? error.message : String(error) });
  port.close();
}
