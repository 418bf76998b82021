/** The desk of AI agents at work: its HTTP on a socket, its ear on the gateway. For whoever starts a dialer. */
import { isAttemptEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import {
  createAiAgentDesk,
  type AiAgentDesk,
  type AiAgentDeskOptions,
} from '../ai-agents/ai-agent-desk.ts';
import { aiAgentHttp } from './ai-agent.routes.ts';
import { startHttpServer, type Certificate, type HttpPlugin } from './http-server.ts';

export interface AiAgentsOptions extends Omit<AiAgentDeskOptions, 'publicUrl'> {
  readonly telephony: Pick<TelephonyPort, 'subscribe'>;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** What else the server serves. */
  readonly plugins?: readonly HttpPlugin[];
  readonly certificate?: Certificate | undefined;
  /** Where agents reach us, if it is not where we listen: behind a proxy that speaks HTTPS. */
  readonly publicUrl?: string;
}

export interface AiAgents {
  /** Its `planAfterAnswer` is for the dialer. */
  readonly desk: AiAgentDesk;
  /** Where we listen. */
  readonly url: string;
  /** To be called after the dialer's end: until then calls may end and results come. */
  stop(): Promise<void>;
}

/** Throws LISTEN_FAILED. */
export async function startAiAgents(options: AiAgentsOptions): Promise<AiAgents> {
  const { telephony, host, port, log, certificate, plugins = [] } = options;
  let publicUrl = options.publicUrl;
  const desk = createAiAgentDesk({ ...options, publicUrl: () => publicUrl ?? '' });
  const server = await startHttpServer({
    ...{ plugins: [aiAgentHttp(desk), ...plugins], log, certificate },
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
  });
  publicUrl ??= server.url;
  const unsubscribe = telephony.subscribe((event) => {
    if (isAttemptEvent(event)) desk.onAttemptEvent(event);
  });
  return {
    desk,
    url: server.url,
    stop: async () => {
      await server.close();
      unsubscribe();
      await desk.settled();
    },
  };
}
