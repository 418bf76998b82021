/**
 * A whole dialer with its gateway, made to be killed: it dials until every task is final, tells its
 * parent what it hears line by line, and leaves. Argument: ChildOptions as JSON.
 */
import { writeSync } from 'node:fs';
import { idSource } from '../../dialer/ids/uuid7.ts';
import { systemClock } from '../../dialer/clock.ts';
import type { DialerOptions } from '../../dialer/dialer-options.ts';
import { startDialer, type Dialer } from '../../dialer/main.ts';
import { createGateway } from '../../gateway/gateway.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { startSoftswitch } from '../../softswitch/start-softswitch.ts';
import type { ChildOptions } from './dialer-process.ts';
import { FaultPoint, faultyPlan, faultyTelephony } from './fault-points.ts';
import { openStore } from './store-target.ts';
import { gatewayOfParent } from './gateway-over-channel.ts';
import { GATEWAY_ID, gatewayConfig, switchOptions, TRUNK } from './switch-for-children.ts';

const options = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const BRIEF_TONE = 'tone_stream://%(100,0,440)';

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: complain,
  error: complain,
};

function complain(fields: object, message: string): void {
  const error = 'error' in fields && fields.error instanceof Error ? fields.error.stack : '';
  writeSync(2, `${message} ${JSON.stringify(fields)} ${error ?? ''}\n`);
}

async function startGateway(): Promise<TelephonyPort & { close?(): Promise<void> }> {
  if (options.isGatewayBeside) return gatewayOfParent();
  const ports = options.switchPorts ?? (await startSoftswitch(switchOptions()));
  return createGateway({ config: gatewayConfig(ports, options.trunkAddress), log });
}

function dialerOptions(gateway: TelephonyPort): Omit<DialerOptions, 'database'> {
  const point = new FaultPoint(options.fault);
  const { agentUri } = options;
  const afterAnswer =
    agentUri === null
      ? { prompts: [BRIEF_TONE] }
      : {
          aiAgent: {
            kind: 'aiAgent' as const,
            sipUri: agentUri,
            setupTimeoutMs: 10_000,
            firstAudioTimeoutMs: 0,
            audioTimeoutMs: 0,
          },
          fallbackPrompts: [],
        };
  return {
    id: 'dialer-1',
    telephony: faultyTelephony(gateway, point),
    gatewayId: GATEWAY_ID,
    trunks: [{ name: 'far', ...TRUNK }],
    clock: systemClock,
    ids: idSource(() => Date.now()),
    log,
    limits: {
      numberGapMinMs: 20,
      unknownGapMs: 50,
      untriedGapMs: 20,
      storeRetryMs: 20,
      claimSizeMax: 10,
      recheckMs: 1_000,
    },
    times: {
      setupTimeoutMs: 20_000,
      callLengthMaxMs: options.callLengthMaxMs,
      dialWithinMs: 10_000,
      playTimeoutMs: 10_000,
    },
    lease: { leaseMs: 30_000, waitMs: 0 },
    planAfterAnswer: () => faultyPlan(afterAnswer, point),
  };
}

/** Resolves when the engagement has nothing more to do. */
function untilAllFinal(dialer: Dialer): Promise<void> {
  return new Promise((resolve, reject) => {
    let isLooking = false;
    let hasNews = false;
    const look = async (): Promise<void> => {
      hasNews = true;
      if (isLooking) return;
      isLooking = true;
      while (hasNews) {
        hasNews = false;
        const left = await dialer.database.db
          .selectFrom('tasks')
          .select('id')
          .where('state', '<>', 'final')
          .limit(1)
          .execute();
        if (left.length === 0) resolve();
      }
      isLooking = false;
    };
    dialer.subscribe(({ type }) => {
      if (type === 'task.left') look().catch(reject);
    });
    look().catch(reject);
  });
}

const database = await openStore(options.store, { nowMs: () => Date.now() });
const gateway = await startGateway();
gateway.subscribe(({ type }) => {
  if (type.startsWith('attempt.')) say(type);
});
const dialer = await startDialer({ ...dialerOptions(gateway), database });
await untilAllFinal(dialer);
await dialer.stop({ graceMs: 0, limitMs: 10_000 });
await gateway.close?.();
await database.close();
say('all final');
process.exit(0);
