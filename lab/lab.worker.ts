/** The lab's thread: SIP and RTP of the carrier and the AI agent, away from the thread that dials. */
import { parentPort, workerData } from 'node:worker_threads';
import { AiAgent } from './ai-agent.ts';
import { Carrier } from './carrier.ts';
import type { FromLab, LabOptions, ToLab } from './lab-messages.ts';
import { RepresentativePhone } from './representative-phone.ts';

const port = parentPort;
if (port === null) throw new Error('lab.worker runs as a worker thread only');

/** Each speaks on a pitch of its own, so that a recording tells who was heard. */
const VOICE_HZ = 400;
const VOICE_STEP_HZ = 25;

function openPhones(host: string, count: number): Promise<RepresentativePhone[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const voiceHz = VOICE_HZ + index * VOICE_STEP_HZ;
      return RepresentativePhone.open({ host, user: `representative-${index + 1}`, voiceHz });
    }),
  );
}

function say(message: FromLab): void {
  port?.postMessage(message);
}

try {
  const options = workerData as LabOptions;
  const carrier = await Carrier.open(options);
  carrier.onInvite = (invite) => say({ type: 'invited', invite });
  const { host, aiAgent, representatives = 0 } = options;
  const agent = aiAgent === undefined ? undefined : await AiAgent.open({ host, ...aiAgent });
  const phones = await openPhones(host, representatives);
  port.on('message', (message: ToLab) => {
    if (message.type === 'records') {
      const { records, liveCalls } = carrier;
      const { requestId } = message;
      const aiAgentRecords = [...(agent?.records ?? [])];
      say({ type: 'records', requestId, records: [...records], aiAgentRecords, liveCalls });
      return;
    }
    const phonesClosed = Promise.all(phones.map((phone) => phone.close()));
    void Promise.all([carrier.close(), agent?.close(), phonesClosed]).then(() => {
      say({ type: 'stopped' });
      port.close();
    });
  });
  say({
    ...{ type: 'ready', sipPort: carrier.sipPort, aiAgentSipPort: agent?.sipPort },
    representativeUris: phones.map(({ address }) => address),
  });
} catch (error) {
  say({ type: 'failed', problem: error instanceof Error ? error.message : String(error) });
  port.close();
}
