/**
 * The signalling half of the switch in this thread: SIP towards carriers, drachtio's control protocol
 * towards the gateway. `signalling.worker.ts` runs it in a thread of its own.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { systemNameService } from '../sip/name-service.ts';
import { SipStack, type SipStackOptions } from '../sip/sip-stack.ts';
import { SIP_TIMERS } from '../sip/sip-timers.ts';
import { UnwantedAnswers } from '../sip/unwanted-answers.ts';
import type { SipTlsOptions } from '../sip/tls-sockets.ts';
import { realTimerWheel, type TimerWheel } from '../timers/timer-wheel.ts';
import {
  INNER_HOST_DEFAULT,
  type SignallingPorts,
  type SignallingWorkerOptions,
  type SipTlsFiles,
  type WorkerStats,
} from '../worker-messages.ts';
import { CallRecords } from './call-records.ts';
import { ClientResponses } from './client-responses.ts';
import { ClientRouter } from './client-router.ts';
import { ControlServer } from './control-server.ts';
import type { ControlSession } from './control-session.ts';
import { DialogTable } from './dialog-table.ts';
import { FromNetwork } from './from-network.ts';
import { IncomingRequests } from './incoming-request.ts';
import { InsideDialogRequests } from './inside-dialog.ts';
import { OutsideDialogRequests } from './outside-dialog.ts';
import { SessionTimers } from './session-timers.ts';
import { strayAnswer } from './server-bye.ts';
import type { SwitchContext } from './switch-context.ts';

export interface SignallingOptions extends SignallingWorkerOptions {
  /** Default: a wheel of its own, stopped by `close`. */
  readonly timers?: TimerWheel;
  readonly trace?: SipStackOptions['trace'];
}

export interface Signalling extends SignallingPorts {
  stats(): WorkerStats;
  close(): Promise<void>;
}

export async function startSignalling(options: SignallingOptions): Promise<Signalling> {
  const { host, innerHost = INNER_HOST_DEFAULT, sip, control } = options;
  assert(control.secret !== '', 'the control port needs a secret');
  assert(!/[|\r\n]/.test(control.secret), 'the secret cannot hold | or a line break');
  const timers = options.timers ?? realTimerWheel();
  const timing = options.t1Ms === undefined ? SIP_TIMERS : scaled(options.t1Ms);
  const { dnsServers: servers = [] } = options;
  const stack = await SipStack.open({
    timers,
    listen: sip.protocols.map((protocol) => {
      return { protocol, host, port: protocol === 'tls' ? (sip.tlsPort ?? 0) : sip.port };
    }),
    settings: timing,
    names: systemNameService({ nowMs: () => timers.nowMs(), servers }),
    ...(sip.tls === undefined ? {} : { tls: await readTlsFiles(sip.tls) }),
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  });
  const close = async (): Promise<void> => {
    await stack.close();
    if (options.timers === undefined) timers.stop();
  };

  const router = new ClientRouter<ControlSession>();
  const records = new CallRecords(router);
  const dialogs = new DialogTable();
  const unwanted = new UnwantedAnswers(stack, timers);
  const context: SwitchContext = { stack, timers, timing, dialogs, router, records, unwanted };
  const incoming = new IncomingRequests();
  const sessionTimers = new SessionTimers(context);
  const fromNetwork = new FromNetwork(context, incoming);
  const outside = new OutsideDialogRequests(context, sessionTimers);
  const inside = new InsideDialogRequests(context, sessionTimers);
  const responses = new ClientResponses(context, incoming, sessionTimers);
  stack.onRequest = (transaction) => fromNetwork.receive(transaction);
  stack.onAck = (ack, source) => fromNetwork.receiveAck(ack, source);
  stack.onStrayResponse = (response) => strayAnswer(context, response);

  const parts = { outside, inside, responses, fromNetwork };
  const server = await ControlServer.open(context, parts, { host: innerHost, ...control }).catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  const tls = stack.listening.find(({ protocol }) => protocol === 'tls');
  return {
    sipPort: (stack.listening.find((one) => one !== tls) ?? tls)?.port ?? 0,
    ...(tls === undefined ? {} : { sipTlsPort: tls.port }),
    controlPort: server.port,
    stats: () => ({
      ...stack.counters,
      clients: server.clients,
      dialogs: dialogs.size,
      invitesOut: outside.invitesInProgress,
      requestsAwaitingClient: incoming.size,
      timersPending: timers.pending,
      transactionsClient: stack.transactionCounts.client,
      transactionsServer: stack.transactionCounts.server,
    }),
    close: async () => {
      await server.close();
      await close();
    },
  };
}

async function readTlsFiles(files: SipTlsFiles): Promise<SipTlsOptions> {
  const { certificateFile, keyFile, authoritiesFile, verifiesServers } = files;
  return {
    certificate: await readFile(certificateFile, 'utf8'),
    key: await readFile(keyFile, 'utf8'),
    ...(authoritiesFile && { authorities: await readFile(authoritiesFile, 'utf8') }),
    verifiesServers,
  };
}

/** Every SIP timer in proportion to another T1, so that tests need not wait 32 s for a time-out. */
function scaled(t1Ms: number): typeof SIP_TIMERS {
  assert(t1Ms > 0, `T1 must be positive: ${t1Ms}`);
  const factor = t1Ms / SIP_TIMERS.t1Ms;
  return {
    t1Ms,
    t2Ms: SIP_TIMERS.t2Ms * factor,
    t4Ms: SIP_TIMERS.t4Ms * factor,
    timerDMs: SIP_TIMERS.timerDMs * factor,
    tryingAfterMs: SIP_TIMERS.tryingAfterMs * factor,
  };
}
